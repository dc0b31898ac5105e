#include "clients/api/magic.h"
#include "clients/api/service.h"
#include "clients/zmq/dialect.h"
#include "clients/zmq/view.h"
#include "server/base/text.h"

/// What the older generation's paths have of their own (UPKI.md 5.3, end).
namespace chancery::api {
namespace {

/// Changes the state of one certificate, and shows it in the CRL at once as uPKI does.
Result<Json> change(const Call& call, std::string_view method, Json params, std::string_view what) {
  const auto dn = call.fields().text("dn");
  PKI_TRY(const auto found, call.ask("certificate.get", selected(dn)));
  PKI_TRY([[maybe_unused]] const auto changed, call.ask(method, params.set("serial", found.text("serial"))));
  PKI_TRY([[maybe_unused]] const auto crl, call.ask("crl.issue"));
  return done(base::printable(dn) + std::string(what));
}

}  // namespace

Result<Json> Service::older_crl(const Call& call) {
  PKI_TRY(const auto crl, call.ask_openly("crl.get"));
  return success(Json::object({{"crl", crl.text("crl")}}));
}

Result<Json> Service::older_certificate(const Call& call) {
  PKI_TRY(const auto found, call.ask("certificate.get", selected(call.parameter("dn"))));
  return success(Json::object({{"certificate", found.text("certificate")}}));
}

Result<Json> Service::older_certify(const Call& call) {
  return issue(call, call.fields().text("CSR"), call.fields().text("profile", kUsualProfile));
}

Result<Json> Service::older_magic(const Call& call) {
  PKI_TRY(const auto profile, profile_view(call, call.parameter("profile")));
  PKI_TRY(const auto commands, commands_for(profile, call.fields().text("cn"), call.fields().texts("sans")));
  return success(Json::object({{"command", commands.generate_key + " && " + commands.generate_csr}}));
}

/// Its own `status` must not stand where that of the answer does.
Result<Json> Service::older_ocsp(const Call& call) {
  PKI_TRY(const auto answer, ocsp(call));
  return success(Json::object({{"response", *answer.find("data")}}));
}

Result<Json> Service::older_profiles(const Call& call) {
  PKI_TRY(const auto list, call.ask_openly("profile.list"));
  auto all = Json::object();
  for (const auto& name : list.texts("profiles")) {
    PKI_TRY(auto view, profile_view(call, name));
    all.set(name, std::move(view));
  }
  return success(Json::object({{"profiles", std::move(all)}}));
}

Result<Json> Service::older_remove_node(const Call& call) {
  PKI_TRY(const auto found, call.ask("certificate.get", selected(call.parameter("dn"))));
  return delete_node(call, zmq_gateway::common_name_of(found.text("subject")));
}

Result<Json> Service::older_revoke(const Call& call) {
  const auto* given = call.fields().find("reason");
  PKI_TRY(const auto reason, given == nullptr ? Result<std::string>("unspecified") : zmq_gateway::reason_from(*given));
  return change(call, "certificate.revoke", Json::object({{"reason", reason}}), " is revoked");
}

Result<Json> Service::older_unrevoke(const Call& call) {
  return change(call, "certificate.unrevoke", Json::object(), " is revoked no longer");
}

}  // namespace chancery::api
