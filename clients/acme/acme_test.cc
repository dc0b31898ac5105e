#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "clients/acme/nonce.h"
#include "clients/acme/problems.h"
#include "clients/acme/urls.h"

namespace chancery::acme {
namespace {

std::string type_of(const Error& error) { return std::string(to_problem(error).type); }

// ----- problems

TEST(Problems, SayWhichIdentifiersAreBadAndWhenToComeAgain) {
  const Error error(Code::PolicyRefused, "too much", R"(acme:rateLimited {"retry_after":90,"subproblems":[{"type":"x"}]})");
  const auto problem = to_problem(error);
  EXPECT_EQ(problem.type, "rateLimited");
  EXPECT_EQ(problem.detail, "too much");
  EXPECT_EQ(problem.retry_after, std::chrono::seconds(90));
  EXPECT_EQ(problem_document(problem).find("subproblems")->as_array()->size(), 1U);
  const auto response = problem_response(error);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(http::find_header(response.headers, "Retry-After"), "90");
}

TEST(Problems, LeadToTheTermsThatAreToBeAgreedTo) {
  const std::string url = "https://ca.example.net/terms";
  const Error error(Code::Denied, "they have changed", "acme:userActionRequired {\"terms\":\"" + url + "\"}");
  EXPECT_EQ(problem_document(to_problem(error)).text("instance"), url);
  const auto response = problem_response(error);
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(http::find_header(response.headers, "Link"), "<" + url + ">;rel=\"terms-of-service\"");
  const Error other(Code::Denied, "no", "acme:unauthorized");
  EXPECT_EQ(problem_document(to_problem(other)).find("instance"), nullptr);
  EXPECT_EQ(http::find_header(problem_response(other).headers, "Link"), std::nullopt);
}

TEST(Problems, KeepTheAdviceThatStandsBehindTheWord) {
  const auto problem = to_problem(Error(Code::PolicyRefused, "no", "acme:badCSR make another"));
  EXPECT_EQ(problem.type, "badCSR");
  EXPECT_EQ(problem.detail, "no (make another)");
  EXPECT_FALSE(problem.subproblems);
  EXPECT_FALSE(problem.retry_after);
}

TEST(Problems, ThatAreCutSayNoMoreThanTheirType) {
  for (const auto* hint :
       {"acme:rateLimited {", "acme:rateLimited {\"retry_after\":-5}", "acme:rateLimited {\"subproblems\":7}"}) {
    const auto problem = to_problem(Error(Code::PolicyRefused, "no", hint));
    EXPECT_EQ(problem.type, "rateLimited") << hint;
    EXPECT_FALSE(problem.subproblems) << hint;
    EXPECT_FALSE(problem.retry_after) << hint;
  }
}

// ----- nonces

TEST(Nonces, AreUsedOnce) {
  Nonces nonces;
  const auto nonce = nonces.make("default");
  EXPECT_TRUE(nonces.use(nonce, "default").ok());
  const auto again = nonces.use(nonce, "default");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(type_of(again.error()), "badNonce");
}

TEST(Nonces, AreDistinctAndUsableInAnyOrder) {
  Nonces nonces(64);
  std::vector<std::string> all;
  for (int i = 0; i < 64; ++i) all.push_back(nonces.make("default"));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 64U);
  std::ranges::reverse(all);
  for (const auto& one : all) EXPECT_TRUE(nonces.use(one, "default").ok());
  for (const auto& one : all) EXPECT_FALSE(nonces.use(one, "default").ok());
}

TEST(Nonces, F38_RefusesWhatIsNotItsOwn) {
  Nonces nonces;
  Nonces other_process;
  const auto good = nonces.make("default");
  auto flipped = good;
  flipped[12] = flipped[12] == 'A' ? 'B' : 'A';
  const std::pair<const char*, std::string> cases[] = {
      {"of another process", other_process.make("default")},
      {"of another realm", nonces.make("devices")},
      {"flipped", flipped},
      {"cut", good.substr(0, good.size() - 1)},
      {"longer", good + "A"},
      {"padded", good + "="},
      {"empty", ""},
      {"no base64url", std::string(32, '+')},
      {"zeros", std::string(32, 'A')},
  };
  for (const auto& [name, nonce] : cases) {
    const auto used = nonces.use(nonce, "default");
    ASSERT_FALSE(used.ok()) << name;
    EXPECT_EQ(type_of(used.error()), "badNonce") << name;
  }
  EXPECT_TRUE(nonces.use(good, "default").ok());
}

TEST(Nonces, F38_AnOldOneIsRefusedAndMemoryIsBounded) {
  Nonces nonces(8);
  const auto old = nonces.make("default");
  std::string last;
  for (int i = 0; i < 8; ++i) last = nonces.make("default");
  EXPECT_FALSE(nonces.use(old, "default").ok());
  EXPECT_TRUE(nonces.use(last, "default").ok());
}

// ----- URLs

http::Request request() {
  http::Request one;
  one.method = "POST";
  one.path = "/realms/devices/acme/new-order";
  one.prefix = "/realms/devices";
  one.realm = "devices";
  one.authority = "localhost:8000";
  one.peer.tls = "TLSv1.3";
  return one;
}

TEST(Urls, AreThoseOfTheRequestsRealm) {
  auto one = request();
  EXPECT_EQ(absolute_url(one), "https://localhost:8000/realms/devices/acme/new-order");
  EXPECT_EQ(Urls(one).finalize("o1"), "https://localhost:8000/realms/devices/acme/order/o1/finalize");
  EXPECT_EQ(Urls(one).challenge("a1", "http-01"), "https://localhost:8000/realms/devices/acme/challenge/a1/http-01");
  one.query = "cursor=x";
  EXPECT_EQ(absolute_url(one), "https://localhost:8000/realms/devices/acme/new-order?cursor=x");
}

TEST(Urls, F39_AKidIsAnAccountUrlOfThisHostAndRealm) {
  const auto one = request();
  EXPECT_EQ(account_of_kid(one, "https://localhost:8000/realms/devices/acme/account/Ab-9_"), "Ab-9_");
  for (const auto* bad : {
           "https://localhost:8000/acme/account/Ab",                        // another realm: the default one
           "https://localhost:8000/realms/default/acme/account/Ab",         // another realm
           "https://localhost:8001/realms/devices/acme/account/Ab",         // another port
           "https://localhost/realms/devices/acme/account/Ab",              // another port
           "https://127.0.0.1:8000/realms/devices/acme/account/Ab",         // another name
           "http://localhost:8000/realms/devices/acme/account/Ab",          // another scheme
           "https://localhost:8000/realms/devices/acme/account/",           // no id
           "https://localhost:8000/realms/devices/acme/account/Ab/orders",  // below it
           "https://localhost:8000/realms/devices/acme/account/Ab?x",
           "https://localhost:8000/realms/devices/acme/order/Ab",
           "/realms/devices/acme/account/Ab",
           "Ab",
           "",
       }) {
    EXPECT_EQ(account_of_kid(one, bad), "") << bad;
  }
}

// ----- problems

TEST(Problems, TheHintsFirstWordIsTheType) {
  const auto problem = to_problem(Error(Code::PolicyRefused, "names differ", "acme:badCSR ask for a.example alone"));
  EXPECT_EQ(problem.type, "badCSR");
  EXPECT_EQ(problem.status, 400);
  EXPECT_EQ(problem.detail, "names differ (ask for a.example alone)");
  EXPECT_EQ(to_problem(Error(Code::PolicyRefused, "x", "acme:badCSR")).detail, "x");
}

TEST(Problems, OtherErrorsAreMappedByTheirCode) {
  struct Case {
    Code code;
    const char* hint;
    const char* type;
    int status;
  };
  const Case cases[] = {
      {Code::NotFound, "", "malformed", 404},
      {Code::Denied, "", "unauthorized", 403},
      {Code::BadKey, "", "badPublicKey", 400},
      {Code::BadProof, "", "badCSR", 400},
      {Code::PolicyRefused, "", "rejectedIdentifier", 403},
      {Code::Busy, "", "serverInternal", 503},
      {Code::Unavailable, "", "serverInternal", 503},
      {Code::Internal, "", "serverInternal", 500},
      {Code::StoreFailed, "", "serverInternal", 500},
      {Code::NotFound, "acme:noSuchType", "malformed", 404},
      {Code::NotFound, "look again", "malformed", 404},
  };
  for (const auto& one : cases) {
    const auto problem = to_problem(Error(one.code, "what", one.hint));
    EXPECT_EQ(problem.type, one.type) << one.type;
    EXPECT_EQ(problem.status, one.status) << one.type;
  }
}

TEST(Problems, AFailureInsideTellsNothingOfIt) {
  const auto problem = to_problem(Error(Code::StoreFailed, "disk /dev/sda1 is full"));
  EXPECT_EQ(problem.detail.find("sda1"), std::string::npos);
}

TEST(Problems, C30_DocumentsFollowTheRfc) {
  const auto response = problem_response(acme_error("badSignatureAlgorithm", "none"));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(http::find_header(response.headers, "Content-Type"), "application/problem+json");
  const auto document = wire::parse_json(response.body.substr(0, response.body.size() - 1));
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->text("type"), "urn:ietf:params:acme:error:badSignatureAlgorithm");
  EXPECT_EQ(document->texts("algorithms").size(), 5U);
  EXPECT_EQ(http::find_header(problem_response(Error(Code::Busy, "x")).headers, "Retry-After"), "2");
  const auto limited = problem_response(acme_error("rateLimited", "x"), std::chrono::seconds(36));
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(http::find_header(limited.headers, "Retry-After"), "36");
}

TEST(Problems, AnUnknownTypeIsABug) { EXPECT_THROW(acme_error("noSuchType", "x"), Bug); }

}  // namespace
}  // namespace chancery::acme
