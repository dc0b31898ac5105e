#include <array>

#include "clients/acme/problems.h"
#include "clients/acme/service.h"
#include "server/base/names.h"
#include "server/x509/pem.h"

namespace chancery::acme {
namespace {

/// CRLReason by number (RFC 5280 5.3.1) as far as a subscriber may give one: 7 is unused, removeFromCRL is no revocation, and
/// the CA's own reasons are the CA's (PROMISES F42).
constexpr std::array<std::string_view, 11> kReasons{"unspecified",
                                                    "keyCompromise",
                                                    "",
                                                    "affiliationChanged",
                                                    "superseded",
                                                    "cessationOfOperation",
                                                    "",
                                                    "",
                                                    "",
                                                    "privilegeWithdrawn",
                                                    ""};

Result<std::string> read_reason(const Json& payload) {
  const Json* reason = payload.find("reason");
  if (reason == nullptr) return std::string(kReasons.front());
  const auto* number = reason->as_integer();
  if (number == nullptr)
    return acme_error("badRevocationReason", "reason is " + std::string(reason->kind()) + ", expected an integer");
  const bool known = *number >= 0 && *number < static_cast<std::int64_t>(kReasons.size());
  if (!known || kReasons.at(static_cast<std::size_t>(*number)).empty()) {
    return acme_error("badRevocationReason",
                      "reason " + std::to_string(*number) + ", expected 0, 1, 3, 4, 5 or 9 (RFC 8555 7.6)");
  }
  return std::string(kReasons.at(static_cast<std::size_t>(*number)));
}

}  // namespace

/// uPKI's command line asks for JSON, without a signature (UPKI.md 7 (7)); RFC 8555 7.4.2 knows POST-as-GET alone, and so does a
/// realm that does not serve it. What no order has obtained is not found.
http::Response Service::unsigned_certificate(const http::Request& request) {
  const auto whom = "http:" + request.peer.address;
  const auto realm = gateway_.call(request.realm, "acme.realm.get", Json::object(), whom);
  if (!realm.ok()) return problem_response(realm.error());
  if (!realm->boolean("upki_clients")) {
    auto refusal = problem_response(405, "method " + request.method + ", expected POST");
    return std::move(refusal.add("Allow", "POST"));
  }
  const auto serial = Serial::from_hex(request.parameter("serial"));
  if (!serial.ok()) return problem_response(404, "there is no such certificate");
  const auto found = gateway_.call(request.realm, "certificate.get", Json::object({{"serial", serial->hex()}}), whom);
  const bool is_unknown = found.ok() ? !found->text("requester").starts_with("acme:") : found.error().code() == Code::NotFound;
  if (is_unknown) return problem_response(404, "there is no such certificate");
  if (!found.ok()) return problem_response(found.error());
  return json_response(200, Json::object({{"certificate", found->text("certificate")}}));
}

/// RFC 8555 7.4.2: the certificate and all those above it. Clients split this text themselves; certbot refuses one without a
/// CA certificate, so the root is there too.
Result<http::Response> Service::certificate(const Call& call) {
  const auto serial = Serial::from_hex(call.request.parameter("serial"));
  if (!serial.ok()) return Error(Code::NotFound, "there is no such certificate");
  PKI_TRY(const auto found,
          ask(call, "acme.certificate.get", Json::object({{"account", call.account}, {"serial", serial->hex()}})));
  std::string chain = found.text("certificate");
  for (const auto& above : found.texts("chain")) chain += above;
  return http::content(200, "application/pem-certificate-chain", std::move(chain));
}

/// RFC 8555 7.6: signed by an account or by the certificate's own key; the daemon holds either against the certificate.
Result<http::Response> Service::revoke(const Call& call) {
  PKI_TRY(const Json* certificate, optional_member(*call.payload, "certificate", "a text"));
  if (certificate == nullptr) return acme_error("malformed", "member certificate is missing");
  const auto der = base::from_base64url(*certificate->as_string());
  if (!der.ok() || der->empty()) return acme_error("malformed", "certificate is no base64url");
  PKI_TRY(auto reason, read_reason(*call.payload));
  Json params = Json::object({{"certificate", x509::to_pem(x509::kCertificateLabel, *der)}, {"reason", std::move(reason)}});
  if (call.key) {
    params.set("jwk", call.key->json);
  } else {
    params.set("account", call.account);
  }
  PKI_TRY(const auto revoked, ask(call, "acme.certificate.revoke", std::move(params)));
  return http::Response{};
}

}  // namespace chancery::acme
