#include "clients/notify/settings.h"

#include <algorithm>
#include <array>

#include "server/base/address.h"
#include "server/base/file.h"
#include "server/base/mail_address.h"

namespace chancery::notify {
namespace {

constexpr std::size_t kMaxSettings = 1 << 20;

struct Word {
  std::string_view text;
  MailTls value;
};
constexpr std::array kMailTls{Word{"starttls", MailTls::StartTls}, Word{"tls", MailTls::Tls}, Word{"none", MailTls::None}};

Error bad(const RealmSettings& realm, const std::string& what) { return {Code::BadConfig, "realm " + realm.realm + ": " + what}; }

/// "HOST:PORT" of a URL, with a port of its own when it has none.
std::string host_port_of(const std::string& url) {
  auto host = url.substr(url.find("://") + 3);
  host = host.substr(0, host.find('/'));
  const bool has_port = host.find(':') != std::string::npos && !host.ends_with(']');
  host = has_port ? host : host + ":389";
  return host.starts_with("localhost:") ? "127.0.0.1" + host.substr(host.find(':')) : host;
}

LdapSettings read_ldap(const Json* json) {
  if (json == nullptr || !json->is_object()) return {};
  return {.url = json->text("url"),
          .start_tls = json->boolean("start_tls"),
          .tls_ca_file = json->text("tls_ca_file"),
          .bind_dn = json->text("bind_dn"),
          .bind_password_file = json->text("bind_password_file"),
          .ca_dn = json->text("ca_dn"),
          .certificate_dn = json->text("certificate_dn"),
          .timeout = std::chrono::seconds(json->integer("timeout", 10))};
}

Status check_ldap(const RealmSettings& realm) {
  const auto& ldap = realm.ldap;
  if (ldap.url.empty()) return {};
  if (ldap.timeout.count() < 1) return bad(realm, "publishing.ldap.timeout below a second");
  if (ldap.bind_dn.empty() || ldap.bind_password_file.empty()) return bad(realm, "publishing.ldap without bind_dn or password");
  if (ldap.ca_dn.find("{ca}") == std::string::npos) return bad(realm, "publishing.ldap.ca_dn without {ca}");
  if (ldap.url.starts_with("ldap://") && !ldap.start_tls && !stays_here(host_port_of(ldap.url)))
    return bad(realm, "publishing.ldap is " + ldap.url + " without start_tls, which is not at an address of loopback");
  return {};
}

/// chanceryd has checked this, too; but this program is the one that would send.
Status check(const RealmSettings& realm) {
  if (realm.timeout.count() < 1 || realm.crl_timeout.count() < 1 || realm.round.count() < 1)
    return bad(realm, "timeout or round below a second");
  PKI_TRY_VOID(check_ldap(realm));
  if (realm.mail_server.empty()) return {};
  if (!base::is_mail_address(realm.mail_from)) return bad(realm, "mail_from is no mail address");
  if (realm.mail_tls == MailTls::None && !stays_here(realm.mail_server))
    return bad(realm, "mail_tls is none for " + realm.mail_server + ", which is not at an address of loopback");
  return {};
}

Result<RealmSettings> read_realm(const Json& json) {
  RealmSettings realm{.realm = json.text("realm"),
                      .round = std::chrono::seconds(json.integer("round", 30)),
                      .mail_server = json.text("mail_server"),
                      .mail_from = json.text("mail_from"),
                      .mail_user = json.text("mail_user"),
                      .mail_password_file = json.text("mail_password_file"),
                      .ca_file = json.text("ca_file"),
                      .language = json.text("language", "en"),
                      .languages = json.texts("languages"),
                      .templates = json.text("templates"),
                      .webhook_key_file = json.text("webhook_key_file"),
                      .program = json.text("program"),
                      .timeout = std::chrono::seconds(json.integer("timeout", 30)),
                      .sends = json.boolean("sends", true),
                      .crl_directory = json.text("crl_directory"),
                      .crl_program = json.text("crl_program"),
                      .crl_timeout = std::chrono::seconds(json.integer("crl_timeout", 30)),
                      .makes_delta_crls = json.boolean("makes_delta_crls"),
                      .ldap = read_ldap(json.find("ldap"))};
  const auto* const word = std::ranges::find(kMailTls, json.text("mail_tls", "starttls"), &Word::text);
  if (word == kMailTls.end()) return bad(realm, "mail_tls is none of starttls, tls and none");
  realm.mail_tls = word->value;
  PKI_TRY_VOID(check(realm));
  return realm;
}

}  // namespace

bool stays_here(const std::string& host_port) {
  auto host = host_port.substr(0, host_port.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return base::is_loopback(host);
}

Result<Settings> read_settings(const Json& json) {
  Settings settings{.socket = json.text("socket"), .front_end = json.text("front_end", "notify"), .log = {}, .realms = {}};
  if (const auto* log = json.find("log")) {
    settings.log.destination = log->text("destination", "stderr");
    PKI_TRY(settings.log.level, base::log_level_from_text(log->text("level", "info")));
  }
  const auto* notices = json.find("notices");
  if (notices == nullptr || !notices->is_array()) return settings;
  for (const auto& one : *notices->as_array()) {
    PKI_TRY(auto realm, read_realm(one));
    settings.realms.push_back(std::move(realm));
  }
  return settings;
}

Result<Settings> load_settings(int descriptor) {
  PKI_TRY(const auto text, base::read_input("/proc/self/fd/" + std::to_string(descriptor), kMaxSettings));
  PKI_TRY(const auto json, wire::parse_json(text));
  return read_settings(json);
}

}  // namespace chancery::notify
