#include <algorithm>
#include <charconv>
#include <optional>

#include "server/base/address.h"
#include "server/config/checks.h"
#include "server/config/notice_settings.h"
#include "server/config/publishing_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/setting.h"
#include "server/config/text_checks.h"

/// What only the whole shows: the server and all its realms side by side.
namespace chancery::config {
namespace {

/// The parts of an http(s) URL that say who serves it.
struct Address {
  bool tls = false;
  std::string host;
  int port = 0;
  std::string path;
};

std::optional<int> port_from(std::string_view text) {
  int port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc() && end == text.data() + text.size() ? std::optional(port) : std::nullopt;
}

/// @pre check_url holds.
std::optional<Address> parse_url(std::string_view url) {
  Address address;
  address.tls = url.starts_with("https://");
  url.remove_prefix(url.find("//") + 2);
  const auto slash = std::min(url.find('/'), url.size());
  address.path = url.substr(slash);
  auto authority = url.substr(0, slash);
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const auto port = has_port ? port_from(authority.substr(colon + 1)) : std::optional<int>(address.tls ? 443 : 80);
  if (!port) return std::nullopt;
  address.port = *port;
  auto host = has_port ? authority.substr(0, colon) : authority;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = host;
  return address;
}

/// Whether the host is one of this server's, as far as its configuration says.
bool is_ours(const ServerConfig& server, const std::string& host) {
  if (base::is_localhost(host) || base::is_loopback(host)) return true;
  return std::ranges::any_of(
      server.listeners, [&](const Listener& one) { return one.address == host || std::ranges::count(one.names, host) != 0; });
}

bool serves(const Listener& listener, std::string_view realm) {
  return std::ranges::any_of(listener.realms, [&](const std::string& one) { return one == "*" || one == realm; });
}

/// Why nobody gets that URL from this server; nothing when somebody may, or when it is another's to serve.
std::optional<std::string> fault_in_url(const ServerConfig& server, const RealmName& realm, const std::string& url) {
  const auto address = parse_url(url);
  if (!address) return "found no port number in " + url;
  if (!is_ours(server, address->host)) return std::nullopt;
  const auto listener = std::ranges::find(server.listeners, address->port, &Listener::port);
  if (listener == server.listeners.end()) return "found " + url + ", but no listener has port " + std::to_string(address->port);
  if (listener->tls != address->tls) {
    return "found " + url + ", but listener " + listener->name + " on that port speaks " + (listener->tls ? "https" : "http");
  }
  constexpr std::string_view kRealms = "/realms/";
  const bool by_path = address->path.starts_with(kRealms);
  const auto rest = by_path ? address->path.substr(kRealms.size()) : std::string();
  const auto named = by_path ? rest.substr(0, rest.find('/')) : listener->default_realm;
  if (named != realm.text()) return "found " + url + ", which is of " + (named.empty() ? "no realm" : "realm " + named);
  if (!serves(*listener, named)) return "found " + url + ", but listener " + listener->name + " does not serve the realm";
  return std::nullopt;
}

/// A list of addresses that certificates carry.
struct UrlList {
  std::string_view name;
  const std::vector<std::string>& urls;
  bool unanswered = false;  ///< of OCSP responders, and the realm has none
};

std::optional<std::string> fault_in(const UrlList& list, const ServerConfig& server, const RealmName& realm,
                                    const std::string& url) {
  if (auto fault = fault_in_url(server, realm, url)) return fault;
  if (!list.unanswered || !is_ours(server, parse_url(url)->host)) return std::nullopt;
  return "found " + url + ", but nobody of this realm answers OCSP there: no CA below cas has purpose: ocsp (RFC 6960)";
}

void check_list(const UrlList& list, const ServerConfig& server, const RealmConfig& realm, const Node& at, Report& report) {
  for (std::size_t i = 0; i < list.urls.size(); ++i) {
    const Node& place = at.children.size() == list.urls.size() ? at.children[i] : at;
    if (const auto fault = fault_in(list, server, realm.name, list.urls[i])) {
      report.warning(place, *fault + ": clients that check certificates get nothing there");
    } else if (list.urls[i].starts_with("https://")) {
      report.warning(place,
                     "found https, expected http: checking that server's certificate needs what is served there "
                     "(RFC 5280 8)");
    }
  }
}

/// An address in every certificate that leads nowhere is found out when the first certificate has to be checked.
void check_urls(const ServerConfig& server, const RealmConfig& realm, const Node& root, Report& report) {
  const bool is_unanswered = std::ranges::none_of(realm.cas, [](const auto& one) { return one.second.is_responder(); });
  for (const auto& list :
       {UrlList{"crl_urls", realm.crl_urls}, UrlList{"crl_delta_urls", realm.crl_delta_urls},
        UrlList{"ca_issuer_urls", realm.ca_issuer_urls}, UrlList{"ocsp_urls", realm.ocsp_urls, is_unanswered}}) {
    if (const Node* at = root.find(list.name)) check_list(list, server, realm, *at, report);
  }
}

/// uPKI's host and port, as far as they are given.
struct ZmqAddress {
  const Node* host = nullptr;
  const Node* port = nullptr;
  int number = 0;

