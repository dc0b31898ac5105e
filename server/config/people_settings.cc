#include "server/config/people_settings.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/config/text_checks.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kLeastCost = 14;
constexpr std::int64_t kMostCost = 20;
constexpr std::int64_t kMostFailures = 1000;

Status check_who(std::string_view text) {
  const auto colon = text.find(':');
  if (text == "*" || (colon != 0 && colon != std::string_view::npos && colon + 1 < text.size())) return {};
  return check_name(text);
}

Status check_given(std::string_view text) {
  constexpr std::array kKinds{"user:", "group:", "profile:", "subject:", "dn:"};
  const auto fits = [&](std::string_view kind) { return text.starts_with(kind) && text.size() > kind.size(); };
  if (text == "listed" || std::ranges::any_of(kKinds, fits)) return {};
  return Error(Code::Malformed, "found \"" + base::printable(text, 80) +
                                    "\", expected user:NAME, group:NAME, profile:NAME, subject:PATTERN, dn:DN or listed");
}

Status check_command_pattern(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '*'; };
  if (std::ranges::all_of(text, fits) && (text == "*" || text.find('.') != std::string_view::npos)) return {};
  return Error(Code::Malformed, "found \"" + base::printable(text, 80) +
                                    "\", expected a command like certificate.issue or a glob like certificate.*");
}

Status check_subject_pattern(std::string_view text) {
  if (text.starts_with('/')) return {};
  return Error(Code::Malformed,
               "found \"" + base::printable(text, 80) + "\", expected a DN in slash form with * for any part, like /O=Example/*");
}

Status check_rule_name(std::string_view text) { return is_glob_of_names(text) ? Status() : check_name_pattern(text); }

Status check_filter(std::string_view text) {
  if (text.starts_with('(') && text.ends_with(')')) return {};
  return Error(Code::Malformed, "found \"" + base::printable(text, 80) + "\", expected a filter in parentheses (RFC 4515)");
}

constexpr std::array kLogin{
    row<&LoginStack::method>({.name = "method",
                              .words = "password token certificate unix program ldap",
                              .required = true,
                              .doc = "How people show who they are (doc/people.md)."}),
    row<&LoginStack::roles>({.name = "roles",
                             .check = check_name,
                             .doc = "Roles of everybody who logs in by this, built-in ones or the realm's own. People whom "
                                    "identity.create made have theirs besides.",
                             .type = "role"}),
    row<&LoginStack::scrypt_cost>({.name = "scrypt_cost",
                                   .least = kLeastCost,
                                   .most = kMostCost,
                                   .doc =
                                       "password: new passwords are hashed by scrypt (RFC 7914) with N of 2 to this power, r 8, "
                                       "p 1: 15 takes 32 MB and about 0.1 s. Each hash says with what it was made."}),
    row<&LoginStack::program>({.name = "program",
                               .check = check_absolute_path,
                               .doc = "program: what is run, without a shell. It reads user and password, a line each, and says "
                                      "yes by exit status 0.",
                               .type = "path"}),
    row<&LoginStack::arguments>({.name = "arguments", .doc = "program: its arguments."}),
    row<&LoginStack::timeout>({.name = "timeout",
                               .unit = "s",
                               .least = 1,
                               .most = kMinute,
                               .doc = "program, ldap: nobody is let in who was not vouched for within this."}),
    row<&LoginStack::url>({.name = "url",
                           .check = check_ldap_url,
                           .doc = "ldap: the server. Off this machine by ldaps://, or start_tls.",
                           .type = "URL"}),
    row<&LoginStack::start_tls>({.name = "start_tls", .doc = "ldap: turn an ldap:// connection into TLS first (RFC 4511 4.14)."}),
    row<&LoginStack::tls_ca_file>({.name = "tls_ca_file",
                                   .doc = "ldap: PEM file of the CAs that may have certified the server, relative to the realm. "
                                          "Empty: those of the system."}),
    row<&LoginStack::bind_dn>({.name = "bind_dn", .doc = "ldap: who looks people up. Empty: nobody, anonymously."}),
    row<&LoginStack::bind_password_file>(
        {.name = "bind_password_file",
         .doc = "ldap: file with that one's password, one line, mode 0600, relative to the realm."}),
    row<&LoginStack::base>({.name = "base", .doc = "ldap: the entry below which people are looked for."}),
    row<&LoginStack::filter>({.name = "filter",
                              .check = check_filter,
                              .filled = true,
                              .doc = "ldap: what finds one person; {user} is the name that was given, escaped (RFC 4515 3). "
                                     "Exactly one entry has to match.",
                              .type = "filter"}),
    row<&LoginStack::group_base>(
        {.name = "group_base", .doc = "ldap: the entry below which groups are looked for. Empty: none are."}),
    row<&LoginStack::group_filter>({.name = "group_filter",
                                    .check = check_filter,
                                    .filled = true,
                                    .doc = "ldap: what finds the groups of a person; {dn} and {user} are put in, escaped.",
                                    .type = "filter"}),
    row<&LoginStack::group_attribute>(
        {.name = "group_attribute", .filled = true, .doc = "ldap: the attribute that is a group's name in `gives`."}),
};

