#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "server/base/text.h"
#include "server/config/checks.h"
#include "server/config/reach.h"
#include "server/config/setting.h"

namespace chancery::config {
namespace {

/// Finds settings again in the tree they were read from.
class Places {
 public:
  explicit Places(const Node& root) : root_(root) {}

  const Node& element(std::string_view name) const {
    const Node* found = root_.find(name);
    return found != nullptr ? *found : root_;
  }
  /// An attribute of the element, or the element.
  const Node& attribute(std::string_view name, std::string_view wanted) const { return inside(element(name), wanted); }

  /// Item n of a list, in the order of server_settings.cc.
  const Node& item(std::string_view name, std::string_view item, std::size_t index) const {
    for (const auto& child : element(name).children) {
      if (child.name == item && index-- == 0) return child;
    }
    return element(name);
  }
  static const Node& inside(const Node& element, std::string_view wanted) {
    const Node* found = element.find(wanted);
    return found != nullptr ? *found : element;
  }

 private:
  const Node& root_;
};

/// What the checks of one server share.
struct Context {
  const ServerConfig& server;
  std::vector<std::string> realms;
  Places places;
  Report& report;
};

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

bool is_number(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; }
bool user_exists(const std::string& user) { return is_number(user) || ::getpwnam(user.c_str()) != nullptr; }
bool group_exists(const std::string& group) { return is_number(group) || ::getgrnam(group.c_str()) != nullptr; }

void check_names_differ(const Context& context, std::string_view element, std::string_view item, const auto& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto same = [&](const auto& other) { return other.name == list[i].name; };
    if (!std::any_of(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i), same)) continue;
    context.report.error(Places::inside(context.places.item(element, item, i), "name"),
                         "found the name \"" + list[i].name + "\" a second time, expected it once");
  }
}

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

void check_program_file(const Context& context, const FrontEnd& front_end, const Node& at) {
  const bool is_absolute = front_end.program.starts_with('/');
  if (front_end.program.empty() || (!is_absolute && context.server.program_directory.empty()))
    return;  // beside chanceryd: it knows
  const auto file = context.server.program_directory / front_end.program;
  if (::access(file.c_str(), X_OK) == 0) return;
  context.report.error(at, "found no program that can be run: " + file.string());
}

void check_front_ends(const Context& context) {
  const auto& list = context.server.front_ends;
  check_names_differ(context, "front-ends", "front-end", list);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Node& at = context.places.item("front-ends", "front-end", i);
    if (!list[i].user.empty() && !user_exists(list[i].user)) {
      context.report.error(Places::inside(at, "user"), "found no user \"" + list[i].user + "\" on this machine");
    }
    check_known_realms(context, list[i].realms, Places::inside(at, "realms"));
    if (list[i].enabled) check_program_file(context, list[i], Places::inside(at, "program"));
  }
}

void check_listeners(const Context& context) {
  const auto& list = context.server.listeners;
  check_names_differ(context, "listeners", "listener", list);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& one = list[i];
    const Node& at = context.places.item("listeners", "listener", i);
    check_known_realm(context, one.default_realm, Places::inside(at, "default-realm"));
    check_known_realms(context, one.realms, Places::inside(at, "realms"));
    if (!one.default_realm.empty() && !one.realms.empty() && !serves(one.realms, one.default_realm)) {
      context.report.error(Places::inside(at, "realms"),
                           "found no \"" + one.default_realm + "\", expected the default realm to be served");
    }
    if (one.tls && one.default_realm.empty()) {
      context.report.error(at, "found tls without default-realm, expected the realm whose CA makes the TLS certificate");
    }
    if (one.tls && one.names.empty())
      context.report.error(at, "found tls without names, expected DNS names or addresses for the certificate");
  }
}

bool is_loopback(const std::string& address) {
  in6_addr six{};
  if (::inet_pton(AF_INET6, address.c_str(), &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six);
  return address.starts_with("127.");
}

void check_endpoint_key(const Context& context, const ZmqEndpoint& endpoint, const Node& at) {
  const auto& file = endpoint.server_key_file;
  if (!file.empty()) check_secret_file(file, {file.parent_path()}, Places::inside(at, "server-key-file"), context.report);
}

void check_without_curve(const Context& context, const ZmqEndpoint& endpoint, const Node& at) {
  const bool curve = !endpoint.server_key_file.empty();
  if (!curve && endpoint.without_curve == "nobody") {
    context.report.error(Places::inside(at, "without-curve"),
                         "found nobody without server-key-file: then nobody could come at all");
  }
  if (is_loopback(endpoint.address)) return;
  if (!curve && endpoint.without_curve == "loopback") {
    context.report.error(
        Places::inside(at, "address"),
        "found " + endpoint.address +
            " without server-key-file, expected a key, without which nobody from elsewhere comes in (chancery zmq-key "
            "makes one), or without-curve=\"anyone\"");
  }
  if (endpoint.without_curve == "anyone") {
    context.report.warning(Places::inside(at, "without-curve"),
                           "found anyone at " + endpoint.address +
                               ": peers without CURVE may do what strangers may, and others can read and change what passes");
  }
}

void check_endpoints(const Context& context) {
  const auto& list = context.server.zmq_endpoints;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Node& at = context.places.item("zmq", "endpoint", i);
    check_known_realm(context, list[i].realm, Places::inside(at, "realm"));
    check_endpoint_key(context, list[i], at);
    check_without_curve(context, list[i], at);
    if (list[i].loopback_peers.empty()) continue;
    context.report.warning(Places::inside(at, "loopback-peers"),
                           "found " + base::join(list[i].loopback_peers.names(), " ") +
                               ": every program of this machine may do that here, whoever runs it");
  }
}

