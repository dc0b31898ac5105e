#include <grp.h>
#include <pwd.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "server/base/text.h"
#include "server/config/reach.h"
#include "server/config/server_context.h"
#include "server/config/setting.h"

namespace chancery::config {
namespace {

bool is_number(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; }
bool group_exists(const std::string& group) { return is_number(group) || ::getgrnam(group.c_str()) != nullptr; }

void check_run_directory(const Context& context) {
  const Node& at = context.places.attribute("", "run-directory");
  if (context.report.has_reported(at)) return;
  check_creatable(context.server.run_directory, at, context.report);
  constexpr std::size_t kMostOctets = sizeof(sockaddr_un::sun_path) - 1;
  std::size_t longest = context.server.socket_file().string().size();
  for (const auto& realm : context.realms) {
    longest = std::max(longest, context.server.signer_socket_file(RealmName::parse(realm).value()).string().size());
  }
  if (longest <= kMostOctets) return;
  context.report.error(at, "found a directory in which a socket's path has " + std::to_string(longest) +
                               " octets, expected at most " + std::to_string(kMostOctets) + " (unix(7))");
}

void check_users(const Context& context) {
  const auto& server = context.server;
  const std::pair<std::string_view, const std::string*> users[] = {
      {"worker", &server.worker_user}, {"signer", &server.signer_user}, {"front-end", &server.front_end_user}};
  for (const auto& [name, user] : users) {
    const Node& at = context.places.attribute("users", name);
    if (user->empty()) continue;
    if (!user_exists(*user)) context.report.error(at, "found no user \"" + *user + "\" on this machine");
  }
  if (!server.signer_user.empty() && server.signer_user == server.worker_user) {
    context.report.warning(context.places.attribute("users", "signer"),
                           "found the workers' user, expected another: the file system does not keep the CA's key from them");
  }
}

void check_socket(const Context& context) {
  const auto& server = context.server;
  if (!server.socket_owner.empty() && !user_exists(server.socket_owner)) {
    context.report.error(context.places.attribute("socket", "owner"),
                         "found no user \"" + server.socket_owner + "\" on this machine");
  }
  if (!server.socket_group.empty() && !group_exists(server.socket_group)) {
    context.report.error(context.places.attribute("socket", "group"),
                         "found no group \"" + server.socket_group + "\" on this machine");
  }
}

/// With users of their own, upkeep and the front ends are strangers to the socket's owner like any other client.
void check_reach(const Context& context) {
  const auto& server = context.server;
  const auto check = [&](const std::string& user, const std::string& who) {
    if (user.empty() || may_connect(server, user)) return;
    context.report.error(context.places.attribute("socket", "mode"),
                         "found mode " + base::octal(server.socket_mode) + ", with which " + who + ", user " + user +
                             ", cannot connect, expected a group of the socket that it is in, or a mode for all such as 0666");
  };
  check(server.worker_user, "upkeep");
  for (const auto& front_end : server.front_ends) {
    if (front_end.enabled) check(server.user_of(front_end), "front end " + front_end.name);
  }
}

/// Whether everybody whom `rule` gives roles has them already by `other`.
bool shadows(const IdentityRule& other, const IdentityRule& rule) {
  if (rule.roles.empty() || other.user != rule.user || other.group != rule.group) return false;
  if (other.realm != "*" && other.realm != rule.realm) return false;
  return std::ranges::all_of(rule.roles.names(),
                             [&](const std::string& name) { return other.roles.has(base::role_from_text(name).value()); });
}

/// Rules add up, so one that adds nothing is a mistake: of its realm, its roles or its name.
void check_shadowed(const Context& context, std::size_t index) {
  const auto& list = context.server.identities;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool same = list[i] == list[index];
    if (i == index || !shadows(list[i], list[index]) || (same && i > index)) continue;
    const Node& other = context.places.item("identities", "identity", i);
    return context.report.warning(
        context.places.item("identities", "identity", index),
        "found a rule that gives nothing which the rule in line " + std::to_string(other.line) + " does not give already");
  }
}

void check_identities(const Context& context) {
  for (std::size_t i = 0; i < context.server.identities.size(); ++i) {
    const auto& rule = context.server.identities[i];
    const Node& at = context.places.item("identities", "identity", i);
    if (rule.user.empty() == rule.group.empty()) {
      context.report.error(
          at, "found " + std::string(rule.user.empty() ? "neither user nor group" : "user and group") + ", expected one of them");
    }
    if (!rule.user.empty() && !user_exists(rule.user)) {
      context.report.warning(Places::inside(at, "user"),
                             "found no user \"" + rule.user + "\" on this machine: nobody gets these roles");
    }
    if (!rule.group.empty() && !group_exists(rule.group)) {
      context.report.warning(Places::inside(at, "group"),
                             "found no group \"" + rule.group + "\" on this machine: nobody gets these roles");
    }
    check_known_realm(context, rule.realm, Places::inside(at, "realm"));
    check_shadowed(context, i);
  }
}

}  // namespace

void check_known_realm(const Context& context, std::string_view realm, const Node& at) {
  if (realm.empty() || realm == "*" || std::ranges::count(context.realms, realm) != 0) return;
  context.report.error(at, "unknown realm \"" + std::string(realm) + "\", expected one of " + base::join(context.realms, ", ") +
                               suggestion(realm, context.realms));
}

void check_known_realms(const Context& context, const std::vector<std::string>& realms, const Node& at) {
  for (const auto& realm : realms) check_known_realm(context, realm, at);
}

bool serves(const std::vector<std::string>& realms, std::string_view realm) {
  return std::ranges::any_of(realms, [&](const std::string& one) { return one == "*" || one == realm; });
}

bool user_exists(const std::string& user) { return is_number(user) || ::getpwnam(user.c_str()) != nullptr; }

void check_server(const ServerConfig& server, const std::vector<RealmName>& realms, const ProgramPlaces& programs,
                  const Node& root, Report& report) {
  Context context{server, programs, {}, Places(root), report};
  for (const auto& realm : realms) context.realms.push_back(realm.text());
  check_run_directory(context);
  check_users(context);
  check_reach(context);
  check_socket(context);
  // Left out, it names a realm that need not be there: then sessions say which one they want.
  const Node& default_realm = context.places.attribute("realms", "default");
  if (!realms.empty() && default_realm.name == "default") check_known_realm(context, server.default_realm, default_realm);
  check_identities(context);
  check_front_ends(context);
  check_listening(context);
}

}  // namespace chancery::config
