#include "clients/api/service.h"
#include "clients/zmq/dialect.h"
#include "clients/zmq/view.h"
#include "server/base/text.h"

/// What a certificate's holder does with that certificate.
namespace chancery::api {

Result<Json> Service::own_certificate(const Call& call) {
  PKI_TRY(const auto own, call.ask("own.certificate.get"));
  return success(zmq_gateway::certificate_view(own));
}

Result<Json> Service::own_status(const Call& call) {
  PKI_TRY(const auto own, call.ask("own.certificate.get"));
  PKI_TRY(const auto status, call.ask("ocsp.status", Json::object({{"serial", own.text("serial")}})));
  return success(Json::object({{"dn", own.text("subject")},
                               {"serial", zmq_gateway::serial_number(own.text("serial"))},
                               {"status", own.text("state")},
                               {"ocsp", status.text("status")}}));
}

Result<Json> Service::renew(const Call& call) {
  const auto& fields = call.fields();
  PKI_TRY(const auto own, call.ask("own.certificate.get"));
  const auto profile = fields.text("profile", own.text("profile"));
  if (profile != own.text("profile")) {
    return Error(Code::Denied, "a certificate keeps its profile when it is renewed: found " + base::printable(profile, 64) +
                                   ", expected " + own.text("profile"));
  }
  auto params = Json::object();
  if (const auto csr = fields.text("csr"); !csr.empty()) params.set("csr", csr);
  PKI_TRY(const auto result, call.ask("own.certificate.renew", std::move(params)));
  return issued(result);
}

Result<Json> Service::revoke(const Call& call) {
  const auto* given = call.fields().find("reason");
  PKI_TRY(const auto reason, given == nullptr ? Result<std::string>("unspecified") : zmq_gateway::reason_from(*given));
  PKI_TRY(const auto revoked, call.ask("own.certificate.revoke", Json::object({{"reason", reason}})));
  return done("certificate " + revoked.text("serial") + " is revoked: " + revoked.text("reason"));
}

}  // namespace chancery::api
