#include "server/signer/issuer.h"

#include "server/base/log.h"
#include "server/crypto/digest.h"
#include "server/realm/assemble.h"
#include "server/x509/csr.h"
#include "server/x509/pem.h"
#include "server/x509/tbs.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxChainBytes = 262144;

std::string sha256_hex(ByteView bytes) { return base::to_hex(crypto::sha256(bytes)); }

/// What makes two requests the same one: not the serial and the dates, which a second try chooses anew.
std::string digest_of(const SignRequest& request) {
  auto same = to_json(request);
  for (const auto* changing : {"serial", "not_before", "not_after", "csr"}) same.set(changing, nullptr);
  return sha256_hex(base::as_bytes(wire::to_text(same)));
}

Intent intent_for(const SignRequest& request, const x509::LintedTbs& linted, Seconds now) {
  return Intent{.serial = request.serial,
                .profile = request.profile.text(),
                .digest = digest_of(request),
                .tbs = linted.bytes(),
                .spki_sha256 = sha256_hex(request.spki),
                .requester = request.requester,
                .front_end = request.front_end,
                .rule = request.rule,
                .evidence = request.evidence,
                .idempotency_key = request.idempotency_key,
                .at = now};
}

Result<std::shared_ptr<const realm::Authority>> read_authority(const config::RealmConfig& realm, const crypto::PrivateKey& key) {
  const auto text = base::read_file(realm.ca_certificate_file(), kMaxChainBytes);
  if (!text.ok() && text.error().code() == Code::NotFound && std::filesystem::exists(realm.directory / "ca.csr")) {
    return std::shared_ptr<const realm::Authority>();
  }
  if (!text.ok()) return text.error();
  PKI_TRY(auto authority, realm::parse_authority(*text, realm));
  if (!(authority.certificate.public_key() == key.public_key())) {
    return Error(Code::BadConfig, "ca.key does not belong to ca.crt", "restore the pair from one backup");
  }
  return std::make_shared<const realm::Authority>(std::move(authority));
}

JournalRecord record_of(const Entry& entry, Bytes certificate) {
  return JournalRecord{.position = entry.position,
                       .certificate = std::move(certificate),
                       .profile = entry.intent.profile,
                       .requester = entry.intent.requester,
                       .front_end = entry.intent.front_end,
                       .rule = entry.intent.rule,
                       .evidence = entry.intent.evidence,
                       .idempotency_key = entry.intent.idempotency_key,
                       .at = entry.intent.at};
}

}  // namespace

Issuer::Issuer(crypto::PrivateKey key, std::unique_ptr<Journal> journal, State state)
    : key_(std::move(key)), journal_(std::move(journal)), state_(std::move(state)) {}

Result<std::unique_ptr<Issuer>> Issuer::open(std::shared_ptr<const config::RealmConfig> realm) {
  PKI_TRY(auto key, read_ca_key(*realm));
  PKI_TRY(auto authority, read_authority(*realm, key));
  PKI_TRY(auto journal, Journal::open(realm->journal_directory(), realm->name));
  std::unique_ptr<Issuer> issuer(new Issuer(std::move(key), std::move(journal), State{std::move(realm), std::move(authority)}));
  PKI_TRY_VOID(issuer->finish_interrupted());
  return issuer;
}

Issuer::State Issuer::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Result<Issuer::State> Issuer::ready_state() const {
  auto now = state();
  if (now.authority == nullptr) return Error(Code::Unavailable, "the CA waits for its certificate", "ca.get shows its request, ca.import brings the certificate");
  return now;
}

void Issuer::replace_realm(std::shared_ptr<const config::RealmConfig> realm) {
  const std::lock_guard lock(mutex_);
  state_.realm = std::move(realm);
}

Status Issuer::check_possession(const SignRequest& request) const {
  if (request.csr) {
    PKI_TRY(const auto csr, x509::Csr::from_der(*request.csr));
    PKI_TRY_VOID(csr.verify_possession());
    if (base::equal_in_constant_time(csr.public_key().spki(), request.spki)) return {};
    return Error(Code::BadProof, "the request proves possession of another key");
  }
  if (request.renews && journal_->has_key_of(*request.renews, sha256_hex(request.spki))) return {};
  return Error(Code::BadProof, "neither a request nor an earlier certificate with this key");
}

/// Signs, and looks at the signature with the public key before it goes anywhere (PROMISES F23).
Result<Bytes> Issuer::sign_checked(const realm::Authority& authority, ByteView tbs, crypto::SignatureAlgorithm algorithm) const {
  PKI_TRY(auto signature, key_.sign(algorithm, tbs));
  PKI_TRY_VOID(authority.certificate.public_key().verify(algorithm, tbs, signature));
  return signature;
}

Result<Signed> Issuer::complete(const State& state, const Entry& entry, const x509::LintedTbs& linted) {
  auto signature = entry.signature;
  if (!signature) {
    PKI_TRY(const auto fresh, sign_checked(*state.authority, linted.bytes(), linted.algorithm()));
    PKI_TRY(signature, journal_->finish(entry.intent.serial, fresh));
  }
  PKI_TRY(auto der, x509::assemble_signed(linted.bytes(), linted.algorithm(), *signature));
  PKI_TRY(const auto certificate, x509::Certificate::from_der(der));
  PKI_CHECK(base::equal_in_constant_time(certificate.tbs(), linted.bytes()));  // what was signed is what was linted (C2)
  return Signed{entry.intent.serial, std::move(der), entry.signature.has_value()};
}

