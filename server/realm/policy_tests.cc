#include <algorithm>

#include "server/base/text.h"
#include "server/realm/access.h"
#include "server/realm/names.h"
#include "server/realm/rules.h"

namespace chancery::realm {
namespace {

using config::PolicyTest;

/// What the test says in the store's and the look-ups' place.
class SaidFacts : public Facts {
 public:
  explicit SaidFacts(const PolicyTest& test) : test_(test) {}
  Result<int> living_of_subject(const std::string&, int most) const override { return std::min(test_.living_of_subject, most); }
  Result<int> living_of_requester(const std::string&, int most) const override {
    return std::min(test_.living_of_requester, most);
  }
  Result<bool> look_up(const std::string& where, const Question&) const override {
    return std::ranges::find(test_.look_ups, where) != test_.look_ups.end();
  }
  Result<bool> shows(const config::Proof& proof, const Question&) const override {
    return std::ranges::find(test_.proofs, proof.label()) != test_.proofs.end();
  }
  Result<std::string> standing_of(const std::string&) const override { return test_.standing; }

 private:
  const PolicyTest& test_;
};

Result<Question> question_of(const config::RealmConfig& realm, const PolicyTest& test) {
  const auto& profile = realm.profiles.at(test.profile);
  Wish wish;
  wish.profile = &profile;
  PKI_TRY(wish.subject, x509::Name::from_slash(test.subject));
  for (const auto& text : test.sans) {
    PKI_TRY(auto name, x509::GeneralName::parse(text));
    wish.sans.push_back(std::move(name));
  }
  const auto subject = subject_for(wish);
  Question question{.profile = profile,
                    .way = test.renews_with_left.count() != 0 ? "renewal" : test.way,
                    .requester = test.requester,
                    .roles = roles_from_names(realm.people, test.roles),
                    .role_names = test.roles,
                    .subject = subject,
                    .sans = sans_for(wish, subject),
                    .key = test.key,
                    .validity = {},
                    .renews_left = {},
                    .is_holders = std::ranges::find(test.proofs, "holder") != test.proofs.end()};
  if (test.validity.count() != 0) question.validity = test.validity;
  if (test.renews_with_left.count() != 0) question.renews_left = test.renews_with_left;
  return question;
}

Result<Ruling> ruling_on(const config::RealmConfig& realm, const PolicyTest& test) {
  PKI_TRY(const auto question, question_of(realm, test));
  PKI_TRY(auto ruling, ask_rules(realm.policy, question, SaidFacts(test)));
  if (const auto blocked =
          blocked_name(realm.policy, ruling.subject.value_or(question.subject), ruling.sans.value_or(question.sans));
      !blocked.empty())
    return Ruling{.granted = false, .detail = blocked + " is blocked"};
  return ruling;
}

std::string fault_in(const config::RealmConfig& realm, const PolicyTest& test) {
  const auto ruling = ruling_on(realm, test);
  if (!ruling.ok()) return "cannot be asked: " + ruling.error().message();
  const bool is_granted = ruling->granted && ruling->points.missing() == 0;
  const bool is_expected = is_granted == (test.expect == "grant") && (test.rule.empty() || ruling->rule == test.rule);
  if (is_expected) return {};
  return "found " + ruling->detail + ", expected " + test.expect + (test.rule.empty() ? "" : " by rule " + test.rule);
}

}  // namespace

std::vector<FailedTest> failed_policy_tests(const config::RealmConfig& realm) {
  std::vector<FailedTest> failed;
  for (std::size_t number = 0; number < realm.policy.tests.size(); ++number) {
    const auto& test = realm.policy.tests[number];
    auto fault = fault_in(realm, test);
    if (!fault.empty()) failed.push_back({number, "policy test \"" + base::printable(test.name, 80) + "\": " + fault});
  }
  return failed;
}

}  // namespace chancery::realm
