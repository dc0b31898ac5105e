#include "clients/http/publish.h"

#include <array>

#include "server/x509/ocsp.h"
#include "server/x509/pem.h"

namespace chancery::http {
namespace {

constexpr std::string_view kDelta = "delta";
constexpr std::string_view kPemType = "application/x-pem-file";

/// What the daemon answered instead; nothing of its inside.
Response failure(const Error& error) {
  const bool is_missing = error.code() == Code::NotFound || error.code() == Code::Denied;
  auto response =
      is_missing ? problem(404, "there is nothing at this address") : problem(503, "the realm does not answer just now");
  response.kind = base::describe(error.code()).text;
  response.reason = base::to_line(error);
  if (is_missing) return response;
  response.add("Retry-After", "2");
  return response;
}

std::string acting_for(const Request& request) { return "http:" + request.peer.address; }

/// The first PEM block of a text, alone. @errors Malformed: there is none.
Result<std::string> first_block(const std::string& pem, std::string_view label) {
  const auto end_line = "-----END " + std::string(label) + "-----\n";
  const auto end = pem.find(end_line);
  if (end == std::string::npos) return Error(Code::Malformed, "no PEM block");
  return pem.substr(0, end + end_line.size());
}

Response as_der(const std::string& pem, std::string_view label, std::string media_type) {
  const auto block = first_block(pem, label);
  const auto der = block.ok() ? x509::from_pem(label, *block) : Result<Bytes>(block.error());
  if (!der.ok()) return problem(500, "the server failed; its log has the details");
  return content(200, std::move(media_type), std::string(base::as_text(*der)));
}

}  // namespace

/// The generation in the path; the bare paths, which stand in certificates of before there was another, are the first one's.
Json Publisher::which(const Request& request) {
  const std::string ca(request.parameter("ca"));
  return Json::object({{"ca", ca.empty() ? std::string("ca") : ca}});
}

Response Publisher::crl(const Request& request, Form form, std::string_view kind) {
  auto wanted = which(request);
  if (kind == kDelta) wanted.set("kind", kind);
  const auto answer = gateway_.call(request.realm, "crl.get", std::move(wanted), acting_for(request));
  if (!answer.ok()) return failure(answer.error());
  const auto pem = answer->text("crl");
  auto response =
      form == Form::Pem ? content(200, std::string(kPemType), pem) : as_der(pem, x509::kCrlLabel, "application/pkix-crl");
  return response.add("Cache-Control", "max-age=60");
}

Response Publisher::authority(const Request& request, Form form) {
  const auto answer = gateway_.call(request.realm, "ca.chain", which(request), acting_for(request));
  if (!answer.ok()) return failure(answer.error());
  const auto pem = answer->text("chain");
  auto response = form == Form::Pem ? content(200, std::string(kPemType), pem)
                                    : as_der(pem, x509::kCertificateLabel, "application/pkix-cert");
  return response.add("Cache-Control", "max-age=300");
}

/// What a rollover made besides, for who trusts one of two generations alone (RFC 4210 4.4).
Response Publisher::cross(const Request& request, std::string_view member) {
  const auto answer = gateway_.call(request.realm, "ca.get", which(request), acting_for(request));
  if (!answer.ok()) return failure(answer.error());
  const auto pem = answer->text(member);
  if (pem.empty()) return failure(Error(Code::NotFound, "no such certificate"));
  auto response = content(200, std::string(kPemType), pem);
  return response.add("Cache-Control", "max-age=300");
}

/// Ready: the daemon answers in this realm and the realm's CA can be had.
Response Publisher::ready(const Request& request) {
  const auto answer = gateway_.call(request.realm, "ca.chain", Json::object(), acting_for(request));
  return answer.ok() ? content(200, "text/plain", "ready\n") : failure(answer.error());
}

/// @param asked  base64. Whoever is refused is told so in OCSP's own words (RFC 6960 2.3).
Response Publisher::ocsp(const Request& request, const std::string& asked) {
  const auto answer = gateway_.call(request.realm, "ocsp.answer", Json::object({{"request", asked}}), acting_for(request));
  // What is too long or no text for a parameter is no OCSP request either.
  const bool is_no_request =
      !answer.ok() && (answer.error().code() == Code::InvalidParams || answer.error().code() == Code::TooLarge);
  if (!answer.ok() && !is_no_request) return failure(answer.error());
  const auto der = is_no_request ? Result<Bytes>(x509::ocsp_response(x509::OcspRefusal::MalformedRequest))
                                 : base::from_base64(answer->text("response"));
  if (!der.ok()) return problem(500, "the server failed; its log has the details");
  auto response = content(200, "application/ocsp-response", std::string(base::as_text(*der)));
  // RFC 5019 6.2: caches may keep what is said to everybody, as long as it holds. A nonce makes an answer one client's.
  const auto until =
      is_no_request ? Result<Seconds>(Error(Code::Malformed, "")) : base::from_rfc3339(answer->text("next_update"));
  const auto from = is_no_request ? until : base::from_rfc3339(answer->text("this_update"));
  const bool is_for_all = request.method != "POST" && until.ok() && from.ok() && !answer->boolean("has_nonce");
  if (!is_for_all) return response.add("Cache-Control", "no-store");
  return response.add("Cache-Control",
                      "max-age=" + std::to_string((*until - *from).count()) + ", public, no-transform, must-revalidate");
}

void Publisher::add_routes(Router& router) {
  const auto add = [&](std::string pattern, Handler handler) {
    router.add(Route{"GET", std::move(pattern), On::Both, "", std::move(handler)});
  };
  add("/crl", [this](const Request& request) { return crl(request, Form::Der); });
  add("/crl.pem", [this](const Request& request) { return crl(request, Form::Pem); });
  add("/delta-crl", [this](const Request& request) { return crl(request, Form::Der, kDelta); });
  add("/delta-crl.pem", [this](const Request& request) { return crl(request, Form::Pem, kDelta); });
  add("/ca.crt", [this](const Request& request) { return authority(request, Form::Der); });
  add("/ca.pem", [this](const Request& request) { return authority(request, Form::Pem); });
  add("/cas/{ca}/crl", [this](const Request& request) { return crl(request, Form::Der); });
  add("/cas/{ca}/crl.pem", [this](const Request& request) { return crl(request, Form::Pem); });
  add("/cas/{ca}/delta-crl", [this](const Request& request) { return crl(request, Form::Der, kDelta); });
  add("/cas/{ca}/delta-crl.pem", [this](const Request& request) { return crl(request, Form::Pem, kDelta); });
  add("/cas/{ca}/ca.crt", [this](const Request& request) { return authority(request, Form::Der); });
  add("/cas/{ca}/ca.pem", [this](const Request& request) { return authority(request, Form::Pem); });
  add("/cas/{ca}/new-with-old.pem", [this](const Request& request) { return cross(request, "new_with_old"); });
  add("/cas/{ca}/old-with-new.pem", [this](const Request& request) { return cross(request, "old_with_new"); });
  add("/ocsp/{request*}", [this](const Request& request) { return ocsp(request, std::string(request.parameter("request"))); });
  router.add(Route{"POST", "/ocsp", On::Both, "application/ocsp-request",
                   [this](const Request& request) { return ocsp(request, base::to_base64(base::as_bytes(request.body))); },
                   x509::kMaxOcspRequestBytes});
  add("/livez", [](const Request&) { return content(200, "text/plain", "alive\n"); });
  add("/readyz", [this](const Request& request) { return ready(request); });
}

}  // namespace chancery::http
