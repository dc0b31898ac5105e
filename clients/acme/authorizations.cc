#include "clients/acme/problems.h"
#include "clients/acme/service.h"

namespace chancery::acme {
namespace {

constexpr std::string_view kHttp01 = "http-01";
constexpr std::string_view kRetryAfterSeconds = "1";

/// One challenge as RFC 8555 7.1.5 writes it.
Json challenge_document(const Json& challenge, const std::string& authorization, const Urls& urls) {
  const auto type = challenge.text("type");
  Json document =
      Json::object({{"type", type}, {"url", urls.challenge(authorization, type)}, {"token", challenge.text("token")}});
  document.set("status", challenge.text("status", "pending"));
  if (const auto validated = challenge.text("validated"); !validated.empty()) document.set("validated", validated);
  if (const Json* error = challenge.find("error"); error != nullptr && error->is_object()) document.set("error", *error);
  return document;
}

const Json::Array& challenges_of(const Json& authorization) {
  static const Json::Array kNone;
  const Json* list = authorization.find("challenges");
  const Json::Array* items = list != nullptr ? list->as_array() : nullptr;
  return items != nullptr ? *items : kNone;
}

/// RFC 8555 7.1.4.
Json authorization_document(const Json& authorization, const Urls& urls) {
  const auto id = authorization.text("id");
  Json document = Json::object();
  if (const Json* identifier = authorization.find("identifier"); identifier != nullptr) document.set("identifier", *identifier);
  document.set("status", authorization.text("status"));
  if (const auto expires = authorization.text("expires"); !expires.empty()) document.set("expires", expires);
  Json challenges = Json::array();
  for (const auto& one : challenges_of(authorization)) challenges.push_back(challenge_document(one, id, urls));
  document.set("challenges", std::move(challenges));
  if (authorization.boolean("wildcard")) document.set("wildcard", true);
  return document;
}

/// The challenge of that type. @errors malformed, 404: the authorization has none.
Result<Json> find_challenge(const Json& authorization, std::string_view type) {
  for (const auto& one : challenges_of(authorization)) {
    if (one.text("type") == type) return one;
  }
  return Error(Code::NotFound, "the authorization has no such challenge");
}

Validation make_validation(const Call& call, const Json& task, const Json& realm, const Json& challenge) {
  const Json* authorization = task.find("authorization");
  const Json* identifier = authorization->find("identifier");
  Validation validation{call.request.realm,     call.account,       authorization->text("id"),
                        challenge.text("type"), task.text("claim"), {}};
  validation.question.host = identifier == nullptr ? "" : identifier->text("value");
  validation.question.token = challenge.text("token");
  validation.question.thumbprint = task.text("thumbprint");
  validation.question.port = static_cast<int>(realm.integer("http01_port", validation.question.port));
  validation.question.resolver = realm.text("resolver");
  validation.question.allow_loopback = realm.boolean("allow_loopback");
  return validation;
}

}  // namespace

/// RFC 8555 7.5, and 7.5.2 (deactivation).
Result<http::Response> Service::authorization(const Call& call) {
  auto params = Json::object({{"account", call.account}, {"authorization", call.request.parameter("authorization")}});
  std::string_view method = "acme.authorization.get";
  if (call.payload) {
    PKI_TRY(const Json* status, optional_member(*call.payload, "status", "a text"));
    if (status == nullptr || *status->as_string() != "deactivated") {
      return acme_error("malformed", "an authorization can only be given status deactivated");
    }
    method = "acme.authorization.deactivate";
  }
  PKI_TRY(const auto authorization, ask(call, method, std::move(params)));
  auto response = json_response(200, authorization_document(authorization, call.urls));
  if (authorization.text("status") == "pending") response.add("Retry-After", std::string(kRetryAfterSeconds));
  return response;
}

/// RFC 8555 7.5.1. An object as payload asks for the validation, an empty payload looks (6.3). Exactly one request gets the
/// claim, whichever process it came to (PROMISES I20).
Result<http::Response> Service::challenge(const Call& call) {
  const std::string id(call.request.parameter("authorization"));
  const std::string type(call.request.parameter("type"));
  if (!is_id(id) || !is_id(type)) return Error(Code::NotFound, "there is no such challenge");
  PKI_TRY(auto authorization,
          ask(call, "acme.authorization.get", Json::object({{"account", call.account}, {"authorization", id}})));
  PKI_TRY(auto challenge, find_challenge(authorization, type));
  if (call.payload && challenge.text("status", "pending") == "pending") {
    PKI_TRY(authorization, begin_challenge(call, id, type));
    PKI_TRY(challenge, find_challenge(authorization, type));
  }
  auto response = json_response(200, challenge_document(challenge, id, call.urls));
  response.add("Link", "<" + call.urls.authorization(id) + ">;rel=\"up\"");
  if (challenge.text("status") == "processing") response.add("Retry-After", std::string(kRetryAfterSeconds));
  return response;
}

/// Claims the challenge and hands it to the validator. @return the authorization as it is now.
Result<Json> Service::begin_challenge(const Call& call, const std::string& authorization, const std::string& type) {
  if (type != kHttp01) return acme_error("malformed", "challenges of type " + type + " are not validated here");
  PKI_TRY(const auto realm, ask(call, "acme.realm.get", Json::object()));
  PKI_TRY(const auto task, ask(call, "acme.challenge.begin",
                               Json::object({{"account", call.account}, {"authorization", authorization}, {"type", type}})));
  const Json* now = task.find("authorization");
  if (now == nullptr) return Error(Code::Internal, "acme.challenge.begin gave no authorization");
  if (!task.boolean("claimed")) return *now;
  PKI_TRY(const auto challenge, find_challenge(*now, type));
  const auto validation = make_validation(call, task, realm, challenge);
  if (!validator_.submit(validation)) validator_.give_up(validation);
  return *now;
}

}  // namespace chancery::acme
