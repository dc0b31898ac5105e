#include "server/base/names.h"
#include "server/wire/json.h"
#include "server/worker/start.h"

namespace chancery::worker {
namespace {

/// "*" means every realm that is loaded.
Json realms_of(const config::Snapshot& snapshot, const std::vector<std::string>& realms) {
  Json list = Json::array();
  for (const auto& realm : snapshot.realms) {
    for (const auto& one : realms) {
      if (one == "*" || one == realm->name.text()) {
        list.push_back(realm->name.text());
        break;
      }
    }
  }
  return list;
}

/// Host name -> realm.
Json hosts_of(const config::Listener& listener) {
  auto hosts = Json::object();
  for (const auto& text : listener.host_realms) {
    const auto [host, realm] = config::split_host_realm(text);
    hosts.set(host, realm);
  }
  return hosts;
}

Json describe_listener(const config::Snapshot& snapshot, const config::Listener& listener) {
  return Json::object({{"name", listener.name},
                       {"tls", listener.tls},
                       {"address", listener.address},
                       {"port", listener.port},
                       {"default_realm", listener.default_realm},
                       {"realms", realms_of(snapshot, listener.realms)},
                       {"names", Json::strings(listener.names)},
                       {"hosts", hosts_of(listener)},
                       {"new_accounts_per_hour", listener.new_accounts_per_hour},
                       {"client_certificates", listener.client_certificates},
                       {"trusted_proxies", Json::strings(listener.trusted_proxies)},
                       {"proxy_headers", listener.proxy_headers}});
}

/// Whom the endpoint lets in by key. What they may do is no business of the front end's (session.attest).
Json keys_for(const config::ServerConfig& server, const std::string& realm) {
  Json list = Json::array();
  for (const auto& peer : server.zmq_peers) {
    if (peer.realm == "*" || peer.realm == realm) list.push_back(peer.key);
  }
  return list;
}

Json describe_endpoint(const config::ServerConfig& server, const config::ZmqEndpoint& endpoint) {
  return Json::object({{"address", endpoint.address},
                       {"port", endpoint.port},
                       {"realm", endpoint.realm},
                       {"wrong_seeds_per_minute", endpoint.wrong_seeds_per_minute},
                       {"server_key_file", endpoint.server_key_file.string()},
                       {"without_curve", endpoint.without_curve},
                       {"attests_loopback", !endpoint.loopback_peers.empty()},
                       {"peer_keys", keys_for(server, endpoint.realm)}});
}

bool sends_notices(const config::RealmConfig& realm) { return !realm.notices.before.empty() || !realm.requests.remind.empty(); }

Json describe_ldap(const config::LdapPublishing& ldap) {
  return Json::object({{"url", ldap.url},
                       {"start_tls", ldap.start_tls},
                       {"tls_ca_file", ldap.tls_ca_file},
                       {"bind_dn", ldap.bind_dn},
                       {"bind_password_file", ldap.bind_password_file},
                       {"ca_dn", ldap.ca_dn},
                       {"certificate_dn", ldap.certificate_dn},
                       {"timeout", std::int64_t{ldap.timeout.count()}}});
}

/// What chancery-notify needs of a realm to send its notices and to publish its CRLs.
Json describe_notices(const config::RealmConfig& realm) {
  const auto& notices = realm.notices;
  return Json::object({{"realm", realm.name.text()},
                       {"round", std::int64_t{realm.crl_round().count()}},
                       {"mail_server", notices.mail_server},
                       {"mail_tls", notices.mail_tls},
                       {"mail_from", notices.mail_from},
                       {"mail_user", notices.mail_user},
                       {"mail_password_file", notices.mail_password_file},
                       {"ca_file", notices.ca_file},
                       {"language", notices.language},
                       {"languages", Json::strings(notices.languages)},
                       {"templates", notices.templates},
                       {"webhook_key_file", notices.webhook_key_file},
                       {"program", notices.program},
                       {"timeout", std::int64_t{notices.timeout.count()}},
                       {"sends", sends_notices(realm)},
                       {"crl_directory", realm.publishing.directory},
                       {"crl_program", realm.publishing.program},
                       {"crl_timeout", std::int64_t{realm.publishing.timeout.count()}},
                       {"makes_delta_crls", realm.crl_delta.count() > 0},
                       {"ldap", describe_ldap(realm.publishing.ldap)}});
}

/// Of the realms that have any; a front end that sends none depends on none.
Json notices_of(const config::Snapshot& snapshot, const config::FrontEnd& front_end) {
  Json list = Json::array();
  if (!front_end.sends_notices()) return list;
  const auto realms = realms_of(snapshot, front_end.realms);
  for (const auto& name : *realms.as_array()) {
    const auto* realm = snapshot.find(*name.as_string());
    if (realm != nullptr && (sends_notices(*realm) || realm->publishing.is_asked_for())) list.push_back(describe_notices(*realm));
  }
  return list;
}

}  // namespace

std::string front_end_settings(const config::Snapshot& snapshot, const config::FrontEnd& front_end) {
  const auto& server = snapshot.server;
  Json listeners = Json::array();
  for (const auto& listener : server.listeners) listeners.push_back(describe_listener(snapshot, listener));
  Json endpoints = Json::array();
  for (const auto& endpoint : server.zmq_endpoints) {
    endpoints.push_back(describe_endpoint(server, endpoint));
  }
  return wire::to_text(
      Json::object({{"socket", server.socket_file().string()},
                    {"front_end", front_end.name},
                    {"vantage_key_file", front_end.vantage_key_file.string()},
                    {"state_directory", (server.run_directory / front_end.name).string()},
                    {"log", Json::object({{"destination", server.inherited_log()}, {"level", server.log_level}})},
                    {"listeners", std::move(listeners)},
                    {"endpoints", std::move(endpoints)},
                    {"notices", notices_of(snapshot, front_end)}}));
}

}  // namespace chancery::worker
