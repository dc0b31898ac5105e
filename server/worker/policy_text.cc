#include "server/worker/policy_text.h"

#include "server/config/policy_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/rules_text.h"
#include "server/config/source.h"
#include "server/worker/start.h"

namespace chancery::worker {

std::optional<config::RealmConfig> realm_with_rules(const config::RealmConfig& in_force, const std::string& text,
                                                    std::vector<config::Finding>& findings) {
  config::Report report("config", findings);
  const auto source = config::accept_source(text, report);
  const auto root = source ? config::parse_yaml(*source, report) : std::nullopt;
  if (!root || !config::is_section(*root, report)) return std::nullopt;
  auto base = in_force;
  base.policy = {};
  base.enrolment = {};
  base.requests = {};
  base.people = {};
  base.command_roles = {};
  auto realm = config::read_realm(*root, std::move(base), report);
  config::resolve_rule_paths(realm);  // else one file has two digests
  if (!report.failed()) config::check_policy_section(realm, *root, report);
  for (const auto& failed : report.failed() ? std::vector<config::FailedPolicyTest>() : failed_policy_tests(realm))
    config::report_policy_test(*root, failed, report);
  return report.failed() ? std::nullopt : std::optional(std::move(realm));
}

}  // namespace chancery::worker
