#include <grp.h>

#include "server/base/text.h"
#include "server/base/user.h"
#include "server/crypto/password.h"
#include "server/worker/administrator.h"
#include "server/worker/attest.h"
#include "server/worker/login.h"
#include "server/worker/tokens.h"

/// The login methods that need nothing but the realm and the kernel.
namespace chancery::worker {
namespace {

/// Names of a Unix user's groups, the first one's too.
std::vector<std::string> group_names_of(const std::string& name) {
  const auto user = base::find_user(name);
  std::vector<std::string> names;
  if (!user) return names;
  for (const auto gid : base::groups_of(*user)) {
    if (const auto* entry = ::getgrgid(gid)) names.emplace_back(entry->gr_name);
  }
  return names;
}

}  // namespace

Result<Proof> prove_by_password(Session& session, const config::LoginStack& stack, const Params& params) {
  const SecretBytes password(params.text("password"));
  PKI_TRY(auto* store, session.store());
  const auto name = person_name(params.text("user"));
  auto person = name.ok() ? store->person(*name) : Result<store::PersonRecord>(Error(Code::NotFound, "no name"));
  if (!person.ok() && person.error().code() != Code::NotFound) return person.error();
  const bool has_password = person.ok() && !person->password.empty();
  // Whoever is unknown takes as long as anybody else.
  PKI_TRY(const bool right,
          crypto::is_password(password, has_password ? person->password : crypto::nobodys_password(stack.scrypt_cost)));
  if (!person.ok()) return Error(Code::AuthFailed, "no such person");
  if (!has_password) return Error(Code::AuthFailed, "the person has no password");
  if (!right) return Error(Code::AuthFailed, "wrong password");
  if (!person->enabled) return Error(Code::AuthFailed, "the person is disabled");
  Proof proof{.identity = "user:" + person->name};
  proof.shown.user = person->name;
  proof.login.person = person->name;
  proof.login.must_be_known = true;
  proof.person = std::move(*person);
  return proof;
}

Result<Proof> prove_by_token(Session& session, const config::LoginStack& /*stack*/, const Params& params) {
  PKI_TRY(auto* store, session.store());
  const auto offered = params.text("token");
  const auto id = id_of_token(offered);
  auto token = store->login_token(id);
  if (!token.ok() && token.error().code() == Code::NotFound) return Error(Code::AuthFailed, "no such token");
  if (!token.ok()) return token.error();
  if (!base::equal_in_constant_time(base::as_bytes(token->digest), base::as_bytes(digest_of_token(offered))))
    return Error(Code::AuthFailed, "not the token of that id");
  if (token->expires_at <= session.clock().now()) return Error(Code::AuthFailed, "the token has expired");
  auto person = store->person(token->person);
  if (!person.ok() && person.error().code() == Code::NotFound) return Error(Code::AuthFailed, "the token's person is gone");
  if (!person.ok()) return person.error();
  if (!person->enabled) return Error(Code::AuthFailed, "the person is disabled");
  Proof proof{.identity = "user:" + person->name};
  proof.shown.user = person->name;
  proof.login = {.stack = {},
                 .person = person->name,
                 .by_stack = {},
                 .token = token->id,
                 .commands = std::move(token->commands),
                 .only_roles = std::move(token->roles),
                 .must_be_known = true,
                 .ends_at = token->expires_at};
  proof.person = std::move(*person);
  return proof;
}

Status check_signed_challenge(const Session& session, const x509::Certificate& certificate, const std::string& signature_text) {
  PKI_TRY(const auto signature, base::from_base64(signature_text));
  const auto key = certificate.public_key();
  PKI_TRY(const auto algorithm, crypto::algorithm_for(key.spec(), "sha256"));
  return key.verify(algorithm, base::as_bytes(session.challenge()), signature);
}

Result<realm::Shown> shown_by_certificate(Session& session, const x509::Certificate& certificate) {
  PKI_TRY(const auto record, check_living(session, certificate));
  PKI_TRY(const bool listed, is_administrator(session, certificate));
  PKI_TRY(const bool stands, profile_stands(session, record));
  return realm::Shown{
      .user = {}, .groups = {}, .profile = stands ? record.profile : std::string(), .dn = certificate.subject().to_slash(), .listed = listed};
}

Result<Proof> prove_by_certificate(Session& session, const config::LoginStack& /*stack*/, const Params& params) {
  PKI_TRY(auto certificate, x509::Certificate::from_pem(params.text("certificate")));
  const auto is_signed = check_signed_challenge(session, certificate, params.text("signature"));
  if (!is_signed.ok()) return Error(Code::AuthFailed, is_signed.error().message());
  PKI_TRY(auto shown, shown_by_certificate(session, certificate));
  Proof proof{.identity = "cert:" + base::printable(shown.dn), .shown = std::move(shown)};
  proof.certificate = std::move(certificate);
  return proof;
}

Result<Proof> prove_by_unix(Session& session, const config::LoginStack& /*stack*/, const Params& /*params*/) {
  const auto& opened = session.opened_as();
  if (!opened.front_end.empty()) return Error(Code::AuthFailed, "a front end is no Unix user of this realm");
  const auto user = base::user_name(session.peer().uid);
  Proof proof{.identity = opened.name};
  proof.shown.user = user;
  proof.shown.groups = group_names_of(user);
  return proof;
}

}  // namespace chancery::worker
