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
constexpr std::string_view kWildcard = "*.";
constexpr int kMostQuestions = 100;  // of one request
constexpr std::chrono::seconds kMostTime{30};

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

/// Whether a line is one that the wildcard, without its '*', stands for: of one label more (RFC 9525 6.3).
bool lists_one_of(std::string_view text, std::string_view tail) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = base::to_lower_ascii(base::trim(text.substr(0, std::min(end, text.find('#')))));
    if (line.size() > tail.size() && line.ends_with(tail) && line.find('.') == line.size() - tail.size()) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

/// What is asked about: each alternative name, or the common name where there is none; of a rule that denies the common name,
/// too.
std::vector<std::string> listed_names(const realm::Question& question) {
  std::vector<std::string> names;
  for (const auto& name : question.sans) names.push_back(base::to_lower_ascii(name.value));
  const auto common_name = base::to_lower_ascii(question.subject.common_name().value_or(""));
  const bool is_new = std::ranges::find(names, common_name) == names.end();
  if (names.empty() || (question.one_is_enough && is_new)) names.push_back(common_name);
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
  PKI_TRY_VOID(check_comparable(subject));
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
  const auto is_listed = [&](const std::string& name) {
    if (question.one_is_enough && name.starts_with(kWildcard) && lists_one_of(*text, std::string_view(name).substr(1)))
      return true;
    return !name.empty() && lists(*text, name);
  };
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
    if (name.empty()) continue;  // nobody knows what has no name
    PKI_TRY_VOID(may_ask());
    PKI_TRY(const bool yes, ask_look_up(session_, where, values_of(session_, question, name)));
    if (yes == question.one_is_enough) return note(yes);
  }
  const bool has_names = std::ranges::none_of(names, &std::string::empty);
  return note(!question.one_is_enough && has_names);
}

Status PolicyFacts::may_ask() const {
  const auto now = std::chrono::steady_clock::now();
  if (questions_ == 0) first_asked_ = now;
  if (++questions_ > kMostQuestions)
    return Error(Code::PolicyRefused,
                 "look-ups would be asked more than " + std::to_string(kMostQuestions) + " times about one request",
                 "ask for several certificates of fewer names");
  if (now - first_asked_ > kMostTime)
    return Error(Code::Unavailable, "look-ups took longer than " + base::in_words(kMostTime) + " about one request",
                 "try again later, or ask for fewer names");
  return {};
}

Result<bool> PolicyFacts::shows(const config::Proof& proof, const realm::Question& question) const {
  if (order_ == nullptr) return false;
  const auto label = proof.label();
  if (const auto known = answers_.find(label); known != answers_.end()) return known->second;
  // An ACME order is judged before its request is there, and again with it (RFC 8555 7.4).
  if (order_->key_stands_in && !order_->csr && proof.kind == "challenge") return true;
  if (std::ranges::find(order_->shown, label) != order_->shown.end()) return answers_[label] = true;
  if (std::ranges::find(order_->not_shown, label) != order_->not_shown.end()) return answers_[label] = false;
  PKI_TRY(const bool holds, shows_proof(session_, *order_, proof, question));
  return answers_[label] = holds;
}

Result<std::string> PolicyFacts::standing_of(const std::string& subject) const {
  PKI_TRY_VOID(check_comparable(subject));
  PKI_TRY(auto* store, session_.store());
  PKI_TRY(const int in_force, store->living_with_subject(subject, living_now(session_, 1)));
  if (in_force > 0) return std::string("living");
  PKI_TRY(const auto newest, store->of_name(subject, 1));
  if (newest.empty()) return std::string("nothing");
  return std::string(newest.front().state == store::CertificateState::Revoked ? "revoked" : "ended");
}

std::vector<config::FailedPolicyTest> failed_policy_tests(const config::RealmConfig& realm) {
  std::vector<config::FailedPolicyTest> failed;
  for (auto& one : realm::failed_policy_tests(realm)) failed.push_back({one.number, std::move(one.message)});
  return failed;
}

}  // namespace chancery::worker
