#include <algorithm>
#include <filesystem>
#include <map>

#include "server/base/text.h"
#include "server/config/enrolment_settings.h"
#include "server/config/policy_settings.h"

namespace chancery::config {
namespace {

const Node& item_of(const Node& section, std::string_view list_name, std::size_t number) {
  const Node* items = section.find(list_name);
  return items != nullptr && number < items->children.size() ? items->children[number] : section;
}

void check_profiles(const RealmConfig& realm, const std::vector<ProfileName>& named, const Node& at, Report& report) {
  std::vector<std::string> known;
  for (const auto& [name, profile] : realm.profiles) known.push_back(name.text());
  for (const auto& name : named) {
    if (realm.profiles.contains(name)) continue;
    report.error(at, "found the profile \"" + name.text() + "\", expected one of the realm's: " + base::join(known, ", ") +
                         suggestion(name.text(), known));
  }
}

/// Names that an ACME client proved, and those of a certificate that is renewed, are what the next certificate has.
void check_templates(const PolicyRule& rule, const Node& at, Report& report) {
  if (!rule.rewrites()) return;
  const auto& place = place_of(at, rule.subject.empty() ? "sans" : "subject");
  if (rule.decision == "deny") report.error(place, "found a template in a rule that denies, expected one in a rule that grants");
  if (rule.is_for("acme") || rule.is_for("renewal"))
    report.error(
        place,
        "found a template in a rule that holds for acme or renewal, whose names stand already; expected ways: [command], "
        "[seed] or both");
}

/// Everything that could be a condition, without name and decision.
bool has_same_conditions(PolicyRule one, const PolicyRule& other) {
  one.name = other.name;
  one.decision = other.decision;
  one.subject = other.subject;
  one.sans = other.sans;
  one.revoke_replaced = other.revoke_replaced;
  return one == other;
}

bool has_no_conditions(const PolicyRule& rule) {
  static const PolicyRule kNone;
  return has_same_conditions(kNone, rule);
}

/// Rules behind one that always holds never decide, nor does one whose conditions an earlier one has.
void check_shadows(const std::vector<PolicyRule>& rules, const Node& section, Report& report) {
  const auto all = std::ranges::find_if(rules, has_no_conditions);
  for (auto one = rules.begin(); one != rules.end(); ++one) {
    const auto number = static_cast<std::size_t>(one - rules.begin());
    const bool enrols = !one->ways.empty() && one->is_for(kEnrolWay);  // which the rule for every request does not mean
    if (one > all && !enrols) {
      report.error(item_of(section, kPolicyRulesSection, number),
                   "found rule " + one->name + " behind " + all->name + ", which holds for every request: it never decides");
    }
  }
  std::map<std::string, std::size_t> by_name;
  for (std::size_t number = 0; number < rules.size(); ++number) {
    const auto [first, is_new] = by_name.emplace(rules[number].name, number);
    if (!is_new) {
      report.error(place_of(item_of(section, kPolicyRulesSection, number), "name"),
                   "found the rule \"" + rules[number].name + "\" a second time, expected each name once");
    }
  }
  constexpr std::size_t kMostCompared = 500;  // each with each
  for (std::size_t number = 1; number < std::min(rules.size(), kMostCompared); ++number) {
    for (std::size_t before = 0; before < number; ++before) {
      if (has_no_conditions(rules[before]) || !has_same_conditions(rules[before], rules[number])) continue;
      report.error(item_of(section, kPolicyRulesSection, number),
                   "found rule " + rules[number].name + " with the conditions of " + rules[before].name + ": it never decides");
      break;
    }
  }
}

void check_look_ups(const RealmConfig& realm, const PolicyRule& rule, const Node& at, Report& report) {
  for (const auto& where : rule.look_ups) {
    if (!where.starts_with(kFileLookUp)) continue;
    const auto file = realm.list_directory() / where.substr(kFileLookUp.size());
    std::error_code failure;
    if (std::filesystem::is_regular_file(file, failure)) continue;
    report.error(at, "found no file " + file.string() + ", expected a list of names, one on each line, for " + where +
                         ": put it there, or take the look-up away");
  }
}

void check_rules(const RealmConfig& realm, const Node& section, Report& report) {
  for (std::size_t number = 0; number < realm.policy.rules.size(); ++number) {
    const auto& rule = realm.policy.rules[number];
    const auto& at = item_of(section, kPolicyRulesSection, number);
    check_profiles(realm, rule.profiles, place_of(at, "profiles"), report);
    check_templates(rule, at, report);
    check_look_ups(realm, rule, place_of(at, "look_ups"), report);
    check_rule_evidence(realm, rule, at, report);
  }
  check_shadows(realm.policy.rules, section, report);
}

void check_tests(const RealmConfig& realm, const Node& section, Report& report) {
  std::vector<std::string> rules;
  for (const auto& rule : realm.policy.rules) rules.push_back(rule.name);
  for (std::size_t number = 0; number < realm.policy.tests.size(); ++number) {
    const auto& test = realm.policy.tests[number];
    const auto& at = item_of(section, kPolicyTestsSection, number);
    check_profiles(realm, {test.profile}, place_of(at, "profile"), report);
    check_role_names(realm, test.roles, place_of(at, "roles"), report);
    if (test.rule.empty() || std::ranges::find(rules, test.rule) != rules.end()) continue;
    report.error(place_of(at, "rule"), "found the rule \"" + base::printable(test.rule, 63) + "\", expected one of rules" +
                                           suggestion(test.rule, rules));
  }
}

}  // namespace

void check_policy_section(const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kPolicySection);
  if (section == nullptr || report.failed()) return;
  check_rules(realm, *section, report);
  check_tests(realm, *section, report);
}

void report_policy_test(const Node& root, const FailedPolicyTest& failed, Report& report) {
  const Node* section = root.find(kPolicySection);
  report.error(section == nullptr ? root : item_of(*section, kPolicyTestsSection, failed.number), failed.message);
}

}  // namespace chancery::config
