#include "clients/ra/remote_ra.h"

#include <chrono>

#include "clients/ra/ca_host.h"
#include "clients/ra/data_directory.h"
#include "server/base/log.h"
#include "server/base/text.h"
#include "server/base/xml_text.h"

namespace chancery::ra {
namespace {

constexpr std::chrono::milliseconds kAnswerLimit{5000};  ///< uPKI's RA waits no longer (UPKI.md 1.1)
constexpr std::string_view kProfile = "ra";

http::RemoteCa ca_of(const Environment& environment, const DataDirectory& data) {
  auto ca = environment.ca;
  ca.key_file = data.curve_key_file();
  return ca;
}

/// What this RA was registered as. uPKI's own file has the seed, too, for everybody to read; here it is nowhere.
Json config_of(const Environment& environment) {
  return Json::object({{"ca_host", environment.ca.host},
                       {"ca_port", environment.ca.port},
                       {"cn", environment.cn},
                       {"profile", kProfile},
                       {"sans", Json::strings(environment.sans)}});
}

Result<Registered> ask_to_register(const Environment& environment, const CaHost& host) {
  auto params = Json::object({{"seed", environment.seed}, {"cn", environment.cn}, {"profile", kProfile}});
  if (!environment.sans.empty()) params.set("sans", sans_to_register(environment));
  PKI_TRY(auto link, host.registration());
  const auto data = link.ask("register", params, kAnswerLimit);
  if (!data.ok()) return Error(data.error().code(), "registration: " + data.error().message(), data.error().hint());
  auto registered = Registered::read(*data);
  if (!registered.ok()) return Error(registered.error().code(), "the CA's answer: " + registered.error().message());
  return registered;
}

Result<x509::Certificate> certificate_for(const Environment& environment, const DataDirectory& data, const base::Clock& clock) {
  PKI_TRY(auto there, data.certificate(clock));
  if (there) return *std::move(there);
  if (environment.seed.empty())
    return Error(Code::BadConfig, data.certificate_file().string() + " is not there, and no UPKI_CA_SEED to register with",
                 "the CA's operator has the seed; chancery seed create makes one for a single use");
  PKI_TRY(const auto host, CaHost::find(ca_of(environment, data)));
  PKI_TRY_VOID(data.begin(config_of(environment)));
  PKI_TRY(auto registered, ask_to_register(environment, host));
  PKI_TRY_VOID(data.store(registered));
  base::log_info("registered at " + environment.ca.host + " as " + registered.certificate.subject().to_slash() + ", serial " +
                 registered.certificate.serial().hex());
  return std::move(registered.certificate);
}

/// Whether the CA says that the realm is another than the port's: it refuses a command for it in other words than one for none.
Status check_realm(const CaHost& host) {
  const auto& realm = host.settings().realm;
  if (realm.empty()) return {};
  PKI_TRY(auto link, host.operations());
  auto message = Json::object({{"method", "ca.get"}});
  const auto unnamed = link.ask("command", message, kAnswerLimit);
  if (!unnamed.ok() && unnamed.error().code() != Code::Denied) return unnamed.error();
  const auto named = link.ask("command", message.set("realm", realm), kAnswerLimit);
  if (named.ok()) return {};
  if (named.error().code() != Code::Denied) return named.error();
  if (!unnamed.ok() && unnamed.error().message() == named.error().message()) return {};  // the task is not for this peer
  return Error(Code::BadConfig,
               "found realm " + realm + " (UPKI_RA_REALM or --realm), and the CA refuses it: " + named.error().message(),
               "name the realm of the CA's port, or leave it out");
}

/// Files of another CA than the one that answers serve nobody: its certificates are checked against the wrong one.
Status check_ca(const CaHost& host, const x509::Certificate& own) {
  PKI_TRY(auto link, host.operations());
  const auto answer = link.ask("get_ca", Json::object(), kAnswerLimit);
  if (!answer.ok() && answer.error().code() == Code::Denied) {
    base::log_warning("get_ca: the CA refuses: " + answer.error().message());
    return {};
  }
  if (!answer.ok()) return Error(answer.error().code(), "get_ca: " + answer.error().message());
  const auto* pem = answer->as_string();
  const auto ca = x509::Certificate::from_pem_chain(pem == nullptr ? "" : *pem);
  if (!ca.ok()) return Error(Code::Malformed, "get_ca: the CA's answer: " + ca.error().message());
  if (own.verify_signed_by(ca->front()).ok()) return {};
  return Error(Code::Conflict, "ra.crt is not of the CA that answers, which is " + ca->front().subject().to_slash(),
               "is that the right host and data directory? Else move ra.crt and ra.key away and start with UPKI_CA_SEED: the RA "
               "is registered anew");
}

Status greet(const CaHost& host) {
  PKI_TRY(auto link, host.operations());
  const auto admins = link.ask("list_admins", Json::object(), kAnswerLimit);
  if (admins.ok()) return {};
  if (admins.error().code() != Code::Denied) return Error(admins.error().code(), "list_admins: " + admins.error().message());
  base::log_warning("list_admins: the CA refuses: " + admins.error().message());
  return {};
}

/// Whom clients may call this RA: the names in its certificate.
Json names_of(const x509::Certificate& certificate, const Environment& environment) {
  Json names = Json::array();
  for (const auto& name : certificate.sans()) names.push_back(name.value);
  if (certificate.sans().empty()) names.push_back(environment.address);
  return names;
}

Json settings_of(const Environment& environment, const DataDirectory& data, Json names) {
  const auto ca = ca_of(environment, data);
  const auto listener = Json::object({{"name", "ra"},
                                      {"tls", environment.tls},
                                      {"address", environment.address},
                                      {"port", environment.port},
                                      {"default_realm", ca.label()},
                                      {"names", std::move(names)},
                                      {"certificate_file", data.certificate_file().string()},
                                      {"key_file", data.key_file().string()}});
  const auto remote = Json::object({{"host", ca.host},
                                    {"port", ca.port},
                                    {"server_key", ca.server_key},
                                    {"key_file", ca.key_file.string()},
                                    {"realm", ca.realm}});
  return Json::object({{"remote_ca", remote}, {"state_directory", data.path().string()}, {"listeners", Json::array({listener})}});
}

}  // namespace

Result<Json> init(const Environment& environment) {
  const DataDirectory data(environment.data);
  PKI_TRY(const auto key, data.prepare());
  const auto row =
      "<peer name=\"remote-ra\" key=\"" + base::to_xml(key) + "\" realm=\"" + environment.ca.label() + "\" roles=\"frontend\"/>";
  return Json::object({{"data_directory", data.path().string()}, {"public_key", key}, {"peer", row}});
}

Result<Json> register_ra(const Environment& environment, const base::Clock& clock) {
  const DataDirectory data(environment.data);
  PKI_TRY_VOID(data.check(!environment.ca.server_key.empty()));
  PKI_TRY(const auto certificate, certificate_for(environment, data, clock));
  return Json::object({{"certificate", data.certificate_file().string()},
                       {"subject", certificate.subject().to_slash()},
                       {"serial", certificate.serial().hex()},
                       {"not_after", base::to_rfc3339(certificate.not_after())}});
}

Result<http::Settings> start(const Environment& environment, const base::Clock& clock) {
  const DataDirectory data(environment.data);
  PKI_TRY_VOID(data.check(!environment.ca.server_key.empty()));
  PKI_TRY(const auto host, CaHost::find(ca_of(environment, data)));
  PKI_TRY(const auto certificate, certificate_for(environment, data, clock));
  PKI_TRY_VOID(greet(host));
  PKI_TRY_VOID(check_ca(host, certificate));
  PKI_TRY_VOID(check_realm(host));
  if (!environment.tls) base::log_warning("UPKI_RA_TLS is not true: plain HTTP, which serves no ACME and no client certificates");
  return http::read_settings(settings_of(environment, data, names_of(certificate, environment)));
}

Result<std::unique_ptr<Renewal>> keep_renewed(const http::Settings& settings, const base::Clock& clock,
                                              std::function<void()> on_renewed) {
  PKI_TRY(auto host, CaHost::find(*settings.remote_ca));
  return std::make_unique<Renewal>(std::move(host), DataDirectory(settings.state_directory), clock, std::move(on_renewed));
}

}  // namespace chancery::ra
