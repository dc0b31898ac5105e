#include "server/config/server_settings.h"

#include <array>

#include "server/config/text_checks.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kMostPort = 65535;

constexpr std::array kRoot{
    row<&ServerConfig::run_directory>({.name = "run-directory",
                                       .filled = true,
                                       .when = When::Start,
                                       .doc = "Sockets, lock file and what lives no longer than the server."}),
    row<&ServerConfig::program_directory>({.name = "program-directory",
                                           .when = When::Start,
                                           .doc = "Where chancery-signer and the front ends are; empty: beside chanceryd."}),
};

constexpr std::array kUsers{
    row<&ServerConfig::worker_user>(
        {.name = "worker",
         .check = check_account,
         .when = When::Start,
         .doc = "Whom workers, upkeep and the keymaker become: the owner of each realm's db and nodes; empty: the server's.",
         .type = "Unix account"}),
    row<&ServerConfig::signer_user>({.name = "signer",
                                     .check = check_account,
                                     .when = When::Start,
                                     .doc = "Whom signers become: the owner of CA keys and journals; empty: the server's.",
                                     .type = "Unix account"}),
    row<&ServerConfig::front_end_user>({.name = "front-end",
                                        .check = check_account,
                                        .when = When::Start,
                                        .doc = "Whom front ends become that have no user of their own; empty: the server's.",
                                        .type = "Unix account"}),
};

constexpr std::array kSocket{
    row<&ServerConfig::socket_owner>({.name = "owner",
                                      .check = check_account,
                                      .when = When::Start,
                                      .doc = "Unix user that owns the socket; empty: that of the workers.",
                                      .type = "Unix account"}),
    row<&ServerConfig::socket_group>({.name = "group",
                                      .check = check_account,
                                      .when = When::Start,
                                      .doc = "Unix group of the socket; empty: the server's.",
                                      .type = "Unix account"}),
    row<&ServerConfig::socket_mode>({.name = "mode",
                                     .least = 0600,
                                     .most = 0666,
                                     .when = When::Start,
                                     .doc = "Who may connect at all. What a peer may do is the business of identities."}),
};

constexpr std::array kLog{
    row<&ServerConfig::log_destination>({.name = "destination",
                                         .check = check_log_destination,
                                         .filled = true,
                                         .when = When::Start,
                                         .doc = "stderr, syslog or a file's path.",
                                         .type = "log destination"}),
    row<&ServerConfig::log_level>(
        {.name = "level", .words = "trace debug info warning error", .filled = true, .doc = "The least level that is written."}),
};

constexpr std::array kLimits{
    row<&Limits::max_workers>(
        {.name = "max-workers", .least = 1, .most = 100000, .when = When::Start, .doc = "Workers at a time, in all."}),
    row<&Limits::max_workers_per_uid>(
        {.name = "max-workers-per-uid", .least = 1, .most = 100000, .doc = "Workers at a time for one Unix user."}),
    row<&Limits::max_workers_per_realm>(
        {.name = "max-workers-per-realm", .least = 1, .most = 100000, .doc = "Workers at a time in one realm."}),
    row<&Limits::idle_timeout>(
        {.name = "idle-timeout", .unit = "s", .least = 1, .most = kDay, .doc = "A session without a request ends after this."}),
    row<&Limits::unopened_timeout>({.name = "unopened-timeout",
                                    .unit = "s",
                                    .least = 1,
                                    .most = kHour,
                                    .doc = "A connection without session.open ends after this."}),
    row<&Limits::session_lifetime>({.name = "session-lifetime",
                                    .unit = "s",
                                    .least = 60,
                                    .most = 30 * kDay,
                                    .doc = "A session ends after this, used or not."}),
    row<&Limits::request_timeout>(
        {.name = "request-timeout", .unit = "s", .least = 1, .most = kHour, .doc = "The budget of one request."}),
    row<&Limits::grace>(
        {.name = "grace", .unit = "s", .least = 0, .most = kHour, .doc = "What requests in hand get after SIGTERM to finish."}),
    row<&Limits::max_requests_per_worker>(
        {.name = "max-requests-per-worker", .least = 1, .most = 1000000000, .doc = "A session ends after so many requests."}),
    row<&Limits::key_pool>({.name = "key-pool",
                            .least = 0,
                            .most = 64,
                            .doc = "RSA key pairs kept ready, of each size that profiles have for generated keys; 0: none."}),
};

