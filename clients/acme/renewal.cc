#include "clients/acme/problems.h"
#include "clients/acme/service.h"

namespace chancery::acme {
namespace {

constexpr std::size_t kMaxCertificateId = 128;
constexpr std::string_view kAskAgainSeconds = "21600";  // RFC 9773 4.3: six hours

}  // namespace

/// RFC 9773 4: asked for with GET, by anybody.
http::Response Service::renewal_info(const http::Request& request) {
  const std::string id(request.parameter("certificate"));
  if (id.size() > kMaxCertificateId) return problem_response(acme_error("malformed", "the certificate identifier is too long"));
  const auto found =
      gateway_.call(request.realm, "acme.renewal.get", Json::object({{"certificate_id", id}}), "http:" + request.peer.address);
  if (!found.ok()) return problem_response(found.error());
  auto document =
      Json::object({{"suggestedWindow", Json::object({{"start", found->text("start")}, {"end", found->text("end")}})}});
  if (const auto page = found->text("explanation_url"); !page.empty()) document.set("explanationURL", page);
  auto response = json_response(200, document);
  response.add("Retry-After", std::string(kAskAgainSeconds));
  return response;
}

}  // namespace chancery::acme
