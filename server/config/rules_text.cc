#include "server/config/rules_text.h"

#include "server/config/enrolment_settings.h"
#include "server/config/policy_settings.h"
#include "server/config/source.h"

namespace chancery::config {

std::string rules_text(const RealmConfig& realm) {
  Node root = map();
  root.children.push_back(named("rule_approvals", Codec<int>::print({}, realm.requests.rule_approvals)));
  root.children.push_back(named("rule_roles", write_value({.several = true}, realm.requests.rule_roles)));
  root.children.push_back(write_policy_section(realm.policy));
  root.children.push_back(write_enrolment(realm.enrolment));  // what the rules go by
  return to_yaml(root);
}

}  // namespace chancery::config
