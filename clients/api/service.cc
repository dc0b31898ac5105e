#include "clients/api/service.h"

#include <algorithm>
#include <array>

#include "clients/api/body.h"
#include "clients/api/errors.h"
#include "clients/http/caller.h"
#include "server/base/role.h"

namespace chancery::api {
namespace {

/// Below these, refusals have this API's form.
constexpr std::array<std::string_view, 7> kFamilyPrefixes{"/api/",   "/certs/", "/certify", "/clients/",
                                                          "/magic/", "/ocsp",   "/private/"};
constexpr int kAuthRequired = 401;
constexpr int kForbidden = 403;

constexpr std::string_view kFrontEndRow = "the <front-end> in chancery.xml";
constexpr std::string_view kPeerRow = "the <peer> of this RA in the chancery.xml of the CA's machine";

/// What the daemon must have found a caller to be, for a route to be reached at all. Each command looks at the roles again.
/// @param row  the one of chancery.xml that bounds what this front end's callers may do.
Status check_caller(const Route& route, const Json& identity, std::string_view row) {
  if (route.caller == Caller::Holder) return {};
  const auto least = route.caller == Caller::Admin ? Role::Admin : Role::RaOperator;
  Roles roles;
  for (const auto& name : identity.texts("roles")) {
    PKI_TRY(const auto role, base::role_from_text(name));
    roles.add(role);
  }
  if (roles.allow(least)) return {};
  return Error(Code::Denied,
               identity.text("dn") + " is not " + (route.caller == Caller::Admin ? "an " : "a registered ") +
                   std::string(to_text(route.caller)) + " of this realm",
               std::string(route.caller == Caller::Admin ? "an administrator puts the name on the list, with chancery admin add"
                                                         : "register it with a seed, under the profile ra") +
                   "; " + std::string(row) + " needs the role " + std::string(to_text(least)) + ", too");
}

/// The older generation's errors are told by the body; who asks is still HTTP's business (UPKI.md 5.3).
http::Response in_style(const Route& route, http::Response refusal) {
  if (route.where != Where::Older) return refusal;
  const bool is_about_caller = refusal.status == kAuthRequired || refusal.status == kForbidden;
  refusal.status = is_about_caller ? kForbidden : 200;
  return refusal;
}

/// By nobody in between; what says itself how long it holds is another's (RFC 6960 A.1 has its answers below /ocsp/).
void not_to_be_kept(const http::Request& /*request*/, http::Response& response) {
  constexpr std::string_view kHeader = "Cache-Control";
  if (std::ranges::find(response.headers, kHeader, &http::Header::name) == response.headers.end())
    response.add(std::string(kHeader), "no-store");
}

/// The same request again, later: there and then it is answered (as RFC 7030 4.2.3 has it).
http::Response pending(const http::Request& request, const Json& document) {
  auto response = http::content(202, "application/json", wire::to_text(document) + "\n");
  response.add("Location", request.path);
  return response.add("Retry-After", "60");
}

std::string body_of(const Route& route, const Json& document) {
  const auto* data = document.find("data");
  if (route.answer->shape == Answer::Shape::Raw) return *data->as_object()->front().second.as_string();
  if (route.where != Where::Older || data == nullptr) return wire::to_text(document) + "\n";
  auto flat = Json::object({{"status", "success"}});
  for (const auto& [name, value] : *data->as_object()) flat.set(name, value);
  return wire::to_text(flat) + "\n";
}

}  // namespace

struct Service::Binding {
  std::string_view handler;
  Handle handle;
};

constexpr Service::Binding Service::kBindings[] = {
#define ROUTE(method, path, where, who, fields, answer, handler, doc) Binding{#handler, &Service::handler},
#include "clients/api/routes.def"
#undef ROUTE
};

Result<Json> Call::ask(std::string_view method, Json params) const {
  PKI_CHECK(caller_ != nullptr);
  return caller_->call(method, std::move(params));
}

Result<Json> Call::ask_openly(std::string_view method, Json params) const {
  return gateway_.call(request_.realm, method, std::move(params), "http:" + request_.peer.address);
}

void Service::add_routes(http::Router& router) {
  for (const auto prefix : kFamilyPrefixes) {
    router.add(http::Family{std::string(prefix), "api", not_to_be_kept,
                            [](int status, std::string_view message) { return error_response(status, message); }});
  }
  for (const auto& route : routes()) {
    const auto* bound = std::ranges::find(kBindings, route.handler, &Binding::handler);
    for (auto& path : spellings(route)) {
      router.add(
          http::Route{std::string(route.method), std::move(path), http::On::Both, "",
                      [this, &route, handle = bound->handle](const auto& request) { return serve(route, handle, request); }});
    }
  }
}

http::Response Service::serve(const Route& route, Handle handle, const http::Request& request) {
  if (!is_json(request)) return error_response(415, "the body's media type must be application/json");
  // A browser sends its user's certificate with what another site's page makes it ask (Fetch Metadata Request Headers, W3C).
  if (route.caller != Caller::Anybody && request.header("sec-fetch-site").value_or("none") == "cross-site")
    return error_response(403, "found a request that another site's page makes, expected a program's or a user's own");
  const auto document = answer(route, handle, request);
  if (!document.ok()) return in_style(route, error_response(document.error()));
  if (document->text("status") == kPendingStatus) return pending(request, *document);
  return http::content(200, std::string(route.answer->media_type), body_of(route, *document));
}

Result<Json> Service::answer(const Route& route, Handle handle, const http::Request& request) {
  if (route.caller != Caller::Anybody) return answer_holder(route, handle, request);
  PKI_TRY(auto fields, read_fields(route, request));
  return (this->*handle)(Call(gateway_, request, std::move(fields), nullptr));
}

/// Who it is comes first: a stranger learns nothing about what a route takes. The session is for this caller and this request.
Result<Json> Service::answer_holder(const Route& route, Handle handle, const http::Request& request) {
  const auto listener = std::ranges::find(settings_.listeners, request.listener, &http::ListenerSettings::name);
  PKI_CHECK(listener != settings_.listeners.end());
  PKI_TRY(const auto certificate, http::presented_certificate(request, *listener));
  PKI_TRY(auto caller, gateway_.attest(request.realm, certificate));
  PKI_TRY_VOID(check_caller(route, caller.identity(), settings_.remote_ca ? kPeerRow : kFrontEndRow));
  PKI_TRY(auto fields, read_fields(route, request));
  return (this->*handle)(Call(gateway_, request, std::move(fields), &caller));
}

Json success(Json data) { return Json::object({{"status", "success"}, {"data", std::move(data)}}); }

Json done(std::string message) { return Json::object({{"status", "success"}, {"message", std::move(message)}}); }

}  // namespace chancery::api
