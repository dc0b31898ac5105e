#include "server/worker/policy_facts.h"

#include <algorithm>

#include "server/base/file.h"
#include "server/base/text.h"

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

}  // namespace

store::Living PolicyFacts::living(int most) const {
  std::chrono::seconds longest{0};
  for (const auto& [name, profile] : session_.realm().profiles)
    longest = std::max<std::chrono::seconds>(longest, profile.validity);
  const auto now = session_.clock().now();
  return {now, now - longest - session_.realm().backdate, most};
}

Result<int> PolicyFacts::living_of_subject(const std::string& subject, int most) const {
  PKI_TRY(auto* store, session_.store());
  return store->living_with_subject(subject, living(most));
}

Result<int> PolicyFacts::living_of_requester(const std::string& requester, int most) const {
  PKI_TRY(auto* store, session_.store());
  return store->living_of_requester(requester, living(most));
}

Result<bool> PolicyFacts::look_up(const std::string& where, const realm::Question& question) const {
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

std::vector<config::FailedPolicyTest> failed_policy_tests(const config::RealmConfig& realm) {
  std::vector<config::FailedPolicyTest> failed;
  for (auto& one : realm::failed_policy_tests(realm)) failed.push_back({one.number, std::move(one.message)});
  return failed;
}

}  // namespace chancery::worker
