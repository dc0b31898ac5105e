#include "clients/api/openapi.h"
#include "clients/api/service.h"
#include "server/x509/pem.h"

/// What everybody may know.
namespace chancery::api {

Result<Json> Service::openapi(const Call& call) { return openapi_document(call.request().origin() + call.request().prefix); }

Result<Json> Service::health(const Call& call) {
  PKI_TRY([[maybe_unused]] const auto answer, ca(call));
  return success(Json::object({{"status", "healthy"}}));
}

Result<Json> Service::ca(const Call& call) {
  PKI_TRY(const auto ca, call.ask_openly("ca.get"));
  const auto pem = ca.text("certificate");
  if (pem.empty()) return Error(Code::Unavailable, "the CA of this realm has no certificate yet");
  return success(Json::object({{"certificate", pem}}));
}

Result<Json> Service::crl(const Call& call) {
  PKI_TRY(const auto crl, call.ask_openly("crl.get"));
  return crl_of(crl);
}

Result<Json> Service::profiles(const Call& call) {
  PKI_TRY(const auto list, call.ask_openly("profile.list"));
  return success(Json::strings(list.texts("profiles")));
}

Result<Json> Service::profile(const Call& call) {
  PKI_TRY(auto view, profile_view(call, call.parameter("name")));
  return success(std::move(view));
}

Result<Json> profile_view(const Call& call, const std::string& name) {
  PKI_TRY(const auto found, call.ask_openly("profile.get", Json::object({{"profile", name}})));
  const auto* view = found.find("profile");
  PKI_CHECK(view != nullptr);
  return *view;
}

Result<Json> crl_of(const Json& answer) {
  PKI_TRY(const auto der, x509::from_pem(x509::kCrlLabel, answer.text("crl")));
  return success(Json::object({{"crl", base::to_base64(der)}}));
}

}  // namespace chancery::api