constexpr std::array kRealms{
    row<&ServerConfig::realms_directory>({.name = "directory", .filled = true, .doc = "Holds a directory for each realm."}),
    row<&ServerConfig::default_realm>(
        {.name = "default", .check = check_realm, .doc = "Realm of a session.open that names none.", .type = "realm name"}),
};

/// <realm> has a name and nothing else.
struct RealmEntry {
  std::string name;
};
constexpr std::array kRealmEntry{
    row<&RealmEntry::name>({.name = "name",
                            .check = check_realm,
                            .required = true,
                            .doc = "A directory of that name below the realms' directory.",
                            .type = "realm name"}),
};

constexpr std::array kIdentity{
    row<&IdentityRule::user>({.name = "user",
                              .check = check_account,
                              .doc = "Unix user, name or number. Either this or group.",
                              .type = "Unix account"}),
    row<&IdentityRule::group>(
        {.name = "group", .check = check_account, .doc = "Unix group, name or number.", .type = "Unix account"}),
    row<&IdentityRule::realm>({.name = "realm",
                               .check = check_realm_or_all,
                               .filled = true,
                               .doc = "The realm in which the roles count; * for all.",
                               .type = "realm name or *"}),
    row<&IdentityRule::roles>(
        {.name = "roles", .required = true, .doc = "anonymous user ra-operator ca-operator auditor frontend admin."}),
};

constexpr std::array kFrontEnd{
    row<&FrontEnd::name>({.name = "name",
                          .check = check_name,
                          .required = true,
                          .doc = "What the front end calls itself in session.open.",
                          .type = "name"}),
    row<&FrontEnd::program>({.name = "program",
                             .check = check_program,
                             .required = true,
                             .doc = "A file in the program directory, or an absolute path.",
                             .type = "program"}),
    row<&FrontEnd::user>({.name = "user",
                          .check = check_account,
                          .doc = "Unix user it runs as; empty: front-end of users.",
                          .type = "Unix account"}),
    row<&FrontEnd::realms>({.name = "realms",
                            .check = check_realm_or_all,
                            .required = true,
                            .doc = "The realms it serves; * for all.",
                            .type = "realm name or *"}),
    row<&FrontEnd::roles>(
        {.name = "roles",
         .required = true,
         .doc = "The most its sessions may do, whoever they act for. frontend for chancery-http and chancery-zmq."}),
    row<&FrontEnd::enabled>({.name = "enabled", .doc = "Whether the server runs it."}),
    row<&FrontEnd::vantage_key_file>(
        {.name = "vantage-key-file",
         .doc = "With chancery-http: its secret CURVE key, with which it asks the vantage_points of realms "
                "(doc/acme-vantage.md), a file of "
                "mode 0600 that chancery zmq-key makes, relative to chancery.xml. Empty: it can ask none.",
         .type = "file"}),
};

