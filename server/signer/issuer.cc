#include "server/signer/issuer.h"

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/realm/assemble.h"
#include "server/signer/ca_files.h"
#include "server/signer/generation_keys.h"
#include "server/x509/csr.h"
#include "server/x509/pem.h"
#include "server/x509/tbs.h"

namespace chancery::signer {
namespace {

/// What makes two requests the same one: not what a second try chooses anew, nor how its right was shown.
std::string digest_of(const SignRequest& request) {
  // Nor which generation of its CA signs: the certificate of before a rollover is the answer after it.
  auto of_first = request;
  if (const auto label = realm::parse_label(request.ca); label.ok()) of_first.ca = realm::Label{label->name, 1}.text();
  auto same = to_json(of_first);
  for (const auto* changing : {"serial", "not_before", "not_after", "csr", "evidence", "approved"}) same.set(changing, nullptr);
  return crypto::sha256_hex(base::as_bytes(wire::to_text(same)));
}

Intent intent_for(const SignRequest& request, const x509::LintedTbs& linted, Seconds now) {
  return Intent{.serial = request.serial,
                .profile = request.profile.text(),
                .digest = digest_of(request),
                .tbs = linted.bytes(),
                .spki_sha256 = crypto::sha256_hex(request.spki),
                .requester = request.requester,
                .front_end = request.front_end,
                .rule = request.rule,
                .evidence = request.evidence,
                .idempotency_key = request.idempotency_key,
                .at = now,
                .ca = request.ca};
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
                       .at = entry.intent.at,
                       .taken_over = {},
                       .ca = entry.intent.ca};
}

/// What the lint says of the signing key, for all of them: a certificate for a CA's key is the CA's to make.
Status check_no_ca_key(const Generations& generations, ByteView spki) {
  for (const auto& [label, held] : generations) {
    // Also the key of one that is retired or aborted, which is not here any more.
    const bool is_its =
        (held.key != nullptr && base::equal_in_constant_time(held.key->public_key().spki(), spki)) ||
        (held.authority != nullptr && base::equal_in_constant_time(held.authority->certificate.public_key().spki(), spki));
    if (is_its) return Error(Code::BadKey, "it is the key of CA " + label);
  }
  return {};
}

/// Likewise for the keys of services, those of before included.
Status check_no_service_key(const Services& services, ByteView spki) {
  for (const auto& [label, service] : services) {
    if (base::equal_in_constant_time(service.key->public_key().spki(), spki))
      return Error(Code::BadKey, "it is the key of service " + label);
  }
  return {};
}

/// What an intention of before has to be like now.
Result<x509::LintContext> context_of(const config::RealmConfig& realm, const Intent& intent, const realm::Authority& authority) {
  if (intent.rule == kServiceRule) return service_lint(intent.profile, authority, kMostServiceValidity);
  PKI_TRY(const auto name, ProfileName::parse(intent.profile));
  const auto profile = realm.profiles.find(name);
  if (profile != realm.profiles.end()) return realm::lint_context(profile->second, authority);
  return Error(Code::Conflict, "the profile of the earlier request is gone: " + name.text());
}

}  // namespace

Issuer::Issuer(std::unique_ptr<Tokens> tokens, std::shared_ptr<SigningKey> first, Genesis owner, std::unique_ptr<Journal> journal,
               State state)
    : tokens_(std::move(tokens)),
      key_(std::move(first)),
      owner_(std::move(owner)),
      journal_(std::move(journal)),
      unlocking_(state.realm->name.text(), state.realm->keys,
                 Locks{[this] { return secret_key()->obstacle(); }, [this](const SecretBytes& secret) { return unlock(secret); },
                       [this] { lock(); }},
                 [this](const AuditEvent& event) { return record(event); }),
      state_(std::move(state)) {
  tokens_->on_usable([this] {
    if (const auto finished = finish_interrupted(); !finished.ok()) base::log_error(finished.error().message());
  });
}

Result<std::unique_ptr<Issuer>> Issuer::open(std::shared_ptr<const config::RealmConfig> realm, Seconds now) {
  auto tokens = std::make_unique<Tokens>(*realm);
  PKI_TRY(auto key, open_first_key(*realm, *tokens));
  const std::shared_ptr<SigningKey> first(std::move(key));
  const auto owner = journal_owner(*realm, first->public_key(), now);
  PKI_TRY(auto journal, Journal::open(realm->journal_directory(), owner));
  PKI_TRY(auto generations, open_generations(*realm, *tokens, *journal, first, now));
  if (generations->at(config::kFirstCa).state == realm::GenerationState::Retired) first->retire();
  auto services = std::make_shared<const Services>(read_services(*realm, *journal));
  std::unique_ptr<Issuer> issuer(new Issuer(std::move(tokens), first, owner, std::move(journal),
                                            State{std::move(realm), std::move(generations), std::move(services)}));
  PKI_TRY_VOID(issuer->tokens_->connect());
  PKI_TRY_VOID(issuer->finish_interrupted());
  return issuer;
}