  const Node& place() const { return host != nullptr ? *host : *port; }
  bool fits(const ZmqEndpoint& endpoint) const {
    return (host == nullptr || endpoint.address == host->text) && (port == nullptr || endpoint.port == number);
  }
  std::string text() const {
    return (host != nullptr ? host->text : "127.0.0.1") + " port " + std::to_string(port != nullptr ? number : kUsualPort);
  }
  static constexpr int kUsualPort = 5000;
};

const Node* given(const Node& root, std::string_view name) {
  const Node* found = root.find(name);
  return found == nullptr || found->kind == Node::Kind::Null ? nullptr : found;
}

std::optional<ZmqAddress> read_zmq_address(const Node& root, Report& report) {
  constexpr int kMostPort = 65534;
  ZmqAddress out{given(root, "host"), given(root, "port")};
  const SettingInfo port{.least = 1, .most = kMostPort, .type = Codec<int>::kType};
  if (out.port != nullptr && !read_scalar(port, *out.port, out.number, report)) return std::nullopt;
  if (out.host == nullptr) return out;
  const auto address = out.host->kind == Node::Kind::Scalar
                           ? check_address(out.host->text)
                           : Status(Error(Code::BadConfig, "found no text, expected an IPv4 or IPv6 address"));
  if (address.ok()) return out;
  report.error(*out.host, address.error().message());
  return std::nullopt;
}

/// The address that uPKI's ca.config.yml names is the one where this realm is served.
void check_zmq_address(const ServerConfig& server, const RealmConfig& realm, const Node& root, Report& report) {
  const auto wanted = read_zmq_address(root, report);
  if (!wanted || (wanted->host == nullptr && wanted->port == nullptr)) return;
  std::string others;
  for (const auto& endpoint : server.zmq_endpoints) {
    if (endpoint.realm != realm.name.text()) continue;
    if (wanted->fits(endpoint)) return;
    others += (others.empty() ? "" : ", ") + endpoint.address + " port " + std::to_string(endpoint.port);
  }
  if (!others.empty()) {
    return report.error(wanted->place(), "found " + wanted->text() + ", but chancery.xml serves this realm at " + others +
                                             ", expected them to agree: change one of them, or leave host and port out here");
  }
  const auto address = wanted->host != nullptr ? wanted->host->text : "127.0.0.1";
  const auto port = std::to_string(wanted->port != nullptr ? wanted->number : ZmqAddress::kUsualPort);
  report.warning(wanted->place(), "found " + wanted->text() +
                                      ", but chancery.xml serves this realm at no ZMQ address, expected " +
                                      "<zmq><endpoint address=\"" + address + "\" port=\"" + port + "\" realm=\"" +
                                      realm.name.text() + "\"/></zmq> there");
}

/// Vantage points answer known keys only, and a realm that has some takes no proof without them.
void check_vantage_keys(const ServerConfig& server, const RealmConfig& realm, const Node& root, Report& report) {
  const Node* acme = root.find(kAcmeSection);
  const Node* at = acme == nullptr ? nullptr : acme->find("vantage_points");
  if (at == nullptr || realm.acme.vantage_points.empty() || !realm.acme.enabled) return;
  for (const auto& one : server.front_ends) {
    if (!one.enabled || !one.asks_vantage_points() || !one.vantage_key_file.empty()) continue;
    const bool serves_it =
        std::ranges::any_of(one.realms, [&](const auto& name) { return name == "*" || name == realm.name.text(); });
    if (!serves_it) continue;
    report.error(*at,
                 "found vantage points, but front end " + one.name +
                     " of chancery.xml has no vantage-key-file to ask them with, expected one (chancery zmq-key --out FILE makes "
                     "it): without it every proof fails");
  }
}

/// Who writes there is master of every record that the realm has (nodes, administrators, what is revoked).
void check_database_directory(const ServerConfig& server, const RealmConfig& realm, Report& report) {
  check_trusted(realm.database_file().parent_path(), {realm.directory, users_of_files(server)}, report);
}

}  // namespace

void check_realm_in_server(const ServerConfig& server, const RealmConfig& realm, const Node& root, Report& report) {
  check_urls(server, realm, root, report);
  check_zmq_address(server, realm, root, report);
  check_database_directory(server, realm, report);
  check_vantage_keys(server, realm, root, report);
  check_notices_in_server(server, realm, root, report);
  check_publishing_in_server(server, realm, root, report);
}

}  // namespace chancery::config
