#include "server/realm/access.h"

#include <algorithm>

#include "server/base/glob.h"
#include "server/base/name_pattern.h"
#include "server/base/text.h"
#include "server/realm/hosts.h"

namespace chancery::realm {
namespace {

using Type = x509::GeneralName::Type;
constexpr std::string_view kWildcard = "*.";

bool is_in(const std::vector<std::string>& list, std::string_view word) { return std::ranges::find(list, word) != list.end(); }

bool matches_any(const std::vector<std::string>& globs, std::string_view text) {
  return std::ranges::any_of(globs, [&](const std::string& one) { return base::matches_glob(one, text); });
}

/// @pre the configuration was checked: each text is a pattern. @param touch  a wildcard counts where it stands for one that
/// matches
bool means(const std::string& text, const x509::GeneralName& name, bool touch) {
  if (config::is_glob_of_names(text) != (name.type == Type::Email || name.type == Type::Uri)) return false;
  if (config::is_glob_of_names(text)) return base::matches_glob(text, name.value);
  const auto pattern = base::NamePattern::parse(text).value();
  if (name.type == Type::Ip) return pattern.matches_address(x509::ip_octets(name.value));
  if (pattern.matches_name(name.value)) return true;
  return touch && name.value.starts_with(kWildcard) && pattern.is_below(name.value.substr(kWildcard.size()));
}

/// The certificate's names, the common name among them. @return none: one is no name that a pattern could mean.
std::optional<std::vector<x509::GeneralName>> names_of(const About& about) {
  auto names = about.sans;
  if (about.cn.empty()) return names;
  const auto lower = base::to_lower_ascii(about.cn);
  if (std::ranges::any_of(names, [&](const auto& one) { return base::to_lower_ascii(one.value) == lower; })) return names;
  const auto host = about.cn.find('@') != std::string::npos ? x509::GeneralName::parse("EMAIL:" + about.cn)
                                                            : x509::GeneralName::parse(about.cn);
  if (!host.ok()) return std::nullopt;
  names.push_back(*host);
  return names;
}

bool names_match(const config::AccessRule& rule, const About& about) {
  if (rule.names.empty()) return true;
  const bool denies = rule.decision == "deny";
  if (denies && about.any_name) return true;
  const auto is_meant = [&](const x509::GeneralName& name) {
    return std::ranges::any_of(rule.names, [&](const std::string& text) { return means(text, name, denies); });
  };
  const auto names = names_of(about);
  // What cannot be told is no name that was allowed, and alternative names beside it may be denied ones.
  if (denies) return std::ranges::any_of(names.value_or(about.sans), is_meant);
  return names && !names->empty() && std::ranges::all_of(*names, is_meant);
}

bool subject_matches(const config::AccessRule& rule, const About& about) {
  return rule.subjects.empty() || (rule.decision == "deny" && about.any_name) || matches_any(rule.subjects, about.subject);
}

bool is_for(const config::AccessRule& rule, const Caller& caller, std::string_view command) {
  const bool is_meant = is_in(rule.who, "*") || is_in(rule.who, caller.identity) ||
                        std::ranges::any_of(caller.roles, [&](const std::string& role) { return is_in(rule.who, role); });
  return is_meant && matches_any(rule.commands, command);
}

bool matches(const config::AccessRule& rule, const Caller& caller, std::string_view command, const About* about) {
  if (!is_for(rule, caller, command)) return false;
  if (!rule.has_conditions()) return true;
  if (about == nullptr) return false;
  return (rule.profiles.empty() || is_in(rule.profiles, about->profile)) && subject_matches(rule, *about) &&
         names_match(rule, *about);
}

bool is_asked(const config::PeopleConfig& people, Role least) { return !people.access.empty() && config::is_judged(least); }

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (!is_in(names, name)) names.push_back(name);
}

bool is_given(const std::string& whom, const Shown& shown) {
  if (whom == "listed") return shown.listed;
  const auto colon = whom.find(':');
  if (colon == std::string::npos) return false;
  const auto kind = whom.substr(0, colon);
  const auto value = whom.substr(colon + 1);
  if (kind == "user") return !shown.user.empty() && shown.user == value;
  if (kind == "group") return is_in(shown.groups, value);
  if (kind == "profile") return !shown.profile.empty() && shown.profile == value;
  if (kind == "subject") return !shown.dn.empty() && base::matches_glob(value, shown.dn);
  return kind == "dn" && !shown.dn.empty() && shown.dn == value;
}

}  // namespace

About about_certificate(std::string profile, const x509::Name& subject, std::vector<x509::GeneralName> sans) {
  return {std::move(profile), subject.to_slash(), subject.common_name().value_or(""), std::move(sans)};
}

AccessVerdict judge_access(const config::PeopleConfig& people, const Caller& caller, std::string_view command, Role least,
                           const About* about) {
  if (people.access.empty()) return {true, {}, "the realm has no access rules"};
  const bool is_judged = config::is_judged(least);
  if (!is_judged && !config::is_deniable(command)) return {true, {}, "no rule is asked for " + std::string(command)};
  for (std::size_t i = 0; i < people.access.size(); ++i) {
    const auto& rule = people.access[i];
    if (!matches(rule, caller, command, about)) continue;
    const bool allowed = rule.decision == "allow";
    auto why = "rule " + rule.name + (allowed ? " allows it" : " denies it");
    if (!rule.reason.empty()) why += ": " + rule.reason;
    return {allowed, i, std::move(why)};
  }
  if (!is_judged) return {true, {}, "no rule denies " + std::string(command) + ", and the policy decides"};
  return {false, {}, "no access rule of the realm allows it"};
}

bool could_be_allowed(const config::PeopleConfig& people, const Caller& caller, std::string_view command, Role least) {
  if (!is_asked(people, least)) return true;
  for (const auto& rule : people.access) {
    if (!is_for(rule, caller, command)) continue;
    if (rule.decision == "allow") return true;
    if (!rule.has_conditions()) return false;
  }
  return false;
}

Roles roles_from_names(const config::PeopleConfig& people, const std::vector<std::string>& names) {
  Roles roles;
  for (const auto& name : names) {
    if (const auto own = people.roles.find(name); own != people.roles.end()) {
      for (const auto& contained : own->second.names()) roles.add(base::role_from_text(contained).value());
    } else if (const auto built_in = base::role_from_text(name); built_in.ok()) {
      roles.add(*built_in);
    }
  }
  return roles;
}

std::vector<std::string> known_role_names(const config::PeopleConfig& people, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const auto& name : names) {
    if (people.roles.contains(name) || base::role_from_text(name).ok()) add_once(known, name);
  }
  return known;
}

std::vector<std::string> roles_given(const config::LoginStack& stack, const Shown& shown) {
  std::vector<std::string> names;
  for (const auto& role : stack.roles) add_once(names, role);
  for (const auto& [role, whom] : stack.gives) {
    if (std::ranges::any_of(whom, [&](const std::string& one) { return is_given(one, shown); })) add_once(names, role);
  }
  return names;
}

}  // namespace chancery::realm