/// Rows of one key add nothing to each other: the first counts.
void check_peers(const Context& context) {
  const auto& list = context.server.zmq_peers;
  check_names_differ(context, "zmq-peers", "peer", list);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Node& at = context.places.item("zmq-peers", "peer", i);
    check_known_realm(context, list[i].realm, Places::inside(at, "realm"));
    const auto same = [&](const ZmqPeer& other) {
      return other.key == list[i].key && (other.realm == list[i].realm || other.realm == "*" || list[i].realm == "*");
    };
    if (std::any_of(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i), same))
      context.report.error(Places::inside(at, "key"),
                           "found the key a second time for that realm, expected one peer for each key");
  }
  const auto has_key = [](const ZmqEndpoint& one) { return !one.server_key_file.empty(); };
  if (list.empty() || std::ranges::any_of(context.server.zmq_endpoints, has_key)) return;
  context.report.warning(context.places.element("zmq-peers"),
                         "found peers, but no endpoint of <zmq> has a server-key-file: nobody can come over CURVE");
}

/// An address and port that something will listen on.
struct Binding {
  std::string address;
  int port;
  const Node* at;
  std::string what;
};

bool collide(const Binding& a, const Binding& b) {
  const auto is_any = [](const std::string& address) { return address == "0.0.0.0" || address == "::"; };
  return a.port != 0 && a.port == b.port && (a.address == b.address || is_any(a.address) || is_any(b.address));
}

void check_ports(const Context& context) {
  std::vector<Binding> bindings;
  for (std::size_t i = 0; i < context.server.listeners.size(); ++i) {
    const auto& one = context.server.listeners[i];
    bindings.push_back({one.address, one.port, &context.places.item("listeners", "listener", i), "listener " + one.name});
  }
  for (std::size_t i = 0; i < context.server.zmq_endpoints.size(); ++i) {
    const auto& one = context.server.zmq_endpoints[i];
    const Node* at = &context.places.item("zmq", "endpoint", i);
    if (one.port == 0) continue;  // reported as missing
    bindings.push_back({one.address, one.port, at, "the operations port of zmq endpoint " + std::to_string(i + 1)});
    bindings.push_back({one.address, one.port + 1, at, "the registration port of zmq endpoint " + std::to_string(i + 1)});
  }
  for (std::size_t i = 0; i < bindings.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!collide(bindings[i], bindings[j])) continue;
      context.report.error(Places::inside(*bindings[i].at, "port"),
                           "found port " + std::to_string(bindings[i].port) + " a second time, expected another: " +
                               bindings[j].what + " has it (line " + std::to_string(bindings[j].at->line) + ")");
      break;
    }
  }
}

/// Addresses that nobody serves, front ends that serve none.
void check_use(const Context& context, std::string_view program, std::string_view element, bool has_addresses) {
  const auto& list = context.server.front_ends;
  const auto runs = [&](const FrontEnd& one) { return one.enabled && std::filesystem::path(one.program).filename() == program; };
  const auto found = std::ranges::find_if(list, runs);
  if (has_addresses && found == list.end()) {
    context.report.warning(context.places.element(element),
                           "found addresses, but no enabled front end runs " + std::string(program) + " to serve them");
  }
  if (!has_addresses && found != list.end()) {
    const auto index = static_cast<std::size_t>(found - list.begin());
    context.report.warning(context.places.item("front-ends", "front-end", index),
                           "found " + std::string(program) + ", but no address below <" + std::string(element) + "> for it");
  }
}

}  // namespace

void check_server(const ServerConfig& server, const std::vector<RealmName>& realms, const Node& root, Report& report) {
  Context context{server, {}, Places(root), report};
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
  check_listeners(context);
  check_endpoints(context);
  check_peers(context);
  check_ports(context);
  check_use(context, "chancery-http", "listeners", !server.listeners.empty());
  check_use(context, "chancery-zmq", "zmq", !server.zmq_endpoints.empty());
}

}  // namespace chancery::config
