#include <algorithm>
#include <set>

#include "server/base/glob.h"
#include "server/base/text.h"
#include "server/config/checks.h"
#include "server/config/people_settings.h"
#include "server/config/text_checks.h"

/// Between roles, login stacks, access rules and profiles of a realm.
namespace chancery::config {
namespace {

constexpr std::string_view kEverybody = "*";

std::string one_of(const std::vector<std::string>& known, std::string_view word) {
  return ", expected one of " + base::join(known, ", ") + suggestion(word, known);
}

/// Roles that people may have: nobody logs in as a front end, and nobody needs to for being anybody.
constexpr std::array kRolesOfPeople{Role::User, Role::RaOperator, Role::CaOperator, Role::Auditor, Role::Admin};

void check_role(const PeopleConfig& people, const std::string& role, const Node& at, Report& report) {
  check_role_among(kRolesOfPeople, people, role, at, report);
}

void check_own_roles(const PeopleConfig& people, const Node& root, Report& report) {
  const Node& section = place_of(root, kRolesSection);
  for (const auto& [name, contained] : people.roles) {
    const Node& at = place_of(section, name);
    if (base::role_from_text(name).ok()) report.error_at_name(at, "found the built-in role " + name + ", expected another name");
    if (contained.has(Role::Frontend))
      report.error(at, "found frontend, expected roles of people: chancery.xml says who is a front end");
  }
}

// ----- login stacks

/// Which kinds of `gives` a method can tell anything about.
struct Method {
  std::string_view name;
  std::string_view kinds;
  bool needs_roles;  ///< what it lets in is known to nobody else
};
constexpr std::array kMethods{Method{"password", "user:", false},
                              Method{"token", "user:", false},
                              Method{"certificate", "profile: subject: dn: listed", true},
                              Method{"unix", "user: group:", true},
                              Method{"program", "user: group:", false},
                              Method{"ldap", "user: group:", false}};

void check_gives(const RealmConfig& realm, const LoginStack& stack, const Node& at, Report& report) {
  const auto* const method = std::ranges::find(kMethods, stack.method, &Method::name);
  const auto kinds = method == kMethods.end() ? std::vector<std::string>() : words_of(method->kinds);
  const Node& section = place_of(at, kGivesSection);
  for (const auto& [role, whom] : stack.gives) {
    const Node& list = place_of(section, role);
    check_role(realm.people, role, list, report);
    for (std::size_t i = 0; i < whom.size(); ++i) {
      const auto kind = whom[i].substr(0, whom[i].find(':') + (whom[i].find(':') == std::string::npos ? 0 : 1));
      const Node& place = place_of_item(list, i, whom.size());
      if (std::ranges::find(kinds, kind) == kinds.end()) {
        report.error(place,
                     "found " + whom[i] + ", which nobody is by method " + stack.method + ", expected " + base::join(kinds, " "));
        continue;
      }
      if (kind != "profile:") continue;
      std::vector<std::string> known;
      for (const auto& [name, profile] : realm.profiles) known.push_back(name.text());
      const auto profile = whom[i].substr(kind.size());
      if (std::ranges::find(known, profile) == known.end())
        report.error(place, "unknown profile \"" + profile + "\"" + one_of(known, profile));
    }
  }
}

void check_ldap(const RealmConfig& realm, const LoginStack& stack, const Node& at, Report& report) {
  if (stack.url.empty()) return report.error(at, "found no url, expected the LDAP server's, like ldaps://ldap.example.com");
  if (stack.base.empty())
    report.error(at, "found no base, expected the entry below which people are, like ou=people,dc=example,dc=com");
  if (stack.url.starts_with("ldap://") && !stack.start_tls && !is_of_this_machine(stack.url)) {
    report.error(place_of(at, "url"), "found " + stack.url +
                                          " without start_tls, expected ldaps:// or start_tls: passwords do not "
                                          "leave this machine in clear (RFC 4513 5.1.3)");
  }
  if (stack.url.starts_with("ldaps://") && stack.start_tls)
    report.error(place_of(at, "start_tls"), "found start_tls with ldaps://, expected one of them");
  if (stack.filter.find("{user}") == std::string::npos)
    report.error(place_of(at, "filter"), "found no {user} in the filter, expected one: whoever binds would be anybody");
  if (stack.bind_dn.empty() != stack.bind_password_file.empty())
    report.error(at, "found one of bind_dn and bind_password_file, expected both or none");
  if (!stack.bind_password_file.empty())
    check_secret_file(stack.bind_password_file, {realm.directory}, place_of(at, "bind_password_file"), report);
  check_is_file(stack.tls_ca_file, kTlsCaFile, place_of(at, "tls_ca_file"), report);
}

/// Whoever may change it gets everybody's password, so it is root's or the realm's owner's.
void check_program(const RealmConfig& realm, const LoginStack& stack, const Node& at, Report& report) {
  const Node& place = place_of(at, "program");
  if (report.has_reported(place)) return;
  if (stack.program.empty()) return report.error(at, "found no program, expected its absolute path");
  check_program_file(stack.program, {realm.directory}, place, report);
}

void check_stack(const RealmConfig& realm, const LoginStack& stack, const Node& at, Report& report) {
  const Node& roles = place_of(at, "roles");
  for (std::size_t i = 0; i < stack.roles.size(); ++i) {
    check_role(realm.people, stack.roles[i], place_of_item(roles, i, stack.roles.size()), report);
  }
  check_gives(realm, stack, at, report);
  const auto* const method = std::ranges::find(kMethods, stack.method, &Method::name);
  if (method != kMethods.end() && method->needs_roles && stack.roles.empty() && stack.gives.empty()) {
    report.error(at, "found neither roles nor gives, expected one: nobody gets a role by it");
  }
  if (stack.method == "ldap") check_ldap(realm, stack, at, report);
  if (stack.method == "program") check_program(realm, stack, at, report);
}

// ----- access rules

bool covers(const std::vector<std::string>& wide, const std::vector<std::string>& narrow) {
  return std::ranges::all_of(narrow, [&](const std::string& one) {
    return std::ranges::any_of(wide, [&](const std::string& other) { return base::matches_glob(other, one); });
  });
}

void check_rule(const RealmConfig& realm, const AccessRule& rule, const Node& at, Report& report) {
  const Node& who = place_of(at, "who");
  for (std::size_t i = 0; i < rule.who.size(); ++i) {
    if (rule.who[i] == kEverybody || rule.who[i].find(':') != std::string::npos || rule.who[i] == "frontend") continue;
    check_role(realm.people, rule.who[i], place_of_item(who, i, rule.who.size()), report);
  }
  std::vector<std::string> known;
  for (const auto& [name, profile] : realm.profiles) known.push_back(name.text());
  const Node& profiles = place_of(at, "profiles");
  for (std::size_t i = 0; i < rule.profiles.size(); ++i) {
    if (std::ranges::find(known, rule.profiles[i]) != known.end()) continue;
    report.error(place_of_item(profiles, i, rule.profiles.size()),
                 "unknown profile \"" + rule.profiles[i] + "\"" + one_of(known, rule.profiles[i]));
  }
}

void check_order(const std::vector<AccessRule>& rules, const Node& section, Report& report) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Node& at = place_of_item(section, i, rules.size());
    if (!names.insert(rules[i].name).second)
      report.error(place_of(at, "name"), "found the name a second time, expected each once");
    for (std::size_t j = 0; j < i; ++j) {
      if (rules[j].has_conditions() || !covers(rules[j].commands, rules[i].commands)) continue;
      const bool all = std::ranges::find(rules[j].who, kEverybody) != rules[j].who.end();
      const auto is_there = [&](const std::string& one) { return std::ranges::find(rules[j].who, one) != rules[j].who.end(); };
      if (!all && !std::ranges::all_of(rules[i].who, is_there)) continue;
      report.error(at,
                   "found a rule that never decides, expected it before " + rules[j].name + ", which matches whatever it would");
      break;
    }
  }
}