constexpr std::array kListener{
    row<&Listener::name>(
        {.name = "name", .check = check_name, .required = true, .doc = "In logs and for its TLS certificate.", .type = "name"}),
    row<&Listener::tls>({.name = "tls", .doc = "HTTPS with a certificate of the default realm, or plain HTTP."}),
    row<&Listener::address>({.name = "address",
                             .check = check_address,
                             .required = true,
                             .doc = "IPv4 or IPv6. Leaving loopback is a decision.",
                             .type = "address"}),
    row<&Listener::port>({.name = "port", .least = 1, .most = kMostPort, .required = true, .doc = "TCP port."}),
    row<&Listener::default_realm>({.name = "default-realm",
                                   .check = check_realm,
                                   .doc = "Serves the bare paths; its CA makes the TLS certificate.",
                                   .type = "realm name"}),
    row<&Listener::realms>({.name = "realms",
                            .check = check_realm_or_all,
                            .required = true,
                            .doc = "The realms it serves; * for all.",
                            .type = "realm name or *"}),
    row<&Listener::names>({.name = "names",
                           .check = check_host_or_address,
                           .doc = "DNS names and addresses in the TLS certificate; needed with tls.",
                           .type = "name or address"}),
    row<&Listener::host_realms>({.name = "host-realms",
                                 .check = check_host_realm,
                                 .doc = "NAME=REALM: who asks for that host name gets that realm at the bare paths "
                                        "(https://NAME/acme/directory), instead of "
                                        "the default realm. The name is one of names, too.",
                                 .type = "NAME=REALM"}),
    row<&Listener::new_accounts_per_hour>({.name = "new-accounts-per-hour",
                                           .least = 0,
                                           .most = 1000000,
                                           .doc = "How many new ACME accounts one address may make in an hour; 0: any number."}),
    row<&Listener::client_certificates>(
        {.name = "client-certificates",
         .words = "none optional",
         .filled = true,
         .doc = "With tls: whether clients are asked for a certificate, which they may leave out. The REST API's privileged "
                "paths need one; who has none is served the rest."}),
    row<&Listener::trusted_proxies>(
        {.name = "trusted-proxies",
         .check = check_network,
         .doc = "Addresses and networks of proxies that have ended their clients' TLS: only from there do the headers count that "
                "hold a client's certificate, and from there nothing else does. Empty: such headers are as good as absent.",
         .type = "address or network"}),
    row<&Listener::proxy_headers>(
        {.name = "proxy-headers",
         .words = "X-SSL-CLIENT SSL-Client",
         .filled = true,
         .doc = "How a trusted proxy's headers begin: NAME-VERIFY is SUCCESS and NAME-CERT the certificate, PEM, percent-encoded "
                "(nginx: $ssl_client_verify, $ssl_client_escaped_cert). The proxy must set both in every request, or a client "
                "could."}),
};

constexpr std::array kEndpoint{
    row<&ZmqEndpoint::address>(
        {.name = "address",
         .check = check_address,
         .required = true,
         .doc = "IPv4 or IPv6. Beyond loopback, peers come over CURVE unless without-curve says otherwise.",
         .type = "address"}),
    row<&ZmqEndpoint::port>({.name = "port",
                             .least = 1,
                             .most = kMostPort - 1,
                             .required = true,
                             .doc = "Operations; registration is the next port up."}),
    row<&ZmqEndpoint::realm>(
        {.name = "realm", .check = check_realm, .required = true, .doc = "The realm it serves.", .type = "realm name"}),
    row<&ZmqEndpoint::wrong_seeds_per_minute>(
        {.name = "wrong-seeds-per-minute",
         .least = 0,
         .most = 1000,
         .doc =
             "How many wrong registration seeds one address may offer in a minute, all together ten times that; 0: any number."}),
    row<&ZmqEndpoint::server_key_file>({.name = "server-key-file",
                                        .doc = "The endpoint's secret CURVE key, a file of mode 0600 that chancery zmq-key "
                                               "makes, relative to chancery.xml. With it, "
                                               "<zmq-peers> may come over CURVE, which encrypts. Empty: no CURVE.",
                                        .type = "file"}),
    row<&ZmqEndpoint::without_curve>(
        {.name = "without-curve",
         .words = "loopback anyone nobody",
         .filled = true,
         .doc =
             "Who may come without CURVE: programs of this machine, anyone who reaches the port, or nobody. What passes without "
             "CURVE can be read and changed on its way."}),
    row<&ZmqEndpoint::loopback_peers>(
        {.name = "loopback-peers",
         .doc = "What every program of this machine may do that comes without a CURVE key: \"ra-operator admin\" makes each of "
                "them the realm's RA and administrator, as with uPKI; frontend lets each of them speak for others. Empty: what "
                "strangers may."}),
};

