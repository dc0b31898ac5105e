#include <array>
#include <optional>

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

/// Other chains, while the CA is rolled over.
Result<std::vector<Json>> alternates_of(const Json& found) {
  const auto* list = found.find("alternates");
  if (list == nullptr) return std::vector<Json>();
  if (!list->is_array()) return Error(Code::Malformed, "alternates that are no list");
  return *list->as_array();
}

constexpr std::string_view kAlternate = "alternate=";

/// Which chain a query means: 0 the usual one, else an alternate's number, "alternate=1". None: there is no such one.
std::optional<std::size_t> which(std::string_view query, std::size_t most) {
  if (!query.starts_with(kAlternate)) return 0;
  for (std::size_t i = 1; i <= most; ++i) {
    if (query.substr(kAlternate.size()) == std::to_string(i)) return i;
  }
  return std::nullopt;
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

/// RFC 8555 7.4.2: the certificate and all those above it; each other chain has a URL of its own. Clients split this text
/// themselves; certbot refuses one without a CA certificate, so the root is there too.
Result<http::Response> Service::certificate(const Call& call) {
  const auto serial = Serial::from_hex(call.request.parameter("serial"));
  if (!serial.ok()) return Error(Code::NotFound, "there is no such certificate");
  PKI_TRY(const auto found,
          ask(call, "acme.certificate.get", Json::object({{"account", call.account}, {"serial", serial->hex()}})));
  PKI_TRY(const auto others, alternates_of(found));
  const auto wanted = which(call.request.query, others.size());
  if (!wanted) return Error(Code::NotFound, "there is no such chain");
  std::string chain = found.text("certificate");
  for (const auto& above : *wanted == 0 ? found.texts("chain") : others[*wanted - 1].texts("chain")) chain += above;
  auto response = http::content(200, "application/pem-certificate-chain", std::move(chain));
  const auto base = call.urls.certificate(serial->hex());
  for (std::size_t i = 0; i <= others.size(); ++i) {
    if (i != *wanted)
      response.add("Link",
                   "<" + base + (i == 0 ? "" : "?" + std::string(kAlternate) + std::to_string(i)) + ">;rel=\"alternate\"");
  }
  return response;
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
