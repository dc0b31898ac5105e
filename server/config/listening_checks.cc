#include <algorithm>
#include <set>

#include "server/base/address.h"
#include "server/base/text.h"
#include "server/config/server_context.h"

namespace chancery::config {
namespace {

// ----- the front ends that serve what listens

/// The enabled front ends that run a program.
struct Servants {
  std::vector<const FrontEnd*> all;

  static Servants of(const ServerConfig& server, std::string_view program) {
    Servants out;
    for (const auto& one : server.front_ends) {
      if (one.enabled && std::filesystem::path(one.program).filename() == program) out.all.push_back(&one);
    }
    return out;
  }
  bool serve(std::string_view realm) const {
    return std::ranges::any_of(all, [&](const FrontEnd* one) { return serves(one->realms, realm); });
  }
  /// "front end zmq serves default": what each of them serves.
  std::string text() const {
    std::string out;
    for (const auto* one : all)
      out += (out.empty() ? "" : ", ") + ("front end " + one->name + " serves " + base::join(one->realms, " "));
    return out;
  }
};

/// Who comes in there is refused by the session that the front end cannot open.
void check_served(const Context& context, const Servants& servants, std::string_view realm, const Node& at) {
  if (servants.all.empty() || realm.empty() || servants.serve(realm)) return;
  if (std::ranges::count(context.realms, realm) == 0) return;  // reported as unknown
  context.report.error(at, "found realm " + std::string(realm) + ", but " + servants.text() +
                               ", expected one of those, or the realm in the realms of that <front-end>");
}

/// "*" stands for every realm, but the front end opens its own only.
void check_all_served(const Context& context, const Servants& servants, const Node& at) {
  if (servants.all.empty()) return;
  for (const auto& realm : context.realms) {
    if (servants.serve(realm)) continue;
    return context.report.warning(at, "found *, which has realm " + realm + " in it, but " + servants.text() +
                                          ": whoever asks for that realm here is refused");
  }
}

/// The first of the roles that no front end which serves there could give to anybody.
std::optional<std::string> role_beyond(const Servants& servants, std::string_view realm, const Roles& roles) {
  const auto may_give = [&](Role role) {
    return std::ranges::any_of(servants.all, [&](const FrontEnd* one) {
      return (realm == "*" || serves(one->realms, realm)) && one->roles.allow(role);
    });
  };
  for (const auto& name : roles.names()) {
    if (!may_give(base::role_from_text(name).value())) return name;
  }
  return std::nullopt;
}

void check_roles(const Context& context, std::string_view realm, const Roles& roles, const Node& at) {
  const auto servants = Servants::of(context.server, "chancery-zmq");
  if (servants.all.empty() || (realm != "*" && !servants.serve(realm))) return;
  const auto lacking = role_beyond(servants, realm, roles);
  if (!lacking) return;
  const auto& one = *servants.all.front();
  context.report.warning(at, "found " + *lacking + ", which nobody gets here: front end " + one.name + " has the roles " +
                                 base::join(one.roles.names(), " ") +
                                 ", and what comes through it may do no more; expected roles " + "that it has, or " + *lacking +
                                 " among those of its <front-end>");
}

// ----- listeners

void check_listened_realms(const Context& context, const Servants& servants, const Listener& listener, const Node& at) {
  check_served(context, servants, listener.default_realm, Places::inside(at, "default-realm"));
  for (const auto& realm : listener.realms) {
    if (realm == "*") check_all_served(context, servants, Places::inside(at, "realms"));
    if (realm != "*" && realm != listener.default_realm) check_served(context, servants, realm, Places::inside(at, "realms"));
  }
}

/// A host name leads to one realm, which is served here, and TLS shows a certificate for it.
void check_host_realms(const Context& context, const Servants& servants, const Listener& listener, const Node& element) {
  const Node& at = Places::inside(element, "host-realms");
  std::set<std::string> seen;
  for (const auto& text : listener.host_realms) {
    const auto [host, realm] = split_host_realm(text);
    const auto found = [&, &name = host](const std::string& what) { context.report.error(at, "found " + name + what); };
    check_known_realm(context, realm, at);
    check_served(context, servants, realm, at);
    if (!seen.insert(host).second) found(" a second time, expected one realm for each host name");
    if (!serves(listener.realms, realm)) found("=" + realm + ", expected a realm that this listener serves (realms)");
    const bool is_named =
        std::ranges::any_of(listener.names, [&, &name = host](const auto& own) { return base::to_lower_ascii(own) == name; });
    if (!is_named) found(", which names lacks: expected it there, too");
  }
}

void check_listeners(const Context& context) {
  const auto& list = context.server.listeners;
  const auto servants = Servants::of(context.server, "chancery-http");
  check_names_differ(context, "listeners", "listener", list);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& one = list[i];
    const Node& at = context.places.item("listeners", "listener", i);
    check_known_realm(context, one.default_realm, Places::inside(at, "default-realm"));
    check_known_realms(context, one.realms, Places::inside(at, "realms"));
    check_listened_realms(context, servants, one, at);
    check_host_realms(context, servants, one, at);
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

// ----- ZMQ

void check_endpoint_key(const Context& context, const ZmqEndpoint& endpoint, const Node& element) {
  if (endpoint.server_key_file.empty()) return;
  const auto readers = Servants::of(context.server, "chancery-zmq").all;
  check_curve_key_file(context, endpoint.server_key_file, Places::inside(element, "server-key-file"), readers);
}

void check_without_curve(const Context& context, const ZmqEndpoint& endpoint, const Node& at) {
  const bool curve = !endpoint.server_key_file.empty();
  if (!curve && endpoint.without_curve == "nobody") {
    context.report.error(Places::inside(at, "without-curve"),
                         "found nobody without server-key-file: then nobody could come at all");
  }
  if (base::is_loopback(endpoint.address)) return;
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
  const auto servants = Servants::of(context.server, "chancery-zmq");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Node& at = context.places.item("zmq", "endpoint", i);
    check_known_realm(context, list[i].realm, Places::inside(at, "realm"));
    check_served(context, servants, list[i].realm, Places::inside(at, "realm"));
    check_endpoint_key(context, list[i], at);
    check_without_curve(context, list[i], at);
    if (list[i].loopback_peers.empty()) continue;
    context.report.warning(Places::inside(at, "loopback-peers"),
                           "found " + base::join(list[i].loopback_peers.names(), " ") +
                               ": every program of this machine may do that here, whoever runs it");
    check_roles(context, list[i].realm, list[i].loopback_peers, Places::inside(at, "loopback-peers"));
  }
}

/// Rows of one key add nothing to each other: the first counts.
void check_peers(const Context& context) {
  const auto& list = context.server.zmq_peers;
  check_names_differ(context, "zmq-peers", "peer", list);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Node& at = context.places.item("zmq-peers", "peer", i);
    check_known_realm(context, list[i].realm, Places::inside(at, "realm"));
    check_roles(context, list[i].realm, list[i].roles, Places::inside(at, "roles"));
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

// ----- ports

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
  const auto servants = Servants::of(context.server, program);
  if (has_addresses && servants.all.empty()) {
    context.report.warning(context.places.element(element),
                           "found addresses, but no enabled front end runs " + std::string(program) + " to serve them");
  }
  if (!has_addresses && !servants.all.empty()) {
    const auto index = static_cast<std::size_t>(servants.all.front() - context.server.front_ends.data());
    context.report.warning(context.places.item("front-ends", "front-end", index),
                           "found " + std::string(program) + ", but no address below <" + std::string(element) + "> for it");
  }
}

}  // namespace

void check_listening(const Context& context) {
  check_listeners(context);
  check_endpoints(context);
  check_peers(context);
  check_ports(context);
  check_use(context, "chancery-http", "listeners", !context.server.listeners.empty());
  check_use(context, "chancery-zmq", "zmq", !context.server.zmq_endpoints.empty());
}

}  // namespace chancery::config
