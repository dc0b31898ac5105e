#include "clients/http/settings.h"

#include <algorithm>

#include "clients/http/head.h"
#include "server/base/address.h"
#include "server/base/names.h"
#include "server/base/text.h"

namespace chancery::http {
namespace {

constexpr int kMaxPort = 65535;
constexpr std::size_t kMaxShown = 64;

/// An address literal of IPv6 stands in brackets in URLs (RFC 3986 3.2.2).
std::string host_form(const std::string& name) { return name.find(':') == std::string::npos ? name : "[" + name + "]"; }

/// A host as it stands in a URL, which means this machine.
bool is_this_machine(std::string_view host) {
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  return base::is_localhost(host) || base::is_loopback(in_brackets ? host.substr(1, host.size() - 2) : host);
}

Result<base::Network> read_proxy(const std::string& text) {
  auto network = base::Network::parse(text);
  if (!network.ok()) return Error(Code::BadConfig, "trusted_proxies: " + network.error().message());
  if (network->is_mapped())
    return Error(Code::BadConfig,
                 "trusted_proxies: found \"" + base::printable(text, kMaxShown) + "\", expected IPv4 networks as 10.0.0.0/8");
  return network;
}

Result<ListenerSettings> read_listener(const Json& json) {
  ListenerSettings listener;
  listener.name = json.text("name");
  listener.tls = json.boolean("tls", true);
  listener.address = json.text("address", listener.address);
  listener.port = static_cast<int>(json.integer("port"));
  listener.default_realm = json.text("default_realm");
  listener.realms = json.texts("realms");
  listener.names = json.texts("names");
  const Json* hosts = json.find("hosts");
  if (hosts != nullptr && hosts->is_object())
    for (const auto& [host, realm] : *hosts->as_object()) listener.hosts[host] = realm.is_string() ? *realm.as_string() : "";
  listener.new_accounts_per_hour = static_cast<int>(json.integer("new_accounts_per_hour", listener.new_accounts_per_hour));
  listener.asks_for_certificates = json.text("client_certificates", "optional") == "optional";
  listener.proxy_headers = base::to_lower_ascii(json.text("proxy_headers", listener.proxy_headers));
  for (const auto& text : json.texts("trusted_proxies")) {
    PKI_TRY(auto network, read_proxy(text));
    listener.trusted_proxies.push_back(std::move(network));
  }
  listener.certificate_file = json.text("certificate_file");
  listener.key_file = json.text("key_file");
  if (listener.certificate_file.empty() != listener.key_file.empty())
    return Error(Code::BadConfig, "listener " + listener.name + ": found one of certificate_file and key_file, expected both");
  if (auto good = base::check_word(listener.name, "listener name"); !good.ok())
    return Error(Code::BadConfig, good.error().message());
  if (listener.port < 0 || listener.port > kMaxPort) {
    return Error(Code::BadConfig, "listener " + listener.name + ": port " + std::to_string(listener.port));
  }
  if (listener.new_accounts_per_hour < 0) {
    return Error(Code::BadConfig, "listener " + listener.name + ": new_accounts_per_hour is below 0");
  }
  if (listener.names.empty()) listener.names.push_back(listener.address);
  return listener;
}

Result<RemoteCa> read_remote_ca(const Json& json) {
  constexpr int kMostPort = kMaxPort - 1;
  RemoteCa ca;
  ca.host = json.text("host");
  ca.port = static_cast<int>(json.integer("port", ca.port));
  ca.server_key = json.text("server_key");
  ca.key_file = json.text("key_file");
  ca.realm = json.text("realm");
  if (ca.host.empty()) return Error(Code::BadConfig, "remote_ca: member host is missing");
  if (ca.port < 1 || ca.port > kMostPort)
    return Error(Code::BadConfig, "remote_ca: port " + std::to_string(ca.port) + ", expected 1 to " + std::to_string(kMostPort));
  if (!ca.server_key.empty() && ca.key_file.empty())
    return Error(Code::BadConfig, "remote_ca: server_key without key_file, expected this program's own key, too");
  return ca;
}

/// A remote CA has one realm, and makes no certificates for listeners that its configuration does not know.
Status check_beside_remote(const ListenerSettings& listener, const RemoteCa& ca) {
  const auto realm = ca.label();
  const auto is_ours = [&](const std::string& one) { return one == realm; };
  if (listener.default_realm != realm || !std::ranges::all_of(listener.realms, is_ours))
    return Error(Code::BadConfig, "listener " + listener.name + ": realms other than " + realm + ", the remote CA's");
  if (listener.tls && listener.certificate_file.empty())
    return Error(Code::BadConfig,
                 "listener " + listener.name + ": TLS without certificate_file, which a remote CA does not make");
  return {};
}

}  // namespace

bool ListenerSettings::serves(std::string_view realm) const {
  return std::ranges::find(realms, realm) != realms.end() || (!realm.empty() && realm == default_realm);
}

bool ListenerSettings::trusts(std::string_view peer) const {
  return std::ranges::any_of(trusted_proxies, [&](const base::Network& network) { return network.contains(peer); });
}

const std::string& ListenerSettings::realm_of(std::string_view authority) const {
  const auto found = hosts.find(base::to_lower_ascii(authority.substr(0, authority.rfind(':'))));
  return found == hosts.end() ? default_realm : found->second;
}

std::string ListenerSettings::authority(std::string_view host_header) const {
  const auto asked = parse_authority(host_header);
  if (asked.ok()) {
    const bool ours = is_this_machine(asked->host) || std::ranges::any_of(names, [&](const std::string& own) {
                        return base::to_lower_ascii(host_form(own)) == asked->host;
                      });
    if (ours) return asked->host + (asked->port == 0 ? "" : ":" + std::to_string(asked->port));
  }
  const int usual_port = tls ? 443 : 80;
  return host_form(names.front()) + (port == usual_port ? "" : ":" + std::to_string(port));
}

std::filesystem::path Settings::key_for_vantage_points() const {
  if (!vantage_key_file.empty() || !remote_ca || remote_ca->server_key.empty()) return vantage_key_file;
  return remote_ca->key_file;
}

Result<Settings> read_settings(const Json& json) {
  Settings settings;
  settings.socket = json.text("socket");
  settings.front_end = json.text("front_end", "http");
  settings.state_directory = json.text("state_directory");
  settings.vantage_key_file = json.text("vantage_key_file");
  if (const Json* log = json.find("log"); log != nullptr) {
    settings.log.destination = log->text("destination", settings.log.destination);
    PKI_TRY(settings.log.level, base::log_level_from_text(log->text("level", "info")));
  }
  const Json* listeners = json.find("listeners");
  if (const Json* remote = json.find("remote_ca"); remote != nullptr) {
    PKI_TRY(settings.remote_ca, read_remote_ca(*remote));
  }
  if (settings.socket.empty() != settings.remote_ca.has_value())
    return Error(Code::BadConfig, "found " + std::string(settings.remote_ca ? "both members" : "none of the members") +
                                      " socket and remote_ca, expected one");
  if (listeners == nullptr || !listeners->is_array()) return Error(Code::BadConfig, "member listeners is no array");
  for (const auto& one : *listeners->as_array()) {
    PKI_TRY(auto listener, read_listener(one));
    if (settings.remote_ca) PKI_TRY_VOID(check_beside_remote(listener, *settings.remote_ca));
    if (listener.tls && settings.state_directory.empty()) return Error(Code::BadConfig, "member state_directory is missing");
    settings.listeners.push_back(std::move(listener));
  }
  return settings;
}

}  // namespace chancery::http