Issuer::State Issuer::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Result<Issuer::Chosen> Issuer::choose(State state, const std::string& ca) {
  const auto found = state.generations->find(ca);
  if (found == state.generations->end())
    return Error(Code::NotFound, "no generation \"" + base::printable(ca, 80) + "\" of a CA in this realm");
  const auto* held = &found->second;
  return Chosen{std::move(state.realm), std::move(state.generations), held};
}

Result<Issuer::Chosen> Issuer::ready(const std::string& ca) const {
  PKI_TRY(auto chosen, choose(state(), ca));
  if (chosen.held->authority == nullptr)
    return Error(Code::Unavailable, "the CA waits for its certificate",
                 "ca.get shows its request, ca.import brings the certificate");
  if (chosen.held->key == nullptr)
    return Error(Code::Conflict,
                 "generation " + ca + " is " + std::string(realm::to_text(chosen.held->state)) + " and signs nothing any more",
                 "ca.list says which one does");
  return chosen;
}

/// The keys stay open as they are; what the next start would not find is said while it can be put right.
void Issuer::replace_realm(std::shared_ptr<const config::RealmConfig> realm) {
  const auto present = state();
  for (const auto& [label, held] : *present.generations) {
    const bool is_in_use = held.state != realm::GenerationState::Retired && held.state != realm::GenerationState::Aborted;
    const auto described = is_in_use ? check_described(*realm, label) : Status();
    if (!described.ok()) base::log_error("this signer will not start again: " + described.error().message());
  }
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
  if (request.renews) {
    PKI_TRY(const bool has_key, journal_->has_key_of(*request.renews, crypto::sha256_hex(request.spki)));
    PKI_TRY(const auto entry, journal_->signed_entry(*request.renews));
    if (entry && entry->intent.rule == kServiceRule)
      return Error(Code::BadProof,
                   "certificate " + request.renews->hex() + " is of a service of the realm, which renews it itself");
    if (has_key) return {};
  }
  return Error(Code::BadProof, "neither a request nor an earlier certificate with this key");
}

Result<Signed> Issuer::complete(const Held& held, const Entry& entry, const x509::LintedTbs& linted) {
  auto signature = entry.signature;
  if (!signature) {
    PKI_TRY(const auto fresh, held.key->sign(linted.algorithm(), linted.bytes()));
    PKI_TRY(signature, journal_->finish(entry.intent.serial, fresh));
  }
  PKI_TRY(auto der, x509::assemble_signed(linted.bytes(), linted.algorithm(), *signature));
  PKI_TRY(const auto certificate, x509::Certificate::from_der(der));
  PKI_CHECK(base::equal_in_constant_time(certificate.tbs(), linted.bytes()));  // what was signed is what was linted (C2)
  return Signed{entry.intent.serial, std::move(der), entry.signature.has_value()};
}

/// The certificate of a TBS that the journal has. It was linted then, and is linted again: nothing else reaches the key.
Result<Signed> Issuer::complete_earlier(const State& state, const Entry& entry) {
  if (entry.signature) {
    PKI_TRY(const auto algorithm, x509::algorithm_of(entry.intent.tbs));
    PKI_TRY(auto der, x509::assemble_signed(entry.intent.tbs, algorithm, *entry.signature));
    return Signed{entry.intent.serial, std::move(der), true};
  }
  PKI_TRY(const auto chosen, choose(state, entry.intent.ca));
  if (chosen.held->authority == nullptr || chosen.held->key == nullptr)
    return Error(Code::Conflict, "generation " + entry.intent.ca + " signs nothing any more");
  PKI_TRY(const auto context, context_of(*state.realm, entry.intent, *chosen.held->authority));
  // The algorithm that a TBS names is the one it is signed with, whatever the configuration says since.
  PKI_TRY(const auto algorithm, x509::algorithm_of(entry.intent.tbs));
  PKI_TRY(const auto linted, x509::lint_certificate(entry.intent.tbs, algorithm, context));
  return complete(*chosen.held, entry, linted);
}

