#include <algorithm>
#include <filesystem>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/realm/rollover.h"
#include "server/signer/ca_files.h"
#include "server/signer/generation_keys.h"
#include "server/signer/issuer.h"
#include "server/x509/csr.h"
#include "server/x509/pem.h"
#include "server/x509/tbs.h"

/// The generations of a realm's CAs: how they come to be, and how they end.
namespace chancery::signer {
namespace {

using realm::GenerationState;

// Each is held, and read at every start: a worker must not make them without end.
constexpr int kMostAhead = 100;
constexpr std::size_t kMostGenerations = 500;

Error no_such_ca(const std::string& name) {
  return {Code::NotFound, "no CA \"" + base::printable(name, 80) + "\" in this realm"};
}

/// The newest generation of a CA that is there for something.
const Held* newest(const Generations& generations, const std::string& name) {
  const Held* found = nullptr;
  int number = 0;
  for (const auto& [text, held] : generations) {
    const auto label = realm::parse_label(text).value();
    if (label.name != name || label.number < number || !realm::may_issue(held.state)) continue;
    found = &held;
    number = label.number;
  }
  return found;
}

/// The generation that a new one takes over from: the newest before it that issues. Null: there is none.
const Generations::value_type* former(const Generations& generations, const realm::Label& label) {
  const Generations::value_type* found = nullptr;
  int number = 0;
  for (const auto& one : generations) {
    const auto other = realm::parse_label(one.first).value();
    if (other.name != label.name || other.number >= label.number || other.number < number) continue;
    if (!realm::may_issue(one.second.state) || one.second.authority == nullptr) continue;
    found = &one;
    number = other.number;
  }
  return found;
}

/// Whether a later generation of the same CA issues, so that this one can end.
bool has_successor(const Generations& generations, const std::string& ca) {
  const auto label = realm::parse_label(ca).value();
  return std::ranges::any_of(generations, [&](const auto& one) {
    const auto other = realm::parse_label(one.first).value();
    return other.name == label.name && other.number > label.number && realm::may_issue(one.second.state);
  });
}

/// Of its certificate, which nothing below it outlives.
Seconds end_of(const Held& held) { return held.authority == nullptr ? Seconds::max() : held.authority->certificate.not_after(); }

Status write_public(const base::Path& file, const std::string& text) {
  return base::replace_file(file, base::as_bytes(text), 0644);
}

}  // namespace

Result<std::shared_ptr<const Generations>> Issuer::open_generations(const config::RealmConfig& realm, const Tokens& tokens,
                                                                    const Journal& journal, std::shared_ptr<SigningKey> first,
                                                                    Seconds now) {
  auto known = journal.generations();
  known.try_emplace(config::kFirstCa,
                    JournalIndex::GenerationFacts{GenerationState::Active, first->public_key().spki_sha256_hex()});
  auto all = std::make_shared<Generations>();
  for (const auto& [label, facts] : known) {
    PKI_TRY(auto held, read_generation(realm, tokens, {label, facts.state, facts.key_sha256}, now,
                                       label == config::kFirstCa ? first : nullptr));
    all->insert_or_assign(label, std::move(held));
  }
  return std::shared_ptr<const Generations>(std::move(all));
}

std::vector<GenerationInfo> Issuer::generations() const {
  const auto now = state();
  std::vector<GenerationInfo> out;
  for (const auto& [label, held] : *now.generations) {
    GenerationInfo info{label, std::string(realm::to_text(held.state)), {}, held.request, held.new_with_old, held.old_with_new};
    if (held.authority != nullptr) {
      for (const auto& pem : realm::chain_pems(*held.authority)) info.chain += pem;
    }
    if (held.state == GenerationState::Draining) info.last_end = journal_->last_end(label);
    if (info.last_end) info.last_end = std::min(*info.last_end, end_of(held));
    out.push_back(std::move(info));
  }
  return out;
}

void Issuer::put(const std::string& ca, Held held) {
  const std::lock_guard lock(mutex_);
  auto all = std::make_shared<Generations>(*state_.generations);
  all->insert_or_assign(ca, std::move(held));
  state_.generations = std::move(all);
}

/// What the files and the journal say of it now.
Status Issuer::reread(const std::string& ca, Seconds now, std::shared_ptr<SigningKey> opened) {
  const auto facts = journal_->generations();
  const auto found = facts.find(ca);
  const auto its =
      found != facts.end() ? found->second : JournalIndex::GenerationFacts{GenerationState::Active, owner_.key_sha256};
  const auto present = state();
  const auto before = present.generations->find(ca);
  const bool has_key = before != present.generations->end() && before->second.key != nullptr;
  auto key = has_key ? before->second.key : std::move(opened);
  if (!has_key && key != nullptr && changed_) key->on_change(changed_);
  PKI_TRY(auto held, read_generation(*present.realm, *tokens_, {ca, its.state, its.key_sha256}, now, std::move(key)));
  put(ca, std::move(held));
  return {};
}

/// Whether a generation is the one to be made next, or the one that is being made.
Status Issuer::check_next(const State& now, const realm::Label& label) const {
  const auto row = now.realm->cas.find(label.name);
  const bool is_ours = label.name == config::kFirstCa || (row != now.realm->cas.end() && !row->second.is_service());
  if (!is_ours) return no_such_ca(label.name);
  const auto known = now.generations->find(label.text());
  if (known != now.generations->end()) {
    if (known->second.state == GenerationState::Prepared) return {};
    return Error(Code::Conflict, "generation " + label.text() + " is " + std::string(realm::to_text(known->second.state)));
  }
  int last = 0;
  for (const auto& [text, held] : *now.generations) {
    const auto other = realm::parse_label(text).value();
    if (other.name != label.name) continue;
    if (other.number >= label.number)
      return Error(Code::Conflict, "there is generation " + text + " already, so " + label.text() + " is no next one");
    last = std::max(last, other.number);
  }
  if (label.number - last > kMostAhead)
    return Error(Code::Conflict,
                 "generation " + label.text() + " is too far ahead of the last one, number " + std::to_string(last));
  if (now.generations->size() >= kMostGenerations)
    return Error(Code::Conflict, "the realm's CAs have " + std::to_string(now.generations->size()) +
                                     " generations, which is all that there may be");
  return {};
}

/// Journalled before it is signed, and looked at with the public key before it goes anywhere. @return PEM
Result<std::string> Issuer::sign_ca(const std::string& signer, const Held& by, const config::RealmConfig& realm,
                                    const CaCertificate& wanted, Seconds now) {
  PKI_TRY(const auto made, make_ca_tbs(realm, wanted));
  const auto& [serial, linted] = made;
  PKI_TRY_VOID(journal_->add_anchor({serial, linted.bytes(), {}, now, signer}));
  PKI_TRY(const auto signature, by.key->sign(linted.algorithm(), linted.bytes()));
  PKI_TRY(const auto der, x509::assemble_signed(linted.bytes(), linted.algorithm(), signature));
  return x509::to_pem(x509::kCertificateLabel, der);
}

/// The chain of a new generation: itself, or the realm's root over it.
Result<std::string> Issuer::chain_for(const State& now, const realm::Label& label, std::shared_ptr<SigningKey> key,
                                      const CaTerms& terms, Seconds at) {
  const auto& realm = *now.realm;
  const auto row = realm.cas.find(label.name);
  const auto root = row == realm.cas.end() ? std::string() : row->second.issuer;
  const Held* issuer = root.empty() ? nullptr : newest(*now.generations, root);
  if (!root.empty() && (issuer == nullptr || issuer->authority == nullptr || !realm.cas.at(root).is_root()))
    return Error(Code::Unavailable, "root " + root + " has no generation that certifies",
                 "make it first, by a rollover of " + root);
  if (issuer != nullptr && at > issuer->authority->certificate.not_after())
    return Error(Code::Unavailable,
                 "root " + root + " certifies nothing any more: it expired " +
                     base::to_rfc3339(issuer->authority->certificate.not_after()),
                 "make its next generation first, by a rollover of " + root);
  CaCertificate wanted;
  const auto* earlier = former(*now.generations, label);
  PKI_TRY(wanted.subject, subject_of_ca(realm, label));
  wanted.path_length = terms.path_length;
  if (earlier != nullptr) {
    const auto& old = earlier->second.authority->certificate;
    wanted.subject = old.subject();
    wanted.subject_der = Bytes(old.subject_der().begin(), old.subject_der().end());
    wanted.path_length = old.path_length();
  }
  wanted.key = key->public_key();
  wanted.not_before = at - realm.backdate;
  wanted.not_after = wanted.not_before + terms.validity.value_or(realm.ca_validity) - std::chrono::seconds{1};
  const Held own{.state = GenerationState::Prepared, .key = std::move(key), .authority = {}};
  PKI_TRY(wanted.algorithm, crypto::algorithm_for(wanted.key.spec(), realm.digest));
  if (issuer == nullptr) return sign_ca(label.text(), own, realm, wanted, at);
  const auto& above = *issuer->authority;
  wanted.issuer = &above;
  wanted.algorithm = above.algorithm;
  wanted.not_before = std::max(wanted.not_before, above.certificate.not_before());
  wanted.not_after = std::min(wanted.not_after, above.certificate.not_after());
  PKI_TRY(auto chain, sign_ca(above.label, *issuer, realm, wanted, at));
  for (const auto& pem : realm::chain_pems(above)) chain += pem;
  return chain;
}

std::map<std::string, std::string> Issuer::keys_of_journal() const {
  std::map<std::string, std::string> keys{{config::kFirstCa, owner_.key_sha256}};
  for (const auto& [label, facts] : journal_->generations()) keys.insert_or_assign(label, facts.key_sha256);
  return keys;
}

Status Issuer::create_generation(const NewGeneration& wanted, Seconds now, const CaTerms& terms) {
  const std::lock_guard one_at_a_time(change_mutex_);
  PKI_TRY(const auto label, realm::parse_label(wanted.ca));
  const auto present = state();
  PKI_TRY_VOID(check_next(present, label));
  const bool by_request = wanted.from == "request";
  if (!by_request && wanted.from != "self" && wanted.from != "root")
    return Error(Code::Malformed, "from \"" + base::printable(wanted.from, 80) + "\", expected self, root or request");
  const auto* before = former(*present.generations, label);
  if (!by_request && before != nullptr) PKI_TRY_VOID(realm::check_may_certify_next(*before->second.authority));
  const auto entered = secret();
  const auto known = keys_of_journal();
  PKI_TRY(const auto key, make_key_of(*present.realm, wanted.ca, {*tokens_, known, entered ? &*entered : nullptr}));
  PKI_TRY_VOID(journal_->set_generation({wanted.ca, std::string(realm::to_text(GenerationState::Prepared)),
                                         key->public_key().spki_sha256_hex(), wanted.requester, now}));
  const auto place = place_of(*present.realm, wanted.ca);
  std::error_code ignored;
  const bool is_whole =
      std::filesystem::exists(place.ca_certificate_file(), ignored) || std::filesystem::exists(request_file(place), ignored);
  if (!is_whole && by_request) {
    PKI_TRY(auto subject, subject_of_ca(*present.realm, label));
    if (before != nullptr) subject = before->second.authority->certificate.subject();
    const auto sign = [&](crypto::SignatureAlgorithm algorithm, ByteView message) { return key->sign(algorithm, message); };
    PKI_TRY(const auto der, x509::make_csr(key->public_key(), sign, subject, {}));
    PKI_TRY_VOID(write_public(request_file(place), x509::to_pem(x509::kRequestLabel, der)));
  } else if (!is_whole) {
    PKI_TRY(const auto chain, chain_for(present, label, key, terms, now));
    PKI_TRY([[maybe_unused]] const auto accepted, accept_chain(chain, place, key->public_key(), now));
    PKI_TRY_VOID(write_public(place.ca_certificate_file(), chain));
  }
  return reread(wanted.ca, now, key);
}

Status Issuer::import_certificate(std::string_view chain_pem, Seconds now, const std::string& ca) {
  const std::lock_guard one_at_a_time(change_mutex_);
  PKI_TRY(const auto chosen, choose(state(), ca));
  if (chosen.held->authority != nullptr) return Error(Code::Exists, "the CA has its certificate already");
  if (chosen.held->key == nullptr)
    return Error(Code::Conflict, "generation " + ca + " is " + std::string(realm::to_text(chosen.held->state)));
  const auto place = place_of(*chosen.realm, ca);
  PKI_TRY(const auto authority, accept_chain(chain_pem, place, chosen.held->key->public_key(), now));
  PKI_TRY_VOID(journal_->add_anchor({authority.certificate.serial(), {}, authority.certificate.fingerprint_hex(), now, ca}));
  PKI_TRY_VOID(write_chain(place, authority));
  return reread(ca, now);
}

Status Issuer::cross_sign(const std::string& ca, Seconds now) {
  const std::lock_guard one_at_a_time(change_mutex_);
  PKI_TRY(const auto label, realm::parse_label(ca));
  PKI_TRY(const auto fresh, ready(ca));
  const auto* found = former(*fresh.generations, label);
  if (found == nullptr) return {};
  const auto* old = &found->second;
  if (!is_self_signed(*old->authority) || !is_self_signed(*fresh.held->authority)) return {};
  if (now > old->authority->certificate.not_after()) return {};  // nobody's path goes through it any more
  const auto directory = directory_of(*fresh.realm, ca);
  if (fresh.held->new_with_old.empty()) {
    const auto wanted = cross_certificate(*fresh.held->authority, *old->authority);
    PKI_TRY(const auto pem, sign_ca(found->first, *old, *fresh.realm, wanted, now));
    PKI_TRY_VOID(write_public(directory / kNewWithOld, pem));
  }
  if (fresh.held->old_with_new.empty()) {
    const auto wanted = cross_certificate(*old->authority, *fresh.held->authority);
    PKI_TRY(const auto pem, sign_ca(ca, *fresh.held, *fresh.realm, wanted, now));
    PKI_TRY_VOID(write_public(directory / kOldWithNew, pem));
  }
  return reread(ca, now);
}

Status Issuer::set_generation(const std::string& ca, const std::string& state_text, const std::string& requester, Seconds now) {
  const std::lock_guard one_at_a_time(change_mutex_);
  PKI_TRY(const auto chosen, choose(state(), ca));
  const auto wanted = realm::generation_state(state_text);
  if (!wanted) return Error(Code::Malformed, "state \"" + base::printable(state_text, 80) + "\" of a generation");
  if (*wanted == GenerationState::Active && chosen.held->authority == nullptr)
    return Error(Code::Unavailable, "generation " + ca + " has no certificate yet",
                 "ca.request gives its request, ca.import brings it");
  if (*wanted == GenerationState::Draining && chosen.held->state == GenerationState::Active &&
      !has_successor(*chosen.generations, ca))
    return Error(Code::Conflict, "no later generation of its CA issues, so " + ca + " cannot end");
  const auto facts = journal_->generations();
  const auto found = facts.find(ca);
  const auto key = found == facts.end() ? owner_.key_sha256 : found->second.key_sha256;
  PKI_TRY_VOID(journal_->set_generation({ca, state_text, key, requester, now}, end_of(*chosen.held)));
  base::log_info("generation " + ca + " is " + state_text + " by " + requester);
  PKI_TRY_VOID(reread(ca, now));
  if (ca == config::kFirstCa && *wanted == GenerationState::Retired) key_->retire();
  return {};
}

}  // namespace chancery::signer
