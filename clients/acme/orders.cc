#include "clients/acme/new_order.h"
#include "clients/acme/problems.h"
#include "clients/acme/service.h"
#include "server/x509/pem.h"

namespace chancery::acme {
namespace {

constexpr std::string_view kProcessingRetrySeconds = "1";

/// One order as RFC 8555 7.1.3 writes it.
Json order_document(const Json& order, const Urls& urls) {
  const auto id = order.text("id");
  Json document = Json::object({{"status", order.text("status")}});
  if (const Json* expires = order.find("expires"); expires != nullptr) document.set("expires", *expires);
  if (const Json* identifiers = order.find("identifiers"); identifiers != nullptr) document.set("identifiers", *identifiers);
  if (const auto profile = order.text("profile"); !profile.empty()) document.set("profile", profile);
  if (const auto time = order.text("not_before"); !time.empty()) document.set("notBefore", time);
  if (const auto time = order.text("not_after"); !time.empty()) document.set("notAfter", time);
  Json authorizations = Json::array();
  for (const auto& one : order.texts("authorizations")) authorizations.push_back(urls.authorization(one));
  document.set("authorizations", std::move(authorizations));
  document.set("finalize", urls.finalize(id));
  if (const Json* error = order.find("error"); error != nullptr && error->is_object()) document.set("error", *error);
  if (const auto replaced = order.text("replaces"); !replaced.empty()) document.set("replaces", replaced);
  if (const auto serial = order.text("serial"); !serial.empty()) document.set("certificate", urls.certificate(serial));
  return document;
}

http::Response order_response(int status, const Json& order, const Urls& urls) {
  auto response = json_response(status, order_document(order, urls));
  response.add("Location", urls.order(order.text("id")));
  if (order.text("status") == "processing") response.add("Retry-After", std::string(kProcessingRetrySeconds));
  return response;
}

}  // namespace

/// RFC 8555 7.4.
Result<http::Response> Service::new_order(const Call& call) {
  PKI_TRY(auto params, read_new_order(*call.payload));
  params.set("account", call.account);
  params.set("peer", call.request.peer.address);
  add_shown_certificate(call, params);
  PKI_TRY(const auto order, ask(call, "acme.order.create", std::move(params)));
  return order_response(201, order, call.urls);
}

Result<http::Response> Service::order(const Call& call) {
  PKI_TRY(const auto order,
          ask(call, "acme.order.get", Json::object({{"account", call.account}, {"order", call.request.parameter("order")}})));
  PKI_TRY_VOID(begin_caa_checks(call, order));
  return order_response(200, order, call.urls);
}

/// RFC 8555 7.4: the daemon compares the request's names with the order's and issues; what it wants looked up before is handed
/// on, and the order is processing meanwhile.
Result<http::Response> Service::finalize(const Call& call) {
  PKI_TRY(const Json* csr, optional_member(*call.payload, "csr", "a text"));
  if (csr == nullptr) return acme_error("malformed", "member csr is missing");
  const auto der = base::from_base64url(*csr->as_string());
  if (!der.ok()) return acme_error("badCSR", "csr is no base64url");
  PKI_TRY(const auto order, ask(call, "acme.order.finalize",
                                Json::object({{"account", call.account},
                                              {"order", call.request.parameter("order")},
                                              {"csr", x509::to_pem(x509::kRequestLabel, *der)},
                                              {"peer", call.request.peer.address}})));
  PKI_TRY_VOID(begin_caa_checks(call, order));
  return order_response(200, order, call.urls);
}

}  // namespace chancery::acme