constexpr std::array kLimits{
    row<&LoginLimits::failures>({.name = "failures",
                                 .least = 1,
                                 .most = kMostFailures,
                                 .doc = "So many wrong passwords of one person in a row lock that name, known or not, for "
                                        "`lockout`. Attempts that are under way count."}),
    row<&LoginLimits::failures_per_peer>(
        {.name = "failures_per_peer",
         .least = 1,
         .most = kMostFailures,
         .doc = "The same for all attempts of one Unix user at the socket, whatever the name. Front ends are not counted; where "
                "secrets enrol (doc/enrolment.md), those are that they speak for."}),
    row<&LoginLimits::lockout>({.name = "lockout",
                                .unit = "s",
                                .least = 1,
                                .most = kDay,
                                .doc = "How long nothing is tried then; failures that are older do not count any more."}),
    row<&LoginLimits::delay>({.name = "delay",
                              .unit = "s",
                              .least = 0,
                              .most = kMinute,
                              .doc = "How long the next attempt has to wait after two failures; twice as long after each more."}),
    row<&LoginLimits::sessions>(
        {.name = "sessions", .least = 0, .most = kMostFailures, .doc = "Logins of one person at a time. 0: any number."}),
    row<&LoginLimits::lifetime>(
        {.name = "lifetime", .unit = "s", .least = kMinute, .most = 30 * kDay, .doc = "A login ends after this."}),
    row<&LoginLimits::idle>(
        {.name = "idle", .unit = "s", .least = 1, .most = 30 * kDay, .doc = "And after so long without a command."}),
};

constexpr std::array kAccess{
    row<&AccessRule::name>(
        {.name = "name", .check = check_name, .required = true, .doc = "What access.explain calls it.", .type = "name"}),
    row<&AccessRule::decision>({.name = "decision", .words = "allow deny", .doc = "What is decided where the rule matches."}),
    row<&AccessRule::who>({.name = "who",
                           .check = check_who,
                           .required = true,
                           .doc = "Roles as they were given, without those that they contain; identities like user:alice; * is "
                                  "everybody.",
                           .type = "role or identity"}),
    row<&AccessRule::commands>({.name = "commands",
                                .check = check_command_pattern,
                                .required = true,
                                .doc = "Commands; * stands for any part: certificate.*.",
                                .type = "command or glob"}),
    row<&AccessRule::profiles>({.name = "profiles",
                                .check = check_name,
                                .doc = "The certificate's profile is one of these. Empty: whatever it is about.",
                                .type = "profile name"}),
    row<&AccessRule::subjects>({.name = "subjects",
                                .check = check_subject_pattern,
                                .doc = "The certificate's subject, in slash form, matches one of these; * stands for any part. "
                                       "Empty: any.",
                                .type = "DN pattern"}),
    row<&AccessRule::names>({.name = "names",
                             .check = check_rule_name,
                             .doc =
                                 "Names in the certificate: alternative names, and the common name where it is none of them. A "
                                 "rule that allows has to match all, one that denies only one. As in acme.policies; of e-mail "
                                 "addresses and URIs, * stands for any part.",
                             .type = "name pattern"}),
    row<&AccessRule::reason>({.name = "reason", .doc = "What is told to who is refused by it."}),
};

