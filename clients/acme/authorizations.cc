#include <utility>

#include "clients/acme/identifiers.h"
#include "clients/acme/problems.h"
#include "clients/acme/service.h"
#include "clients/http/parking.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

constexpr std::string_view kRetryAfterSeconds = "1";

/// One challenge as RFC 8555 7.1.5 writes it.
Json challenge_document(const Json& challenge, const Json& of, const Urls& urls) {
  const auto authorization = of.text("id");
  const auto type = challenge.text("type");
  Json document = Json::object({{"type", type}, {"url", urls.challenge(authorization, type)}});
  document.set("status", challenge.text("status", "pending"));
  if (const auto token = challenge.text("token"); !token.empty()) document.set("token", token);
  if (const auto issuers = challenge.texts("issuer_domain_names"); !issuers.empty())
    document.set("issuer-domain-names", Json::strings(issuers)).set("accounturi", urls.account(of.text("account")));
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
  Json document = Json::object();
  if (const Json* identifier = authorization.find("identifier"); identifier != nullptr) document.set("identifier", *identifier);
  document.set("status", authorization.text("status"));
  if (const auto expires = authorization.text("expires"); !expires.empty()) document.set("expires", expires);
  Json challenges = Json::array();
  for (const auto& one : challenges_of(authorization)) challenges.push_back(challenge_document(one, authorization, urls));
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

http::Response challenge_response(const Json& challenge, const Json& authorization, const Urls& urls) {
  auto response = json_response(200, challenge_document(challenge, authorization, urls));
  response.add("Link", "<" + urls.authorization(authorization.text("id")) + ">;rel=\"up\"");
  if (challenge.text("status") == "processing") response.add("Retry-After", std::string(kRetryAfterSeconds));
  return response;
}

/// The authorization as a validation of this process left it; none: as it was.
using Awaited = http::Later<std::optional<Json>>;

/// The verdict is a better answer than that there is none yet.
void wait_for(const std::shared_ptr<Awaited>& verdict, const Json& before, const std::string& type, const Urls& urls,
              http::Response& response) {
  response.wait_for_better = [verdict, before, type, urls](const http::TakeAnswer& take) {
    verdict->then([before, type, urls, take](const std::optional<Json>& found) {
      const auto& now = found ? *found : before;
      const auto challenge = find_challenge(now, type);
      if (challenge.ok()) take(challenge_response(*challenge, now, urls));
    });
  };
}

/// @errors Internal: the daemon's configuration check has let something else pass.
Result<std::vector<Network>> read_networks(const std::vector<std::string>& texts) {
  std::vector<Network> networks;
  for (const auto& text : texts) {
    const auto network = Network::parse(text);
    if (!network.ok()) return Error(Code::Internal, network.error().message());
    networks.push_back(*network);
  }
  return networks;
}

Result<Rules> read_rules(const Json& realm) {
  Rules rules;
  rules.http01_port = static_cast<int>(realm.integer("http01_port", rules.http01_port));
  rules.tlsalpn01_port = static_cast<int>(realm.integer("tlsalpn01_port", rules.tlsalpn01_port));
  rules.resolver = {realm.text("resolver"), realm.texts("dnssec_anchors")};
  rules.grounds.allow_loopback = realm.boolean("allow_loopback");
  PKI_TRY(rules.grounds.allowed, read_networks(realm.texts("allowed_networks")));
  PKI_TRY(rules.grounds.forbidden, read_networks(realm.texts("forbidden_networks")));
  for (const auto& one : realm.texts("caa_identities")) rules.caa_issuers.push_back(base::to_lower_ascii(one));
  return rules;
}

/// A quorum that is none would let this program alone decide.
Vantage read_vantage(const Json& realm) {
  Vantage vantage{.points = realm.texts("vantage_points")};
  const auto quorum = realm.integer("vantage_quorum");
  vantage.quorum = quorum > 0 ? static_cast<std::size_t>(quorum) : vantage.points.size();
  return vantage;
}

/// Whose name it is, who asks, and by what rules.
Result<Question> make_question(const Call& call, const Json& authorization, const Json& realm) {
  Question question;
  const Json* identifier = authorization.find("identifier");
  question.name = identifier == nullptr ? "" : identifier->text("value");
  question.is_address = identifier != nullptr && identifier->text("type") == "ip";
  question.wildcard = authorization.boolean("wildcard");
  question.account_url = call.urls.account(call.account);
  PKI_TRY(question.rules, read_rules(realm));
  return question;
}

}  // namespace