/// One who may not mend anything by the socket needs the file of the realm, and a reload.
void check_way_back(const std::vector<AccessRule>& rules, const Node& section, Report& report) {
  const bool somebody = std::ranges::any_of(rules, [](const AccessRule& rule) {
    return rule.decision == "allow" && !rule.has_conditions() &&
           std::ranges::any_of(rule.commands, [](const auto& one) { return base::matches_glob(one, "identity.create"); });
  });
  if (rules.empty() || somebody) return;
  report.warning(section,
                 "found no rule that allows anybody identity.create, expected one like {name: admins, who: [admin], "
                 "commands: [\"*\"]}: what no rule allows is refused");
}

}  // namespace

void check_role_among(std::span<const Role> built_in, const PeopleConfig& people, const std::string& role, const Node& at,
                      Report& report) {
  std::vector<std::string> known;
  for (const auto one : built_in) known.emplace_back(base::to_text(one));
  for (const auto& [name, contained] : people.roles) known.push_back(name);
  if (std::ranges::find(known, role) != known.end() || report.has_reported(at)) return;
  report.error(at, "unknown role \"" + base::printable(role, 64) + "\"" + one_of(known, role));
}

void check_people(const RealmConfig& realm, const Node& root, Report& report) {
  const auto& people = realm.people;
  check_own_roles(people, root, report);
  const Node& logins = place_of(root, kLoginsSection);
  for (const auto& [name, stack] : people.logins) {
    if (const Node* at = logins.find(name)) check_stack(realm, stack, *at, report);
  }
  const Node& access = place_of(root, kAccessSection);
  for (std::size_t i = 0; i < people.access.size(); ++i) {
    check_rule(realm, people.access[i], place_of_item(access, i, people.access.size()), report);
  }
  check_order(people.access, access, report);
  check_way_back(people.access, access, report);
}

namespace {

bool is_asked(const AccessRule& rule, const KnownCommand& command) {
  return is_judged(command.least_role) || (rule.decision == "deny" && is_deniable(command.name));
}

}  // namespace

void check_access_commands(const RealmConfig& realm, std::span<const KnownCommand> commands, const Node& root, Report& report) {
  const auto& rules = realm.people.access;
  const Node& section = place_of(root, kAccessSection);
  std::vector<std::string_view> names;
  for (const auto& command : commands) names.push_back(command.name);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Node& list = place_of(place_of_item(section, i, rules.size()), "commands");
    for (std::size_t k = 0; k < rules[i].commands.size(); ++k) {
      const auto& glob = rules[i].commands[k];
      const Node& at = place_of_item(list, k, rules[i].commands.size());
      const auto matches = [&](const KnownCommand& one) { return base::matches_glob(glob, one.name); };
      if (std::ranges::none_of(commands, matches)) {
        const auto near = base::did_you_mean(glob, names);
        report.error(at,
                     "unknown command \"" + glob + "\"" +
                         (near.empty() ? ", expected one of doc/commands.md" : " (did you mean \"" + std::string(near) + "\"?)"));
      } else if (std::ranges::none_of(commands,
                                      [&](const KnownCommand& one) { return matches(one) && is_asked(rules[i], one); })) {
        report.warning(at, "found " + glob + ", which no rule is asked for: it is everybody's, or for front ends alone");
      }
    }
  }
}

}  // namespace chancery::config