void read_roles(const Node& section, PeopleConfig& people, Report& report) {
  if (!is_section(section, report)) return;
  const SettingInfo info{.several = true, .type = Codec<Role>::kType};
  for (const auto* child : named_children(section, report)) {
    Roles roles;
    read_value(info, *child, roles, report);
    people.roles.insert_or_assign(child->name, roles);
  }
}

void read_gives(const Node& section, LoginStack& stack, Report& report) {
  if (!is_section(section, report)) return;
  const SettingInfo info{.check = check_given, .filled = true, .several = true, .type = "text"};
  for (const auto& child : section.children) read_value(info, child, stack.gives[child.name], report);
}

LoginStack read_login(const Node& node, Report& report) {
  LoginStack stack;
  if (!is_section(node, report)) return stack;
  auto names = names_of(login_settings());
  names.emplace_back(kGivesSection);
  check_names(node, names, report);
  read_settings(login_settings(), node, stack, report);
  if (const Node* gives = node.find(kGivesSection)) read_gives(*gives, stack, report);
  return stack;
}

void read_logins(const Node& section, PeopleConfig& people, Report& report) {
  if (!is_section(section, report)) return;
  for (const auto* child : named_children(section, report)) {
    people.logins.insert_or_assign(child->name, read_login(*child, report));
  }
}

void read_access(const Node& section, PeopleConfig& people, Report& report) {
  if (section.kind != Node::Kind::List && section.kind != Node::Kind::Null) {
    return report.error(section, "found no list, expected rules like - {name: web, who: [web-team], commands: [certificate.*]}");
  }
  for (const auto& child : section.children) {
    AccessRule rule;
    if (!is_section(child, report)) continue;
    check_names(child, names_of(access_settings()), report);
    read_settings(access_settings(), child, rule, report);
    people.access.push_back(std::move(rule));
  }
}

Node write_login(const LoginStack& stack) {
  Node node = map();
  write_settings(login_settings(), stack, node);
  Node gives = map(std::string(kGivesSection));
  for (const auto& [role, whom] : stack.gives) gives.children.push_back(named(role, write_value({}, whom)));
  node.children.push_back(std::move(gives));
  return node;
}

}  // namespace

std::span<const Setting<LoginStack>> login_settings() { return kLogin; }
std::span<const Setting<LoginLimits>> login_limit_settings() { return kLimits; }
std::span<const Setting<AccessRule>> access_settings() { return kAccess; }

void read_people(const Node& root, PeopleConfig& people, Report& report) {
  if (const Node* roles = root.find(kRolesSection)) read_roles(*roles, people, report);
  if (const Node* logins = root.find(kLoginsSection)) read_logins(*logins, people, report);
  if (const Node* limits = root.find(kLoginLimitsSection); limits != nullptr && is_section(*limits, report)) {
    check_names(*limits, names_of(login_limit_settings()), report);
    read_settings(login_limit_settings(), *limits, people.limits, report);
  }
  if (const Node* access = root.find(kAccessSection)) read_access(*access, people, report);
}

std::vector<Node> write_people(const PeopleConfig& people) {
  Node roles = map(std::string(kRolesSection));
  for (const auto& [name, contained] : people.roles) roles.children.push_back(named(name, write_value({}, contained)));
  Node logins = map(std::string(kLoginsSection));
  for (const auto& [name, stack] : people.logins) logins.children.push_back(named(name, write_login(stack)));
  Node limits = map(std::string(kLoginLimitsSection));
  write_settings(login_limit_settings(), people.limits, limits);
  Node access = list();
  access.name = kAccessSection;
  for (const auto& rule : people.access) {
    Node node = map();
    write_settings(access_settings(), rule, node);
    access.children.push_back(std::move(node));
  }
  return {std::move(roles), std::move(logins), std::move(limits), std::move(access)};
}

}  // namespace chancery::config
