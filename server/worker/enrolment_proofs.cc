#include "server/worker/enrolment_proofs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>

#include "server/base/file.h"
#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/crypto/password.h"
#include "server/realm/hosts.h"
#include "server/worker/administrator.h"
#include "server/worker/issue.h"
#include "server/worker/login_count.h"
#include "server/worker/requests.h"
#include "server/x509/signed_request.h"

namespace chancery::worker {
namespace {

using realm::Question;

/// The request's DER ends where it says, so that nothing behind it can be taken for a part of it.
Bytes covered_octets(const Order& order) {
  const auto der = order.csr->der();
  const auto beside = beside_request(order);
  Bytes octets(der.begin(), der.end());
  octets.insert(octets.end(), beside.begin(), beside.end());
  return octets;
}

constexpr int kCostOfNobody = 15;
constexpr std::size_t kHmacDigits = 64;

std::string name_in(const Question& asked) { return base::to_lower_ascii(asked.subject.common_name().value_or("")); }

Error unreadable(const std::string& name, const Error& why) {
  base::log_error("enrolment secret " + name + ": " + why.message());
  return {Code::Unavailable, "enrolment secret " + name + " cannot be read",
          "the file has to be there, of mode 0600, as the log says it"};
}

/// Of any lengths, in the same time.
bool is_same(ByteView one, ByteView other) { return base::equal_in_constant_time(crypto::sha256(one), crypto::sha256(other)); }

Result<SecretBytes> shared_secret(const std::string& name, const config::EnrolmentSecret& secret) {
  const auto text = base::read_secret_file(secret.file, config::kMostSecretOctets);
  if (!text.ok()) return unreadable(name, text.error());
  SecretBytes value(base::trim(base::as_text(text->view())));
  if (value.size() < config::kLeastSecretOctets) return unreadable(name, Error(Code::BadConfig, "it has less than 16 octets"));
  return value;
}

/// The hash in a list of "NAME HASH" lines; of who is not in it nobody's, so that it takes as long.
Result<std::string> listed_hash(const std::string& name, const config::EnrolmentSecret& secret, const std::string& whose) {
  const auto text = base::read_secret_file(secret.file, config::kMostListOctets);
  if (!text.ok()) return unreadable(name, text.error());
  for (auto rest = base::as_text(text->view()); !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = base::trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos || line.starts_with('#')) continue;
    if (base::to_lower_ascii(line.substr(0, blank)) == whose) return std::string(base::trim(line.substr(blank + 1)));
  }
  return crypto::nobodys_password(kCostOfNobody);
}

Result<bool> is_challenge(const SecretBytes& offered, const std::string& name, const config::EnrolmentSecret& secret,
                          const std::string& whose) {
  if (secret.kind == "list") {
    PKI_TRY(const auto hash, listed_hash(name, secret, whose));
    const auto same = crypto::is_password(offered, hash);
    return same.ok() ? *same : Result<bool>(unreadable(name, same.error()));
  }
  PKI_TRY(const auto value, shared_secret(name, secret));
  return is_same(offered.view(), value.view());
}

/// Counts what is compared, as logins are (doc/people.md), before it is compared: for who guesses.
template <class Compare>
Result<bool> counted(Session& session, const std::string& what, Compare compare) {
  PKI_TRY(auto attempt, LoginAttempt::begin_guess(session, what));
  const Result<bool> same = compare();
  Status outcome;
  if (!same.ok()) outcome = same.error();
  if (same.ok() && !*same) outcome = Error(Code::AuthFailed, "another secret");
  PKI_TRY_VOID(attempt.end(outcome));
  return same;
}

/// A list gives each common name a secret of its own, so that it proves nothing of other names beside it.
bool is_about_one(const Question& asked, const std::string& whose) {
  return !whose.empty() &&
         std::ranges::all_of(asked.sans, [&](const auto& name) { return base::to_lower_ascii(name.value) == whose; });
}

/// What is over the request's octets proves nothing of names that came beside it.
bool is_in_request(const x509::Csr& csr, const Question& asked) {
  const auto host = realm::as_host(csr.subject().common_name().value_or(""));
  return std::ranges::all_of(asked.sans, [&](const auto& name) {
    return std::ranges::find(csr.sans(), name) != csr.sans().end() || (host && name == *host);
  });
}

Result<bool> by_challenge(Session& session, const Order& order, const config::Proof& proof, const Question& asked) {
  if (!order.csr) return false;
  PKI_TRY(const auto offered, order.csr->challenge_password());
  if (offered.empty()) return false;
  const auto& secret = session.realm().enrolment.secrets.at(proof.name);
  const auto whose = name_in(asked);
  if (secret.kind == "list" && !is_about_one(asked, whose)) return false;
  return counted(session, "challenge " + proof.name + " " + whose,
                 [&] { return is_challenge(offered, proof.name, secret, whose); });
}

/// What was made over the request alone says nothing of what came beside it, and whoever made it is told: the secret is theirs.
Error covers_less(std::string_view what, const Order& order) {
  auto lines = base::split(beside_request(order), '\n');
  lines.pop_back();  // behind the last line's end
  const auto said = base::join(lines, ", ");
  return {Code::InvalidParams, "the " + std::string(what) + " is over the request alone, and beside it came: " + said,
          "make it over the request's DER with a line for each behind it (doc/enrolment.md), or leave them out"};
}

/// RFC 2104 with SHA-256, in hex, over the request's DER and what came beside it.
Result<bool> by_hmac(Session& session, const Order& order, const config::Proof& proof, const Question& asked) {
  if (!order.csr || order.hmac.empty() || !is_in_request(*order.csr, asked)) return false;
  const auto& secret = session.realm().enrolment.secrets.at(proof.name);
  return counted(session, "hmac " + proof.name + " " + name_in(asked), [&]() -> Result<bool> {
    PKI_TRY(const auto key, shared_secret(proof.name, secret));
    const auto offered = base::from_hex(base::to_lower_ascii(order.hmac));
    if (!offered.ok() || order.hmac.size() != kHmacDigits) return false;
    const auto is_over = [&](ByteView octets) {
      return base::equal_in_constant_time(crypto::hmac_sha256(key.view(), octets), *offered);
    };
    if (is_over(covered_octets(order))) return true;
    if (is_over(order.csr->der())) return covers_less("hmac", order);
    return false;
  });
}

Result<bool> is_signers_certificate(Session& session, const config::EnrolmentSigners& signers,
                                    const x509::Certificate& certificate) {
  const auto record = check_living(session, certificate);
  if (!record.ok() && record.error().code() == Code::AuthFailed) return false;
  if (!record.ok()) return record.error();
  if (std::ranges::find(signers.profiles, record->profile) == signers.profiles.end()) return false;
  const auto subject = certificate.subject().to_slash();
  return signers.subjects.empty() ||
         std::ranges::any_of(signers.subjects, [&](const auto& pattern) { return pattern.matches(subject); });
}

bool is_signers_session(const Session& session, const config::EnrolmentSigners& signers, const Question& asked) {
  if (!is_shown(session) || session.requester() != asked.requester) return false;
  const auto& identities = signers.identities;
  if (std::ranges::any_of(identities, [&](const auto& pattern) { return pattern.matches(asked.requester); })) return true;
  return !signers.roles.empty() && has_role_among(session.identity(), signers.roles);
}

Result<bool> by_signature(Session& session, const Order& order, const config::EnrolmentSigners& signers) {
  const auto signer = x509::signer_of(covered_octets(order), order.signature);
  if (signer.ok()) return is_signers_certificate(session, signers, *signer);
  const auto of_less = x509::signer_of(order.csr->der(), order.signature);
  if (!of_less.ok()) {
    base::log_info("a signature on behalf: " + signer.error().message());
    return false;
  }
  PKI_TRY(const bool is_one, is_signers_certificate(session, signers, *of_less));
  return is_one ? covers_less("signature", order) : Result<bool>(false);
}

Result<bool> on_behalf(Session& session, const Order& order, const config::Proof& proof, const Question& asked) {
  const auto& signers = session.realm().enrolment.signers.at(proof.name);
  if (is_signers_session(session, signers, asked)) return true;
  if (session.login() && session.requester() == asked.requester) {
    PKI_TRY(const bool is_one, is_signers_certificate(session, signers, *session.login()));
    if (is_one) return true;
  }
  if (!order.csr || order.signature.empty() || !is_in_request(*order.csr, asked)) return false;
  return by_signature(session, order, signers);
}

struct Kind {
  std::string_view name;
  Result<bool> (*holds)(Session&, const Order&, const config::Proof&, const Question&);
};
constexpr std::array kKinds{Kind{"challenge", by_challenge}, Kind{"hmac", by_hmac}, Kind{"on_behalf", on_behalf}};

}  // namespace