Result<Signed> Issuer::sign_certificate(const SignRequest& request, Seconds now) {
  PKI_TRY(const auto state, ready_state());
  const auto found = state.realm->profiles.find(request.profile);
  if (found == state.realm->profiles.end()) return Error(Code::NotFound, "profile not found: " + request.profile.text());
  const auto& profile = found->second;
  PKI_TRY_VOID(check_possession(request));
  const realm::Grant grant{request.serial, request.profile, request.subject, request.sans, request.spki, request.not_before, request.not_after};
  PKI_TRY_VOID(realm::check_grant(*state.realm, profile, *state.authority, grant));
  PKI_TRY(auto tbs, x509::build_tbs(realm::assemble(*state.realm, profile, *state.authority, grant)));
  PKI_TRY(const auto linted, x509::lint_certificate(std::move(tbs), state.authority->algorithm, realm::lint_context(profile, *state.authority)));
  PKI_TRY(const auto entry, journal_->begin(intent_for(request, linted, now)));
  if (entry.intent.tbs == linted.bytes()) return complete(state, entry, linted);
  // The idempotency key stands for an earlier request: its TBS was linted and journalled then, and is linted again before use.
  const auto earlier = state.realm->profiles.find(ProfileName::parse(entry.intent.profile).value());
  if (earlier == state.realm->profiles.end()) return Error(Code::Conflict, "the earlier request's profile is gone: " + entry.intent.profile);
  PKI_TRY(const auto again, x509::lint_certificate(entry.intent.tbs, state.authority->algorithm, realm::lint_context(earlier->second, *state.authority)));
  PKI_TRY(auto answer, complete(state, entry, again));
  answer.replayed = true;
  return answer;
}

Result<SignedCrl> Issuer::sign_crl(const CrlRequest& request) {
  PKI_TRY(const auto state, ready_state());
  const auto& authority = *state.authority;
  PKI_TRY(auto tbs, x509::build_crl_tbs(x509::CrlSpec{.issuer = authority.certificate,
                                                      .algorithm = authority.algorithm,
                                                      .number = request.number,
                                                      .this_update = request.this_update,
                                                      .next_update = request.next_update,
                                                      .entries = request.entries}));
  PKI_TRY(const auto linted, x509::lint_crl(std::move(tbs), authority.algorithm, authority.certificate));
  PKI_TRY_VOID(journal_->begin_crl(request.number, request.this_update, sha256_hex(linted.bytes())));
  PKI_TRY(const auto signature, sign_checked(authority, linted.bytes(), linted.algorithm()));
  PKI_TRY(auto der, x509::assemble_signed(linted.bytes(), linted.algorithm(), signature));
  return SignedCrl{std::move(der)};
}

Result<AuthorityInfo> Issuer::authority() const {
  return AuthorityInfo{state().authority == nullptr ? "waiting" : "ready", journal_->last_crl_number()};
}

Result<JournalPage> Issuer::journal_since(std::uint64_t position, std::size_t limit) const {
  PKI_TRY(const auto state, ready_state());
  PKI_TRY(const auto entries, journal_->since(position, limit));
  JournalPage page{{}, entries.second};
  for (const auto& entry : entries.first) {
    PKI_TRY(auto der, x509::assemble_signed(entry.intent.tbs, state.authority->algorithm, *entry.signature));
    page.records.push_back(record_of(entry, std::move(der)));
  }
  return page;
}

Status Issuer::import_certificate(std::string_view chain_pem) {
  const auto before = state();
  if (before.authority != nullptr) return Error(Code::Exists, "the CA has its certificate already");
  PKI_TRY(auto authority, realm::parse_authority(chain_pem, *before.realm));
  if (!(authority.certificate.public_key() == key_.public_key())) return Error(Code::BadConfig, "the certificate is for another key than this CA's");
  std::string canonical;
  for (const auto& pem : realm::chain_pems(authority)) canonical += pem;
  PKI_TRY_VOID(base::replace_file(before.realm->ca_certificate_file(), base::as_bytes(canonical), 0644));
  const std::lock_guard lock(mutex_);
  state_.authority = std::make_shared<const realm::Authority>(std::move(authority));
  return {};
}

/// Every intent ends as a certificate that can be found and revoked (PROMISES C4).
Status Issuer::finish_interrupted() {
  PKI_TRY(const auto unfinished, journal_->unfinished());
  for (const auto& entry : unfinished) {
    const auto& now = state_;
    const auto name = ProfileName::parse(entry.intent.profile);
    const auto profile = name.ok() ? now.realm->profiles.find(*name) : now.realm->profiles.end();
    if (now.authority == nullptr || profile == now.realm->profiles.end()) continue;
    const auto linted = x509::lint_certificate(entry.intent.tbs, now.authority->algorithm, realm::lint_context(profile->second, *now.authority));
    if (!linted.ok()) {
      base::log_warning("serial " + entry.intent.serial.hex() + " stays unsigned: " + linted.error().message());
      continue;
    }
    PKI_TRY([[maybe_unused]] const auto done, complete(now, entry, *linted));
    base::log_warning("serial " + entry.intent.serial.hex() + ": the signature that a crash interrupted is made");
  }
  return {};
}

}  // namespace chancery::signer