Result<Signed> Issuer::sign_certificate(const SignRequest& request, Seconds now) {
  PKI_TRY(const auto chosen, ready(request.ca));
  const auto& realm = *chosen.realm;
  const auto& authority = *chosen.held->authority;
  const auto found = realm.profiles.find(request.profile);
  if (found == realm.profiles.end()) return Error(Code::NotFound, "profile not found: " + request.profile.text());
  const auto& profile = found->second;
  PKI_TRY_VOID(chosen.held->key->check_usable());  // before the journal has an intention that nobody could carry out
  PKI_TRY_VOID(realm::check_ca_issues(realm, authority.name, request.profile));
  if (request.rule == kServiceRule) return Error(Code::PolicyRefused, "by rule service the signer alone issues");
  PKI_TRY_VOID(check_possession(request));
  const realm::Grant grant{request.serial, request.profile,    request.subject,  request.sans,
                           request.spki,   request.not_before, request.not_after};
  PKI_TRY_VOID(check_no_ca_key(*chosen.generations, request.spki));
  PKI_TRY_VOID(check_no_service_key(*state().services, request.spki));
  PKI_TRY_VOID(realm::check_grant(realm, profile, authority, grant, now));
  PKI_TRY_VOID(check_approvals(realm, profile, *journal_, request, now));
  PKI_TRY(auto tbs, x509::build_tbs(realm::assemble(realm, profile, authority, grant)));
  PKI_TRY(const auto linted,
          x509::lint_certificate(std::move(tbs), authority.algorithm, realm::lint_context(profile, authority)));
  PKI_TRY(const auto entry, journal_->begin(intent_for(request, linted, now)));
  if (entry.intent.tbs == linted.bytes()) return complete(*chosen.held, entry, linted);
  PKI_TRY(auto answer, complete_earlier({chosen.realm, chosen.generations}, entry));  // the idempotency key stands for it
  answer.replayed = true;
  return answer;
}

Result<AuthorityInfo> Issuer::authority(const std::string& ca) const {
  PKI_TRY(const auto chosen, choose(state(), ca));
  const auto& authority = chosen.held->authority;
  AuthorityInfo info{authority == nullptr ? "waiting" : "ready",
                     journal_->last_crl_number(ca),
                     {},
                     journal_->fault(),
                     chosen.held->key == nullptr ? std::string() : chosen.held->key->obstacle()};
  if (authority != nullptr) {
    for (const auto& pem : realm::chain_pems(*authority)) info.chain += pem;
  }
  return info;
}

Result<JournalPage> Issuer::journal_since(std::uint64_t position, std::size_t limit) const {
  PKI_TRY(const auto entries, journal_->since(position, limit));
  JournalPage page{{}, entries.second};
  for (const auto& entry : entries.first) {
    if (entry.imported) {
      auto record = record_of(entry, entry.imported->certificate);
      record.taken_over = entry.imported->facts;
      page.records.push_back(std::move(record));
      continue;
    }
    PKI_TRY(const auto algorithm, x509::algorithm_of(entry.intent.tbs));
    PKI_TRY(auto der, x509::assemble_signed(entry.intent.tbs, algorithm, *entry.signature));
    page.records.push_back(record_of(entry, std::move(der)));
  }
  return page;
}

Result<SecretStatus> Issuer::enter_secret(const SecretEntry& entry, Seconds now) {
  PKI_TRY(auto status, unlocking_.enter(entry, now));
  if (status.state == "open") {
    if (const auto finished = finish_interrupted(); !finished.ok()) base::log_error(finished.error().message());
  }
  return status;
}

Status Issuer::verify_journal() const { return Journal::check(state().realm->journal_directory(), owner_); }

/// Every intent ends as a certificate that can be found and revoked (PROMISES C4), or the log says why not.
Status Issuer::finish_interrupted() {
  const auto now = state();
  PKI_TRY(const auto unfinished, journal_->unfinished());
  for (const auto& entry : unfinished) {
    const auto held = now.generations->find(entry.intent.ca);
    const bool is_later = held != now.generations->end() && held->second.key != nullptr && !held->second.key->obstacle().empty();
    if (is_later) continue;  // when the key can be used
    const auto done = complete_earlier(now, entry);
    const auto serial = "serial " + entry.intent.serial.hex();
    if (!done.ok() && done.error().code() == Code::Io) return done.error();
    base::log_warning(done.ok() ? serial + ": the signature that was interrupted is made"
                                : serial + " stays without a signature: " + done.error().message());
  }
  return {};
}

}  // namespace chancery::signer
