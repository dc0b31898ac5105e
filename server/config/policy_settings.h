#pragma once

#include <span>
#include <string_view>

#include "server/config/load.h"
#include "server/config/setting.h"

/// `policy:` of ca.config.yml: rules and the tests beside them.
namespace chancery::config {

inline constexpr std::string_view kPolicySection = "policy";
inline constexpr std::string_view kPolicyRulesSection = "rules";
inline constexpr std::string_view kPolicyTestsSection = "tests";

/// How requests come, as the records of what was issued begin to say it; rules name them.
inline constexpr std::string_view kPolicyWays = "command seed renewal request acme enrol";

std::span<const Setting<PolicyConfig>> policy_settings();
std::span<const Setting<PolicyRule>> policy_rule_settings();
std::span<const Setting<PolicyTest>> policy_test_settings();

void read_policy_section(const Node& section, PolicyConfig& policy, Report& report);
Node write_policy_section(const PolicyConfig& policy);

/// References to the realm's own things, rules that never decide, templates where they cannot count. `root` is ca.config.yml.
void check_policy_section(const RealmConfig& realm, const Node& root, Report& report);

/// A test that does not hold, at its place. `root` is ca.config.yml.
void report_policy_test(const Node& root, const FailedPolicyTest& failed, Report& report);

}  // namespace chancery::config