std::string beside_request(const Order& order) {
  static const auto kUsual = Order().profile;
  std::string text;
  if (order.profile != kUsual) text += "profile " + order.profile.text() + "\n";
  if (order.validity) text += "days " + std::to_string(std::chrono::floor<std::chrono::days>(*order.validity).count()) + "\n";
  return text;
}

std::optional<std::string> key_of_hmac(const Order& order) {
  if (!order.csr || order.rule != config::kEnrolWay || order.hmac.empty()) return std::nullopt;
  auto octets = covered_octets(order);
  std::ranges::copy(base::as_bytes(base::to_lower_ascii(order.hmac)), std::back_inserter(octets));
  return "hmac " + crypto::sha256_hex(octets);
}

std::optional<std::string> key_of_proof(const Order& order, const realm::Decision& decision) {
  if (!order.csr || order.rule != config::kEnrolWay || !decision.ruling) return std::nullopt;
  const auto holds = [&](std::string_view kind) {
    return std::ranges::any_of(decision.ruling->points.proofs,
                               [&](const auto& one) { return one.holds && one.label.starts_with(kind); });
  };
  if (holds("hmac:")) return key_of_hmac(order);
  // Octets of a signature can be others and it still the same.
  if (order.signature.empty() || !holds("on_behalf:")) return std::nullopt;
  return "signature " + crypto::sha256_hex(covered_octets(order));
}

Result<bool> shows_proof(Session& session, const Order& order, const config::Proof& proof, const Question& question) {
  const auto* const kind = std::ranges::find(kKinds, proof.kind, &Kind::name);
  PKI_CHECK(kind != kKinds.end());
  return kind->holds(session, order, proof, question);
}

}  // namespace chancery::worker
