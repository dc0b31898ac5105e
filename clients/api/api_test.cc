#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "clients/api/body.h"
#include "clients/api/errors.h"
#include "clients/api/magic.h"
#include "clients/api/openapi.h"
#include "clients/api/routes.h"
#include "clients/api/service.h"
#include "clients/http/caller.h"
#include "server/base/rate_limit.h"
#include "server/base/text.h"
#include "server/wire/commands.h"

namespace chancery::api {
namespace {

const Route& route_of(std::string_view handler) {
  const auto found = std::ranges::find(routes(), handler, &Route::handler);
  PKI_CHECK(found != routes().end());
  return *found;
}

// ----- the table

TEST(Routes, NoTwoAreTheSame) {
  std::set<std::string> seen;
  for (const auto& route : routes()) {
    for (const auto& path : spellings(route)) EXPECT_TRUE(seen.insert(std::string(route.method) + " " + path).second) << path;
  }
}

TEST(Routes, OnlyWhatMayBeKnownIsOpenToAnybody) {
  std::set<std::string_view> open;
  for (const auto& route : routes()) {
    if (route.caller == Caller::Anybody) open.insert(route.path);
    if (route.where == Where::Private) {
      EXPECT_EQ(route.caller, Caller::Admin) << route.path;
    }
    if (route.caller == Caller::Anybody && route.path != "/enrol") {  // that one is for the realm's policy to decide
      EXPECT_EQ(route.method, "GET") << route.path;
    }
  }
  EXPECT_EQ(open, (std::set<std::string_view>{"/openapi.json", "/health", "/ca", "/crl", "/profiles", "/profiles/{name}",
                                              "/certs/ca.crt", "/certs/crl.pem", "/enrol"}));
}

TEST(Routes, AllAreInTheRouterUnderEverySpelling) {
  http::Gateway gateway(http::connect_by_socket({}, {}));
  Service service(gateway);
  http::Router router;
  service.add_routes(router);
  std::size_t count = 0;
  for (const auto& route : routes()) count += spellings(route).size();
  EXPECT_EQ(router.routes().size(), count);
}

TEST(OpenApi, NamesExactlyTheRoutes) {
  const auto document = openapi_document("https://localhost:8000");
  std::set<std::string> named;
  for (const auto& [path, item] : *document.find("paths")->as_object()) {
    for (const auto& [method, operation] : *item.as_object()) {
      EXPECT_TRUE(named.insert(method + " " + path).second);
      EXPECT_NE(operation.find("responses"), nullptr);
    }
  }
  std::set<std::string> wanted;
  for (const auto& route : routes()) {
    for (const auto& path : spellings(route)) wanted.insert(base::to_lower_ascii(route.method) + " " + path);
  }
  EXPECT_EQ(named, wanted);
}

// ----- bodies and queries

http::Request request_with(std::string body, std::string query = {}) {
  http::Request request;
  request.body = std::move(body);
  request.query = std::move(query);
  request.headers = {{"content-type", "application/json"}};
  return request;
}

TEST(Body, TakesWhatTheRouteSays) {
  const auto fields = read_fields(route_of("certify"), request_with(R"({"csr":"x","profile":null,"more":[1]})"));
  ASSERT_TRUE(fields.ok());
  EXPECT_EQ(*fields, Json::object({{"csr", "x"}}));
  EXPECT_TRUE(read_fields(route_of("renew"), request_with("")).ok());
  const auto page = read_fields(route_of("nodes"), request_with("", "limit=7&after=a%2Fb+c&x=y"));
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(*page, Json::object({{"limit", 7}, {"after", "a/b c"}}));
}

TEST(Body, TakesAsManyDaysAsTheCommand) {
  const auto* const command = wire::find_command("certificate.enrol");
  ASSERT_NE(command, nullptr);
  const auto days = std::ranges::find(command->params, "days", &wire::Param::name);
  ASSERT_NE(days, command->params.end());
  for (const std::int64_t number : {days->least, days->bound}) {
    const auto fields = read_fields(route_of("enrol"), request_with(R"({"csr":"x","days":)" + std::to_string(number) + "}"));
    ASSERT_TRUE(fields.ok()) << fields.error().message();
    EXPECT_EQ(*fields->find("days"), Json(number));
  }
}

TEST(Body, RefusesOthers) {
  const struct {
    const char* name;
    const char* handler;
    std::string body;
    std::string query;
    Code want;
  } cases[] = {
      {"no JSON", "certify", "csr=x", "", Code::Malformed},
      {"an array", "certify", "[]", "", Code::Malformed},
      {"a text", "certify", "\"x\"", "", Code::Malformed},
      {"two texts", "certify", R"({"csr":"x"}{})", "", Code::Malformed},
      {"duplicate member", "certify", R"({"csr":"x","csr":"y"})", "", Code::Malformed},
      {"deep", "certify", std::string(100, '[') + std::string(100, ']'), "", Code::Malformed},
      {"nothing", "certify", "", "", Code::InvalidParams},
      {"required is missing", "certify", "{}", "", Code::InvalidParams},
      {"required is null", "certify", R"({"csr":null})", "", Code::InvalidParams},
      {"number for a text", "certify", R"({"csr":1})", "", Code::InvalidParams},
      {"text for a list", "add_admins", R"({"admins":"/CN=x"})", "", Code::InvalidParams},
      {"numbers in a list", "add_admins", R"({"admins":[1]})", "", Code::InvalidParams},
      {"number in sans", "add_node", R"({"cn":"x","sans":[1]})", "", Code::InvalidParams},
      {"flag for a reason", "revoke", R"({"reason":true})", "", Code::InvalidParams},
      {"double for a serial", "ocsp", R"({"serial":1.5})", "", Code::InvalidParams},
      {"no number", "nodes", "", "limit=many", Code::InvalidParams},
      {"text for a number", "enrol", R"({"csr":"x","days":"30"})", "", Code::InvalidParams},
      {"part of a number", "enrol", R"({"csr":"x","days":1.5})", "", Code::InvalidParams},
      {"less than a number may be", "enrol", R"({"csr":"x","days":0})", "", Code::InvalidParams},
      {"more than a number may be", "enrol", R"({"csr":"x","days":36501})", "", Code::InvalidParams},
      {"half an escape", "nodes", "", "after=%2", Code::Malformed},
      {"NUL", "nodes", "", "after=%00", Code::Malformed},
  };
  for (const auto& one : cases) {
    const auto fields = read_fields(route_of(one.handler), request_with(one.body, one.query));
    ASSERT_FALSE(fields.ok()) << one.name;
    EXPECT_EQ(fields.error().code(), one.want) << one.name << ": " << fields.error().message();
  }
}

TEST(Body, IsJsonByItsMediaType) {
  auto request = request_with("{}");
  EXPECT_TRUE(is_json(request));
  request.headers = {{"content-type", "Application/JSON; charset=utf-8"}};
  EXPECT_TRUE(is_json(request));
  for (const auto* type : {"", "text/plain", "application/x-www-form-urlencoded", "application/jose+json"}) {
    request.headers = {{"content-type", type}};
    EXPECT_FALSE(is_json(request)) << type;
  }
  request.body.clear();
  EXPECT_TRUE(is_json(request));
}

// ----- callers

http::ListenerSettings listener_with(std::vector<std::string> proxies) {
  http::ListenerSettings listener;
  for (const auto& one : proxies) listener.trusted_proxies.push_back(base::Network::parse(one).value());
  return listener;
}

http::Request from(std::string address, std::vector<http::Header> headers) {
  http::Request request;
  request.peer = {.address = std::move(address), .port = 1, .tls = "TLSv1.3", .certificate = {}, .certificate_fault = {}};
  request.headers = std::move(headers);
  return request;
}

TEST(Caller, IsWhoTlsHasSeen) {
  auto request = from("192.0.2.1", {});
  EXPECT_EQ(http::presented_certificate(request, listener_with({})).error().code(), Code::AuthFailed);
  request.peer.certificate = "PEM";
  EXPECT_EQ(http::presented_certificate(request, listener_with({})).value(), "PEM");
  request.peer.certificate_fault = "certificate has expired";
  const auto refused = http::presented_certificate(request, listener_with({}));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("certificate has expired"), std::string::npos);
}

TEST(Caller, HeadersFromElsewhereAreAsGoodAsAbsent) {
  const std::vector<http::Header> headers{
      {"x-ssl-client-verify", "SUCCESS"}, {"x-ssl-client-s-dn", "CN=admin"}, {"x-ssl-client-cert", "anything"}};
  auto request = from("192.0.2.1", headers);
  EXPECT_EQ(http::presented_certificate(request, listener_with({"10.0.0.0/8"})).error().message(),
            "this needs a client certificate");
  request.peer.certificate = "PEM";
  EXPECT_EQ(http::presented_certificate(request, listener_with({"10.0.0.0/8"})).value(), "PEM");
}

TEST(Caller, OfATrustedProxyOnlyItsHeadersCount) {
  const auto listener = listener_with({"192.0.2.0/24"});
  const struct {
    const char* name;
    std::vector<http::Header> headers;
    const char* want;
  } cases[] = {
      {"none", {}, "the proxy saw none"},
      {"NONE", {{"x-ssl-client-verify", "NONE"}}, "the proxy saw none"},
      {"failed", {{"x-ssl-client-verify", "FAILED:expired"}, {"x-ssl-client-cert", "x"}}, "expected SUCCESS"},
      {"a name alone", {{"x-ssl-client-verify", "SUCCESS"}, {"x-ssl-client-s-dn", "CN=admin"}}, "a name alone proves nothing"},
      {"no certificate", {{"x-ssl-client-verify", "SUCCESS"}, {"x-ssl-client-cert", "x"}}, "is no certificate"},
      {"bad escape", {{"x-ssl-client-verify", "SUCCESS"}, {"x-ssl-client-cert", "%zz"}}, "hexadecimal"},
      {"twice", {{"x-ssl-client-verify", "SUCCESS"}, {"x-ssl-client-verify", "SUCCESS"}, {"x-ssl-client-cert", "x"}}, "2 times"},
      {"the older names", {{"ssl-client-verify", "SUCCESS"}, {"ssl-client-cert", "x"}}, "the proxy saw none"},
  };
  for (const auto& one : cases) {
    auto request = from("192.0.2.9", one.headers);
    request.peer.certificate = "the proxy's own";
    const auto refused = http::presented_certificate(request, listener);
    ASSERT_FALSE(refused.ok()) << one.name;
    EXPECT_EQ(refused.error().code(), Code::AuthFailed) << one.name;
    EXPECT_NE(refused.error().message().find(one.want), std::string::npos) << one.name << ": " << refused.error().message();
  }
}

// ----- paths and commands

TEST(Dn, OfAPathSegment) {
  const std::pair<const char*, const char*> cases[] = {
      {"L0M9RlIvQ049YWRtaW4", "/C=FR/CN=admin"},
      {"L0M9RlIvQ049YWRtaW4=", "/C=FR/CN=admin"},
      {"Q049YWRtaW4sQz1GUg==", "CN=admin,C=FR"},
      {"CN=admin,C=FR", "CN=admin,C=FR"},
      {"webserver", ""},
      {"a.example.com", ""},
      {"", ""},
      {"////", ""},
  };
  for (const auto& [segment, want] : cases) EXPECT_EQ(dn_of_segment(segment), want) << segment;
}

Json profile_with(std::string_view type, int bits) {
  return Json::object({{"keyType", type},
                       {"keyLen", bits},
                       {"altnames", true},
                       {"subject", Json::object({{"C", "FR"}, {"O", "It's / ours"}, {"CN", ""}})}});
}

TEST(Magic, CommandsFollowTheProfile) {
  const std::pair<Json, const char*> cases[] = {
      {profile_with("rsa", 4096), "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out private.key"},
      {profile_with("ec", 384), "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out private.key"},
      {profile_with("ed25519", 256), "openssl genpkey -algorithm ED25519 -out private.key"},
  };
  for (const auto& [profile, want] : cases) EXPECT_EQ(commands_for(profile, "a.example.com", {})->generate_key, want);
  EXPECT_EQ(commands_for(cases[0].first, "a.example.com", {})->generate_csr,
            "openssl req -new -utf8 -key private.key -subj '/C=FR/O=It'\\''s \\/ ours/CN=a.example.com' -addext "
            "'subjectAltName=DNS:a.example.com' -out request.csr");
}

TEST(Magic, RefusesWhatHasNoPlaceInARequest) {
  const auto profile = profile_with("rsa", 2048);
  EXPECT_EQ(commands_for(profile, "a\nb", {}).error().code(), Code::Malformed);
  EXPECT_EQ(commands_for(profile, std::string(300, 'a'), {}).error().code(), Code::Malformed);
  EXPECT_FALSE(commands_for(profile, "a", {"DNS:a b;c"}).ok());
  EXPECT_EQ(commands_for(profile_with("dsa", 2048), "a", {}).error().code(), Code::Unsupported);
}

// ----- errors

TEST(Errors, HaveUpkisShape) {
  const struct {
    Code code;
    int status;
    const char* word;
  } cases[] = {
      {Code::AuthFailed, 401, "AUTH_ERROR"},      {Code::Denied, 403, "AUTHZ_ERROR"},
      {Code::NotFound, 404, "NOT_FOUND"},         {Code::Malformed, 400, "VALIDATION_ERROR"},
      {Code::Conflict, 409, "VALIDATION_ERROR"},  {Code::TooLarge, 400, "VALIDATION_ERROR"},
      {Code::Unavailable, 503, "CA_ERROR"},       {Code::Internal, 500, "INTERNAL_ERROR"},
      {Code::StoreFailed, 500, "INTERNAL_ERROR"},
  };
  for (const auto& one : cases) {
    const auto response = error_response(Error(one.code, "what happened"));
    EXPECT_EQ(response.status, one.status);
    const auto body = wire::parse_json(response.body).value();
    EXPECT_EQ(body.text("status"), "error");
    EXPECT_EQ(body.text("code"), one.word);
    EXPECT_EQ(body.text("message") == "what happened", one.status != 500) << "an inner message stays inside";
  }
  EXPECT_EQ(wire::parse_json(error_response(405, "x").body)->text("code"), "VALIDATION_ERROR");
  EXPECT_EQ(wire::parse_json(error_response(404, "x").body)->text("code"), "NOT_FOUND");
}

std::string retry_after(const http::Response& response) {
  return std::string(http::find_header(response.headers, "Retry-After").value_or(""));
}

TEST(Errors, WhatIsBeyondALimitSaysWhenThereIsRoom) {
  const auto limited = [](const std::string& hint) {
    return error_response(Error(Code::PolicyRefused, std::string(base::kRateLimited) + "three a day", hint));
  };
  const auto told = limited(base::wait_hint(std::chrono::seconds{90}, ", or ask somebody"));
  EXPECT_EQ(told.status, 429);
  EXPECT_EQ(retry_after(told), "90");
  EXPECT_EQ(wire::parse_json(told.body)->text("code"), "VALIDATION_ERROR");
  EXPECT_EQ(wire::parse_json(told.body)->text("message"), "rate limited: three a day (try again in 90 s, or ask somebody)");
  for (const auto* hint :
       {"", "later", "try again in a while", "try again in -5 s", "try again in 5", "try again in 99999999999999999999 s"}) {
    EXPECT_EQ(limited(hint).status, 429) << hint;
    EXPECT_EQ(retry_after(limited(hint)), "2") << hint;
  }
  const auto other = error_response(Error(Code::PolicyRefused, "not rate limited: by a rule", "try again in 90 s"));
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(retry_after(other), "");
}

}  // namespace
}  // namespace chancery::api
