#include "server/config/diff.h"

#include <algorithm>
#include <map>

#include "server/base/text.h"
#include "server/config/acme_policy.h"
#include "server/config/approval_settings.h"
#include "server/config/ca_section.h"
#include "server/config/enrolment_settings.h"
#include "server/config/key_settings.h"
#include "server/config/notice_settings.h"
#include "server/config/people_settings.h"
#include "server/config/policy_settings.h"
#include "server/config/profile_settings.h"
#include "server/config/publishing_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/rollover_settings.h"
#include "server/config/rules_text.h"
#include "server/config/server_settings.h"
#include "server/config/source.h"
#include "server/config/upkeep_settings.h"

namespace chancery::config {
namespace {

using Lines = std::vector<std::string>;

std::string shown(const std::string& text) { return text.empty() ? "nothing" : text; }

std::string_view when_text(When when) {
  switch (when) {
    case When::Reload: return "";
    case When::Start: return " (at the next start)";
    case When::Creation: return " (counts only when a CA is made)";
  }
  return "";
}

void add_change(Lines& lines, const std::string& place, const std::string& before, const std::string& after, When when) {
  if (before == after) return;
  lines.push_back(place + ": " + shown(before) + " becomes " + shown(after) + std::string(when_text(when)));
}

/// A value as people read it: a bare number of days gets its unit.
std::string value_text(const SettingInfo& info, const Node& value) {
  auto text = one_line(value);
  const bool is_bare = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return is_bare ? text + std::string(info.unit) : text;
}

/// The settings of one owner, by the rows of its table.
template <class Owner>
void compare_settings(std::span<const Setting<Owner>> rows, const std::string& place, const Owner& before, const Owner& after,
                      Lines& lines) {
  for (const auto& row : rows) {
    if (row.write == nullptr) continue;
    add_change(lines, place + std::string(row.info.name), value_text(row.info, row.write(row.info, before)),
               value_text(row.info, row.write(row.info, after)), row.info.when);
  }
}

/// The attributes of one element that both sides have, by what its table says of them.
void compare_attributes(const std::vector<SettingLine>& rows, const std::string& place, const Node& before, const Node& after,
                        Lines& lines) {
  for (const auto& row : rows) {
    const Node* old_value = before.find(row.info.name);
    const Node* new_value = after.find(row.info.name);
    if (old_value == nullptr || new_value == nullptr) continue;
    add_change(lines, place + std::string(row.info.name), value_text(row.info, *old_value), value_text(row.info, *new_value),
               row.info.when);
  }
}

/// What an item is known by: its name, or all that it says.
std::string key_of(const Node& item) {
  const Node* name = item.find("name");
  return name != nullptr ? one_line(*name) : one_line(item);
}

std::map<std::string, const Node*> items_by_key(const Node& element, std::string_view item) {
  std::map<std::string, const Node*> items;
  for (const auto& child : element.children) {
    if (child.name == item) items.emplace(key_of(child), &child);
  }
  return items;
}

void compare_items(const Element& element, const Node& before, const Node& after, Lines& lines) {
  if (element.item.empty()) return;
  const auto old_items = items_by_key(before, element.item);
  const auto new_items = items_by_key(after, element.item);
  const auto place = [&](const std::string& key) { return std::string(element.item) + " " + key + ": "; };
  for (const auto& [key, item] : old_items) {
    if (!new_items.contains(key)) lines.push_back(place(key) + "goes");
  }
  for (const auto& [key, item] : new_items) {
    const auto old_item = old_items.find(key);
    if (old_item == old_items.end()) {
      lines.push_back(place(key) + "is new" + (item->find("name") != nullptr ? ", " + one_line(*item) : ""));
    } else {
      compare_attributes(element.item_attributes(), place(key), *old_item->second, *item, lines);
    }
  }
}

void compare_servers(const ServerConfig& before, const ServerConfig& after, Lines& lines) {
  compare_settings(root_settings(), "", before, after, lines);
  for (const auto& element : server_elements()) {
    const Node old_node = element.write(element, before);
    const Node new_node = element.write(element, after);
    compare_attributes(element.attributes(), std::string(element.name) + "/", old_node, new_node, lines);
    compare_items(element, old_node, new_node, lines);
  }
}

void compare_command_roles(const std::string& place, const RealmConfig& before, const RealmConfig& after, Lines& lines) {
  const auto role = [](const RealmConfig& realm, const std::string& command) -> std::string {
    const auto found = realm.command_roles.find(command);
    return found == realm.command_roles.end() ? "its least role" : std::string(base::to_text(found->second));
  };
  auto all = before.command_roles;
  all.insert(after.command_roles.begin(), after.command_roles.end());
  for (const auto& [command, unused] : all) {
    add_change(lines, place + std::string(kCommandRolesSection) + "." + command, role(before, command), role(after, command),
               When::Reload);
  }
}

void compare_profiles(const std::string& place, const RealmConfig& before, const RealmConfig& after, Lines& lines) {
  for (const auto& [name, profile] : before.profiles) {
    if (!after.profiles.contains(name)) lines.push_back(place + "profile " + name.text() + " goes: requests for it are refused");
  }
  for (const auto& [name, profile] : after.profiles) {
    const auto old_profile = before.profiles.find(name);
    if (old_profile == before.profiles.end()) {
      lines.push_back(place + "profile " + name.text() + " is new");
    } else {
      compare_settings(profile_settings(), place + "profile " + name.text() + ": ", old_profile->second, profile, lines);
    }
  }
}

void compare_policies(const std::string& place, const AcmeConfig& before, const AcmeConfig& after, Lines& lines) {
  for (const auto& [name, policy] : before.policies) {
    if (!after.policies.contains(name))
      lines.push_back(place + "ACME policy " + name + " goes: orders of its accounts are refused");
  }
  for (const auto& [name, policy] : after.policies) {
    const auto old_policy = before.policies.find(name);
    if (old_policy == before.policies.end()) {
      lines.push_back(place + "ACME policy " + name + " is new");
    } else {
      compare_settings(acme_policy_settings(), place + "ACME policy " + name + ": ", old_policy->second, policy, lines);
    }
  }
}

/// Items of two maps, told by what they are called.
template <class Map, class Both>
void compare_named(const std::string& place, const Map& before, const Map& after, Lines& lines, Both both) {
  for (const auto& [name, item] : before) {
    if (!after.contains(name)) lines.push_back(place + name + " goes");
  }
  for (const auto& [name, item] : after) {
    const auto old_item = before.find(name);
    if (old_item == before.end()) {
      lines.push_back(place + name + " is new");
    } else {
      both(place + name + ": ", old_item->second, item);
    }
  }
}

void compare_cas(const std::string& place, const RealmConfig& before, const RealmConfig& after, Lines& lines) {
  for (const auto& [name, ca] : before.cas) {
    if (!after.cas.contains(name)) lines.push_back(place + "CA " + name + " goes: it issues nothing any more");
  }
  for (const auto& [name, ca] : after.cas) {
    const auto old_ca = before.cas.find(name);
    if (old_ca == before.cas.end()) {
      lines.push_back(place + "CA " + name + " is new");
    } else {
      compare_settings(ca_settings(), place + "CA " + name + ": ", old_ca->second, ca, lines);
      compare_settings(further_token_settings(), place + "CA " + name + ": " + std::string(kTokenSection) + ".",
                       old_ca->second.pkcs11, ca.pkcs11, lines);
    }
  }
}

template <class Rule>
std::map<std::string, Rule> by_name(const std::vector<Rule>& rules) {
  std::map<std::string, Rule> named_rules;
  for (const auto& rule : rules) named_rules.emplace(rule.name, rule);
  return named_rules;
}

template <class Rule>
std::string order_of(const std::vector<Rule>& rules) {
  std::string names;
  for (const auto& rule : rules) names += (names.empty() ? "" : ", ") + rule.name;
  return names;
}

/// Rules that are asked in their order.
template <class Rule>
void compare_rules(const std::string& place, const std::string& what, const std::vector<Rule>& before,
                   const std::vector<Rule>& after, std::span<const Setting<Rule>> settings, Lines& lines) {
  compare_named(place + what + " rule ", by_name(before), by_name(after), lines,
                [&](const auto& at, const auto& one, const auto& other) { compare_settings(settings, at, one, other, lines); });
  add_change(lines, place + "order of " + what + " rules", order_of(before), order_of(after), When::Reload);
}

std::string gives_of(const LoginStack& stack) {
  Node node = map();
  for (const auto& [role, whom] : stack.gives) node.children.push_back(named(role, write_value({}, whom)));
  return node.children.empty() ? "" : one_line(node);
}

void compare_people(const std::string& place, const PeopleConfig& before, const PeopleConfig& after, Lines& lines) {
  compare_named(place + "role ", before.roles, after.roles, lines, [&](const auto& at, const Roles& one, const Roles& other) {
    add_change(lines, at + "contains", base::join(one.names(), ", "), base::join(other.names(), ", "), When::Reload);
  });
  compare_named(place + "login ", before.logins, after.logins, lines, [&](const auto& at, const auto& one, const auto& other) {
    compare_settings(login_settings(), at, one, other, lines);
    add_change(lines, at + "gives", gives_of(one), gives_of(other), When::Reload);
  });
  compare_settings(login_limit_settings(), place + std::string(kLoginLimitsSection) + ".", before.limits, after.limits, lines);
  compare_rules(place, "access", before.access, after.access, access_settings(), lines);
}

void compare_policy(const std::string& place, const PolicyConfig& before, const PolicyConfig& after, Lines& lines) {
  compare_settings(policy_settings(), place + std::string(kPolicySection) + ".", before, after, lines);
  compare_rules(place, "policy", before.rules, after.rules, policy_rule_settings(), lines);
  compare_named(place + "policy test ", by_name(before.tests), by_name(after.tests), lines,
                [&](const auto& at, const auto& one, const auto& other) {
                  compare_settings(policy_test_settings(), at, one, other, lines);
                });
}

void compare_enrolment(const std::string& place, const EnrolmentConfig& before, const EnrolmentConfig& after, Lines& lines) {
  compare_settings(enrolment_settings(), place + std::string(kEnrolmentSection) + ".", before, after, lines);
  const auto by = [&lines](auto rows) {
    return [&lines, rows](const auto& at, const auto& one, const auto& other) { compare_settings(rows, at, one, other, lines); };
  };
  compare_named(place + "enrolment secret ", before.secrets, after.secrets, lines, by(enrolment_secret_settings()));
  compare_named(place + "enrolment signers ", before.signers, after.signers, lines, by(enrolment_signer_settings()));
  compare_named(place + "look-up ", before.look_ups, after.look_ups, lines, by(look_up_settings()));
}

void compare_realms(const RealmConfig& before, const RealmConfig& after, Lines& lines) {
  const std::string place = "realm " + after.name.text() + ": ";
  compare_settings(realm_settings(), place, before, after, lines);
  compare_settings(key_settings(), place, before.keys, after.keys, lines);
  compare_settings(secret_settings(), place + std::string(kSecretSection) + ".", before.keys.secret, after.keys.secret, lines);
  compare_settings(token_settings(), place + std::string(kTokenSection) + ".", before.keys.token, after.keys.token, lines);
  compare_settings(acme_settings(), place + std::string(kAcmeSection) + ".", before.acme, after.acme, lines);
  compare_policies(place, before.acme, after.acme, lines);
  compare_policy(place, before.policy, after.policy, lines);
  compare_enrolment(place, before.enrolment, after.enrolment, lines);
  compare_settings(request_settings(), place + std::string(kRequestsSection) + ".", before.requests, after.requests, lines);
  compare_cas(place, before, after, lines);
  compare_settings(publishing_settings(), place + std::string(kPublishingSection) + ".", before.publishing, after.publishing,
                   lines);
  compare_settings(rollover_settings(), place + std::string(kRolloverSection) + ".", before.rollover, after.rollover, lines);
  compare_settings(further_token_settings(), place + std::string(kRolloverSection) + "." + std::string(kTokenSection) + ".",
                   before.rollover.pkcs11, after.rollover.pkcs11, lines);
  compare_settings(ldap_publishing_settings(), place + "publishing.ldap.", before.publishing.ldap, after.publishing.ldap, lines);
  compare_settings(retention_settings(), place + std::string(kRetentionSection) + ".", before.retention, after.retention, lines);
  compare_settings(self_audit_settings(), place + std::string(kSelfAuditSection) + ".", before.self_audit, after.self_audit,
                   lines);
  compare_settings(notice_settings(), place + std::string(kNoticesSection) + ".", before.notices, after.notices, lines);
  compare_command_roles(place, before, after, lines);
  compare_people(place, before.people, after.people, lines);
  compare_profiles(place, before, after, lines);
}

}  // namespace

std::vector<std::string> rule_differences(const RealmConfig& before, const RealmConfig& after) {
  Lines lines;
  compare_policy("", before.policy, after.policy, lines);
  compare_enrolment("", before.enrolment, after.enrolment, lines);
  const auto place = std::string(kRequestsSection) + ".";
  auto as_before = after.requests;  // of that section nothing but who approves
  as_before.rule_approvals = before.requests.rule_approvals;
  as_before.rule_roles = before.requests.rule_roles;
  const bool is_approved = before.requests.rule_approvals > 0 || after.requests.rule_approvals > 0;
  if (is_approved) take_rollover_rules(before.requests, as_before);
  compare_settings(request_settings(), place, as_before, after.requests, lines);
  if (!is_approved) return lines;
  compare_command_roles("", before, after, lines);
  compare_people("", before.people, after.people, lines);
  return lines;
}

std::vector<std::string> differences(const Snapshot& before, const Snapshot& after) {
  Lines lines;
  compare_servers(before.server, after.server, lines);
  for (const auto& realm : before.realms) {
    if (after.find(realm->name.text()) == nullptr) {
      lines.push_back("realm " + realm->name.text() + " goes: its signer ends, nobody renews its CRL");
    }
  }
  for (const auto& realm : after.realms) {
    const auto* old_realm = before.find(realm->name.text());
    if (old_realm == nullptr) {
      lines.push_back("realm " + realm->name.text() + " is new");
    } else {
      compare_realms(*old_realm, *realm, lines);
    }
  }
  return lines;
}

}  // namespace chancery::config
