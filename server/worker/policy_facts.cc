#include "server/worker/policy_facts.h"

#include <algorithm>

#include "server/base/file.h"
#include "server/base/text.h"
#include "server/worker/enrolment_proofs.h"
#include "server/worker/issue.h"
#include "server/worker/look_ups.h"
#include "server/worker/policy_room.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kMaxListOctets = 16 << 20;

/// Whether a line of the text is the name; '#' begins a comment.
bool lists(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = base::trim(text.substr(0, std::min(end, text.find('#'))));
    if (line.size() == name.size() && base::to_lower_ascii(line) == name) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

/// What a list has to know: each DNS name and address, or the common name where there is none.
std::vector<std::string> listed_names(const realm::Question& question) {
  using Type = x509::GeneralName::Type;
  std::vector<std::string> names;
  for (const auto& name : question.sans) {
    if (name.type == Type::Dns || name.type == Type::Ip) names.push_back(name.value);
  }
  if (names.empty()) names.push_back(base::to_lower_ascii(question.subject.common_name().value_or("")));
  return names;
}

/// What a look-up is asked about once: the common name, or the first name.
std::string name_of(const realm::Question& question) {
  auto name = base::to_lower_ascii(question.subject.common_name().value_or(""));
  return name.empty() && !question.sans.empty() ? question.sans.front().value : name;
}

LookUpValues values_of(const Session& session, const realm::Question& question, const std::string& name) {
  const auto colon = question.requester.find(':');
  return {{"name", name},
          {"cn", question.subject.common_name().value_or("")},
          {"subject", question.subject.to_slash()},
          {"requester", question.requester},
          {"user", colon == std::string::npos ? question.requester : question.requester.substr(colon + 1)},
          {"profile", question.profile.name.text()},
          {"way", question.way},
          {"realm", session.realm().name.text()}};
}

}  // namespace

std::string answer_name(const std::string& where, const realm::Question& question) {
  if (question.as_a_whole) return "eligible:" + where;
  return (question.one_is_enough ? "any:" : "") + where;
}

Result<bool> PolicyFacts::is_repeated() const {
  if (order_ == nullptr || order_->idempotency_key.empty()) return false;
  PKI_TRY(auto* store, session_.store());
  PKI_TRY(const auto before, store->by_idempotency_key(order_->idempotency_key));
  return before.has_value();
}

Result<int> PolicyFacts::living_of_subject(const std::string& subject, int most) const {
  PKI_TRY(const bool repeated, is_repeated());
  if (repeated) return 0;
  PKI_TRY(auto* store, session_.store());
  return store->living_with_subject(subject, living_now(session_, most));
}

Result<int> PolicyFacts::living_of_requester(const std::string& requester, int most) const {
  PKI_TRY(const bool repeated, is_repeated());
  if (repeated) return 0;
  PKI_TRY(auto* store, session_.store());
  return store->living_of_requester(requester, living_now(session_, most));
}

Result<bool> PolicyFacts::ask_file(const std::string& where, const realm::Question& question) const {
  const auto file = session_.realm().list_directory() / where.substr(config::kFileLookUp.size());
  const auto text = base::read_file(file, kMaxListOctets);
  if (!text.ok()) {
    return Error(Code::Unavailable, where + " cannot be read: " + text.error().message(),
                 "the list has to be there, readable for the workers, and at most 16 MiB");
  }
  const auto is_listed = [&](const std::string& name) { return !name.empty() && lists(*text, name); };
  const auto names = listed_names(question);
  return question.one_is_enough ? std::ranges::any_of(names, is_listed) : std::ranges::all_of(names, is_listed);
}

Result<bool> PolicyFacts::look_up(const std::string& where, const realm::Question& question) const {
  const auto note = [&](bool answer) { return answers_[answer_name(where, question)] = answer; };
  if (where.starts_with(config::kFileLookUp)) {
    PKI_TRY(const bool listed, ask_file(where, question));
    return note(listed);
  }
  const auto names = question.as_a_whole ? std::vector{name_of(question)} : listed_names(question);
  for (const auto& name : names) {
    PKI_TRY(const bool yes, ask_look_up(session_, where, values_of(session_, question, name)));
    if (yes == question.one_is_enough) return note(yes);
  }
  return note(!question.one_is_enough);
}

Result<bool> PolicyFacts::shows(const config::Proof& proof, const realm::Question& question) const {
  if (order_ == nullptr) return false;
  const auto label = proof.label();
  if (const auto known = answers_.find(label); known != answers_.end()) return known->second;
  // An ACME order is judged before its request is there, and again with it (RFC 8555 7.4).
  if (order_->key_stands_in && !order_->csr && proof.kind == "challenge") return true;
  if (std::ranges::find(order_->shown, label) != order_->shown.end()) return answers_[label] = true;
  PKI_TRY(const bool holds, shows_proof(session_, *order_, proof, question));
  return answers_[label] = holds;
}

Result<std::string> PolicyFacts::standing_of(const std::string& subject) const {
  PKI_TRY(auto* store, session_.store());
  PKI_TRY(const int in_force, store->living_with_subject(subject, living_now(session_, 1)));
  if (in_force > 0) return std::string("living");
  PKI_TRY(const auto newest, store->by_subject(subject, 1));
  if (newest.empty()) return std::string("nothing");
  return std::string(newest.front().state == store::CertificateState::Revoked ? "revoked" : "ended");
}

std::vector<config::FailedPolicyTest> failed_policy_tests(const config::RealmConfig& realm) {
  std::vector<config::FailedPolicyTest> failed;
  for (auto& one : realm::failed_policy_tests(realm)) failed.push_back({one.number, std::move(one.message)});
  return failed;
}

}  // namespace chancery::worker
