#include "server/signer/check.h"

#include <algorithm>
#include <initializer_list>

#include "server/config/load.h"
#include "server/crypto/block_list.h"
#include "server/realm/issuable.h"
#include "server/signer/ca_files.h"
#include "server/signer/generations.h"
#include "server/signer/journal.h"
#include "server/signer/signing_key.h"

namespace chancery::signer {
namespace {

using config::Finding;
using realm::GenerationState;

void add(RealmCheck& check, const Finding& finding) {
  check.lines.push_back(config::to_line(finding));
  if (finding.severity == Finding::Error) check.holds = false;
}

void add(RealmCheck& check, const Error& error) {
  check.lines.push_back(base::to_line(error));
  check.holds = false;
}

/// A finding about a profile, in the file that it stands in.
Finding of_profile(const config::Profile& profile, Finding::Severity severity, std::string message) {
  return {severity, profile.origin, 0, 0, "profile " + profile.name.text(), std::move(message)};
}

void check_profile(const config::RealmConfig& realm, const config::Profile& profile, const realm::Authority& authority,
                   Seconds now, RealmCheck& check) {
  if (const auto none = realm::obstacle_to_profile(realm, profile, authority, now)) {
    add(check, of_profile(profile, Finding::Error,
                          "found a profile of which " + authority.certificate.subject().to_slash() +
                              " can issue no certificate of use: " + none->what + "; expected that some request gets one (" +
                              none->advice + ")"));
    return;
  }
  if (const auto fixed = realm::obstacle_to_subject(realm, profile, authority, now)) {
    add(check, of_profile(profile, Finding::Warning,
                          "found a subject that no certificate can bear as it stands: " + fixed->what +
                              "; expected one that fits (leave its CN empty, since the request brings it, or change it)"));
  }
}

void check_profiles(const config::RealmConfig& realm, const realm::Authority& authority, Seconds now, RealmCheck& check) {
  for (const auto& [name, profile] : realm.profiles) {
    if (profile.origin != config::Profile(name).origin) check_profile(realm, profile, authority, now, check);
  }
}

/// A key that cannot be opened may be so because of what protects it, which a line of the configuration names.
void add_key_error(const config::RealmConfig& realm, const Error& error, RealmCheck& check) {
  const bool of_protection = error.code() == Code::AuthFailed || error.code() == Code::BadConfig;
  if (!of_protection) return add(check, error);
  const auto* setting = !realm.passphrase_file.empty()         ? "passphrase_file"
                        : !realm.passphrase_credential.empty() ? "passphrase_credential"
                                                               : "key_unencrypted";
  add(check, config::error_at_setting(realm, setting, base::to_line(error)));
}

/// The certificate by itself, while there is no key to hold it against.
void check_certificate(const config::RealmConfig& realm, Seconds now, RealmCheck& check) {
  const auto text = read_chain(realm);
  if (!text.ok()) return add(check, text.error());
  const auto authority = *text ? parse_chain(**text, realm, now) : Result<realm::Authority>(Error(Code::NotFound, ""));
  if (*text && !authority.ok()) add(check, authority.error().within(realm.ca_certificate_file().string()));
}

/// Of the key what its file shows without a passphrase. @return the public one, of a key that needs none.
std::optional<crypto::PublicKey> check_key_file(const config::RealmConfig& realm, RealmCheck& check) {
  const auto file = realm.ca_key_file();
  const auto pem = base::read_secret_file(file, kMaxKeyBytes);
  if (!pem.ok()) {
    if (pem.error().code() != Code::Denied) add(check, pem.error());  // mode and owner are said already
    return std::nullopt;
  }
  if (base::as_text(pem->view()).find("BEGIN ENCRYPTED PRIVATE KEY") != std::string_view::npos) return std::nullopt;
  const auto key = crypto::PrivateKey::from_pem(pem->view(), nullptr);
  if (!key.ok()) {
    add(check, key.error().within(file.string()));
    return std::nullopt;
  }
  return key->public_key();
}

/// Whether the journal says that the first CA's first generation is in one of these states.
bool is_in(const config::RealmConfig& realm, std::initializer_list<GenerationState> states) {
  const auto known = Journal::generations_in(realm.journal_directory());
  if (!known.ok()) return false;
  const auto first = known->find(config::kFirstCa);
  return first != known->end() && std::ranges::count(states, first->second.state) != 0;
}

/// Whether it issues no more: then its certificate may have expired.
bool is_replaced(const config::RealmConfig& realm) { return is_in(realm, {GenerationState::Draining, GenerationState::Retired}); }

/// The keys and certificates of the other generations, as the signer will open them.
void check_generations(const config::RealmConfig& realm, const Tokens& tokens, Seconds now, RealmCheck& check) {
  const auto known = Journal::generations_in(realm.journal_directory());
  if (!known.ok()) return add(check, known.error());
  for (const auto& [label, facts] : *known) {
    if (label == config::kFirstCa) continue;  // which is looked at already
    const auto held = read_generation(realm, tokens, {label, facts.state, facts.key_sha256}, now);
    if (!held.ok()) add(check, held.error().within("generation " + label));
  }
}

}  // namespace

RealmCheck check_ca_files(const RealmName& name, const base::Path& directory, Seconds now) {
  RealmCheck check;
  config::RealmConfig realm(name);
  realm.directory = directory;
  if (is_in(realm, {GenerationState::Retired})) {  // whose key need not be there
    check_certificate(realm, now, check);
    return check;
  }
  const auto key = check_key_file(realm, check);
  if (!key) {
    check_certificate(realm, now, check);
  } else if (const auto authority = read_authority(realm, *key, now); !authority.ok()) {
    add(check, authority.error());
  }
  return check;
}

RealmCheck check_realm(const RealmName& name, const base::Path& directory, Seconds now) {
  RealmCheck check;
  std::vector<Finding> findings;
  const auto realm = config::load_realm(name, directory, findings);
  // chanceryd --check has reported what it finds itself; the signer's user may find something else.
  if (realm == nullptr) {
    for (const auto& finding : findings)
      if (finding.severity == Finding::Error) add(check, finding);
    return check;
  }
  if (const auto lists = crypto::open_block_lists(realm->key_block_lists); !lists.ok())
    add(check, config::error_at_setting(*realm, "key_block_lists", base::to_line(lists.error())));
  const Tokens tokens(*realm);  // of which none is asked
  const auto opened = open_first_key(*realm, tokens);
  if (!opened.ok()) {
    add_key_error(*realm, opened.error(), check);
    check_certificate(*realm, now, check);
    return check;
  }
  const auto* key = opened->get();
  const auto authority = read_authority(*realm, key->public_key(), now);
  if (!authority.ok() && !is_replaced(*realm)) add(check, authority.error());
  if (authority.ok() && *authority != nullptr) check_profiles(*realm, **authority, now, check);
  const auto journal = Journal::check(realm->journal_directory(), journal_owner(*realm, key->public_key(), now));
  if (!journal.ok()) add(check, journal.error());
  if (journal.ok()) check_generations(*realm, tokens, now, check);
  return check;
}

}  // namespace chancery::signer