/// RFC 8555 7.4.1: 201 for a new one; a name that is proved already has its authorization.
Result<http::Response> Service::new_authorization(const Call& call) {
  PKI_TRY(auto identifier, read_identifier_of(*call.payload));
  auto params =
      Json::object({{"account", call.account}, {"identifier", std::move(identifier)}, {"peer", call.request.peer.address}});
  add_shown_certificate(call, params);
  PKI_TRY(const auto authorization, ask(call, "acme.authorization.create", std::move(params)));
  auto response = json_response(authorization.boolean("created") ? 201 : 200, authorization_document(authorization, call.urls));
  response.add("Location", call.urls.authorization(authorization.text("id")));
  return response;
}

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
  PKI_TRY(auto authorization, ask(call, method, std::move(params)));
  authorization = resume_challenges(call, std::move(authorization));
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
  const bool is_ours = find_method(type) != nullptr;
  const bool begins = call.payload && is_ours;
  const auto verdict = std::make_shared<Awaited>();
  PKI_TRY(auto authorization,
          begins ? begin_challenge(call, id, type, [verdict](auto found) { verdict->set(std::move(found)); })
                 : ask(call, "acme.authorization.get", Json::object({{"account", call.account}, {"authorization", id}})));
  PKI_TRY(auto challenge, find_challenge(authorization, type));
  if (call.payload && !begins) return acme_error("malformed", "challenges of type " + type + " are not validated here");
  if (!begins && is_ours && challenge.boolean("interrupted")) {
    if (auto begun = begin_challenge(call, id, type); begun.ok()) authorization = std::move(*begun);
    PKI_TRY(challenge, find_challenge(authorization, type));
  }
  auto response = challenge_response(challenge, authorization, call.urls);
  // Most servers show the proof at once: whoever asks then need not ask again.
  if (begins && challenge.text("status") == "processing") wait_for(verdict, authorization, type, call.urls, response);
  return response;
}

/// Claims the challenge, if it is free, and hands it to the validator. @param when_over  as in Validation, at once where nothing
/// is claimed, or something else of the account is in hand. @return the authorization as it is now.
Result<Json> Service::begin_challenge(const Call& call, const std::string& authorization, const std::string& type,
                                      WhenOver when_over) {
  PKI_TRY(const auto task, ask(call, "acme.challenge.begin",
                               Json::object({{"account", call.account},
                                             {"authorization", authorization},
                                             {"type", type},
                                             {"peer", call.request.peer.address}})));
  const Json* now = task.find("authorization");
  if (now == nullptr) return Error(Code::Internal, "acme.challenge.begin gave no authorization");
  const bool claimed = task.boolean("claimed");
  // Who asks for many at once, of servers that may be slow, is not kept from asking for the next.
  const bool is_only_one = claimed && !validator_.is_busy_for(call.request.realm, call.account);
  if (when_over && !is_only_one) std::exchange(when_over, {})(std::nullopt);
  if (!claimed) return *now;
  PKI_TRY(const auto challenge, find_challenge(*now, type));
  const Json* rules = task.find("rules");
  if (rules == nullptr) return Error(Code::Internal, "acme.challenge.begin gave no rules");
  PKI_TRY(auto question, make_question(call, *now, *rules));
  question.method = type;
  question.token = challenge.text("token");
  question.thumbprint = task.text("thumbprint");
  validator_.submit({.realm = call.request.realm,
                     .account = call.account,
                     .authorization = authorization,
                     .claim = task.text("claim"),
                     .question = std::move(question),
                     .vantage = read_vantage(*rules),
                     .when_over = std::move(when_over)});
  return *now;
}

/// A validation whose process died is taken up again by whoever looks at it: clients ask for it once, and then only look. One
/// that cannot be begun is left: a look is no request for it.
Json Service::resume_challenges(const Call& call, Json authorization) {
  if (authorization.text("status") != "pending") return authorization;
  for (const auto& one : Json::Array(challenges_of(authorization))) {
    if (!one.boolean("interrupted")) continue;
    auto begun = begin_challenge(call, authorization.text("id"), one.text("type"));
    if (begun.ok()) authorization = std::move(*begun);
  }
  return authorization;
}

/// What the daemon wants looked up before it issues: CAA that was looked at long ago (acme.order.finalize).
Status Service::begin_caa_checks(const Call& call, const Json& order) {
  const Json* checks = order.find("caa_checks");
  if (checks == nullptr || checks->as_array() == nullptr || checks->as_array()->empty()) return {};
  PKI_TRY(const auto realm, ask(call, "acme.realm.get", Json::object()));
  for (const auto& one : *checks->as_array()) {
    PKI_TRY(auto question, make_question(call, one, realm));
    question.method = one.text("type");
    validator_.submit({.kind = Validation::Kind::Caa,
                       .realm = call.request.realm,
                       .account = call.account,
                       .order = order.text("id"),
                       .authorization = one.text("authorization"),
                       .claim = one.text("claim"),
                       .question = std::move(question),
                       .vantage = read_vantage(realm)});
  }
  return {};
}

}  // namespace chancery::acme
