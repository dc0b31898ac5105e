#include "server/config/rules_text.h"

#include "server/config/approval_settings.h"
#include "server/config/enrolment_settings.h"
#include "server/config/people_settings.h"
#include "server/config/policy_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/source.h"

namespace chancery::config {
namespace {

/// Who is who, who may what, and who approves what else: by these the approval could be got round.
void add_people(const RealmConfig& realm, Node& root) {
  for (auto& section : write_people(realm.people)) root.children.push_back(std::move(section));
  root.children.push_back(write_command_roles(realm));
  Node rollovers = write_requests(realm.requests);
  std::erase_if(rollovers.children, [](const Node& one) { return !one.name.starts_with("rollover_"); });
  root.children.push_back(std::move(rollovers));
}

}  // namespace

void take_rollover_rules(const RequestsConfig& from, RequestsConfig& to) {
  to.rollover_approvals = from.rollover_approvals;
  to.rollover_roles = from.rollover_roles;
  to.rollover_signers = from.rollover_signers;
}

std::string rules_text(const RealmConfig& realm) {
  Node root = map();
  root.children.push_back(named("rule_approvals", Codec<int>::print({}, realm.requests.rule_approvals)));
  root.children.push_back(named("rule_roles", write_value({.several = true}, realm.requests.rule_roles)));
  root.children.push_back(write_policy_section(realm.policy));
  root.children.push_back(write_enrolment(realm.enrolment));  // what the rules go by
  if (realm.requests.rule_approvals > 0) add_people(realm, root);
  return to_yaml(root);
}

}  // namespace chancery::config