constexpr std::array kPeer{
    row<&ZmqPeer::name>(
        {.name = "name", .check = check_name, .required = true, .doc = "In logs and in the audit stream.", .type = "name"}),
    row<&ZmqPeer::key>({.name = "key",
                        .check = check_curve_key,
                        .required = true,
                        .doc = "Public CURVE key of the peer, as chancery zmq-key prints it.",
                        .type = "Z85 key"}),
    row<&ZmqPeer::realm>({.name = "realm",
                          .check = check_realm_or_all,
                          .required = true,
                          .doc = "The realm in which the roles count; * for all.",
                          .type = "realm name or *"}),
    row<&ZmqPeer::roles>(
        {.name = "roles",
         .required = true,
         .doc = "What it may do, at most the roles of the front end: ra-operator for an RA, admin for all; frontend for a "
                "chancery-http on another machine, which then speaks for others."}),
};

/// Attributes and items that an element may have.
void check_element(const Element& self, const Node& node, std::vector<std::string> known, Report& report) {
  if (!self.item.empty()) known.emplace_back(self.item);
  check_names(node, known, report);
}

template <const auto& Rows>
constexpr auto span_of() {
  return std::span<const typename std::remove_cvref_t<decltype(Rows)>::value_type>(Rows);
}

/// An element whose attributes are settings of the server.
template <const auto& Rows>
void read_single(const Element& self, const Node& node, ServerConfig& server, Report& report) {
  check_element(self, node, names_of(span_of<Rows>()), report);
  read_settings(span_of<Rows>(), node, server, report);
}
template <const auto& Rows>
Node write_single(const Element& self, const ServerConfig& server) {
  Node node = map(std::string(self.name));
  write_settings(span_of<Rows>(), server, node);
  return node;
}
template <const auto& Rows>
std::vector<SettingLine> describe_single() {
  return describe(span_of<Rows>(), ServerConfig());
}

/// Repeated elements become the items of a list.
template <const auto& Rows, class Item>
std::vector<Item> read_items(const Element& self, const Node& node, Report& report) {
  std::vector<Item> items;
  for (const auto& child : node.children) {
    if (child.name != self.item || !is_section(child, report)) continue;
    check_names(child, names_of(span_of<Rows>()), report);
    read_settings(span_of<Rows>(), child, items.emplace_back(), report);
  }
  return items;
}
template <const auto& Rows>
Node write_item(const Element& self, const auto& item) {
  Node node = map(std::string(self.item));
  write_settings(span_of<Rows>(), item, node);
  return node;
}

/// An element that only holds a list.
template <const auto& Rows, auto Member>
void read_list(const Element& self, const Node& node, ServerConfig& server, Report& report) {
  using Item = typename std::remove_reference_t<decltype(server.*Member)>::value_type;
  check_element(self, node, {}, report);
  server.*Member = read_items<Rows, Item>(self, node, report);
}
template <const auto& Rows, auto Member>
Node write_list(const Element& self, const ServerConfig& server) {
  Node node = map(std::string(self.name));
  for (const auto& item : server.*Member) node.children.push_back(write_item<Rows>(self, item));
  return node;
}
template <const auto& Rows, class Item>
std::vector<SettingLine> describe_item() {
  return describe(span_of<Rows>(), Item());
}
std::vector<SettingLine> no_attributes() { return {}; }

void read_limits(const Element& self, const Node& node, ServerConfig& server, Report& report) {
  check_element(self, node, names_of(span_of<kLimits>()), report);
  read_settings(span_of<kLimits>(), node, server.limits, report);
}
Node write_limits(const Element& self, const ServerConfig& server) {
  Node node = map(std::string(self.name));
  write_settings(span_of<kLimits>(), server.limits, node);
  return node;
}

void read_realms(const Element& self, const Node& node, ServerConfig& server, Report& report) {
  read_single<kRealms>(self, node, server, report);
  for (auto& entry : read_items<kRealmEntry, RealmEntry>(self, node, report)) server.realm_names.push_back(std::move(entry.name));
}
Node write_realms(const Element& self, const ServerConfig& server) {
  Node node = write_single<kRealms>(self, server);
  for (const auto& name : server.realm_names) node.children.push_back(write_item<kRealmEntry>(self, RealmEntry{name}));
  return node;
}

constexpr std::array kElements{
    Element{
        "users", "",
        "Unix users of their own for what touches strangers and what holds keys. Only a server that root starts can become them.",
        "", "", read_single<kUsers>, write_single<kUsers>, describe_single<kUsers>, no_attributes},
    Element{"socket", "", "The Unix socket run/chanceryd.sock, the one door of the server.", "", "", read_single<kSocket>,
            write_single<kSocket>, describe_single<kSocket>, no_attributes},
    Element{"log", "", "Where log lines go.", "", "", read_single<kLog>, write_single<kLog>, describe_single<kLog>,
            no_attributes},
    Element{"limits", "", "What clients may take.", "", "", read_limits, write_limits, describe_item<kLimits, Limits>,
            no_attributes},
    Element{"realms", "realm", "The realms of this server.",
            "A realm to load. Without any, every directory that has a ca.config.yml is one.", R"(name="default")", read_realms,
            write_realms, describe_single<kRealms>, describe_item<kRealmEntry, RealmEntry>},
    Element{"identities", "identity",
            "Who may do what, by Unix account. root is admin everywhere, and so is the server's user if it has only one.",
            "Gives roles to a user or a group. Rules add up.", R"(group="adm" realm="*" roles="auditor")",
            read_list<kIdentity, &ServerConfig::identities>, write_list<kIdentity, &ServerConfig::identities>, no_attributes,
            describe_item<kIdentity, IdentityRule>},
    Element{"front-ends", "front-end", "Programs that serve a protocol as clients of the socket; the server runs them.",
            "A front end.", R"(name="http" program="chancery-http" realms="*" roles="frontend")",
            read_list<kFrontEnd, &ServerConfig::front_ends>, write_list<kFrontEnd, &ServerConfig::front_ends>, no_attributes,
            describe_item<kFrontEnd, FrontEnd>},
    Element{"listeners", "listener", "Addresses of chancery-http.", "An address and port.",
            R"(name="https" address="127.0.0.1" port="8000" default-realm="default" realms="*" names="localhost 127.0.0.1")",
            read_list<kListener, &ServerConfig::listeners>, write_list<kListener, &ServerConfig::listeners>, no_attributes,
            describe_item<kListener, Listener>},
    Element{"zmq", "endpoint", "Addresses of chancery-zmq.", "A pair of ports for one realm.",
            R"(address="127.0.0.1" port="5000" realm="default")", read_list<kEndpoint, &ServerConfig::zmq_endpoints>,
            write_list<kEndpoint, &ServerConfig::zmq_endpoints>, no_attributes, describe_item<kEndpoint, ZmqEndpoint>},
    Element{"zmq-peers", "peer", "Who may come to chancery-zmq from other machines, by CURVE key.", "One of them.",
            R"(name="ra1" key="rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7" realm="default" roles="ra-operator")",
            read_list<kPeer, &ServerConfig::zmq_peers>, write_list<kPeer, &ServerConfig::zmq_peers>, no_attributes,
            describe_item<kPeer, ZmqPeer>},
};

}  // namespace

std::span<const Setting<ServerConfig>> root_settings() { return kRoot; }
std::span<const Element> server_elements() { return kElements; }

ServerConfig read_server(const Node& root, Report& report) {
  ServerConfig server;
  if (root.name != kRootElement) {
    report.error(root, "found the root element " + root.name + ", expected " + std::string(kRootElement));
    return server;
  }
  auto known = names_of(root_settings());
  for (const auto& element : kElements) known.emplace_back(element.name);
  check_names(root, known, report);
  read_settings(root_settings(), root, server, report);
  for (const auto& element : kElements) {
    const Node* found = nullptr;
    for (const auto& child : root.children) {
      if (child.name != element.name || !is_section(child, report)) continue;
      if (found != nullptr) report.error(child, "found the element a second time, expected it once");
      if (found == nullptr) element.read(element, child, server, report);
      found = &child;
    }
  }
  return server;
}

Node write_server(const ServerConfig& server) {
  Node root = map(std::string(kRootElement));
  write_settings(root_settings(), server, root);
  for (const auto& element : kElements) root.children.push_back(element.write(element, server));
  return root;
}

}  // namespace chancery::config
