#include "clients/acme/vantage_message.h"

#include <gtest/gtest.h>

#include "clients/acme/problems.h"
#include "server/wire/json.h"

namespace chancery::acme {
namespace {

const std::string kId = "0123456789abcdef0123456789abcdef";

Inquiry inquiry(Ask ask = Ask::Proof) {
  Inquiry one{.id = kId, .ask = ask};
  auto& question = one.question;
  question.method = "dns-01";
  question.name = "www.shop.example";
  question.wildcard = true;
  question.token = "a_token-1";
  question.thumbprint = "a_thumbprint-1";
  question.account_url = "https://ca.example/acme/account/1";
  question.rules = {.http01_port = 8080,
                    .tlsalpn01_port = 8443,
                    .resolver = {"[::1]:53", {"example. IN DS 1 8 2 ab"}},
                    .grounds = {.allow_loopback = true,
                                .allowed = {*Network::parse("169.254.0.0/16")},
                                .forbidden = {*Network::parse("10.0.0.0/8"), *Network::parse("fd00::/8")}},
                    .caa_issuers = {"ca.example", "ca.test"}};
  return one;
}

std::string type_of(const Reply& reply) { return std::string(to_problem(*reply.verdict.error).type); }

TEST(VantageMessage, QuestionsComeBackAsTheyWere) {
  for (const auto ask : {Ask::Proof, Ask::Caa}) {
    const auto sent = inquiry(ask);
    const auto text = to_text(sent);
    const auto got = read_inquiry(text);
    ASSERT_TRUE(got.ok()) << got.error().message();
    EXPECT_EQ(to_text(*got), text);
    EXPECT_EQ(got->ask, ask);
    EXPECT_EQ(got->question.name, sent.question.name);
    EXPECT_EQ(got->question.key_authorization(), sent.question.key_authorization());
    EXPECT_EQ(got->question.account_url, sent.question.account_url);
    EXPECT_EQ(got->question.rules.resolver.server, "[::1]:53");
    EXPECT_EQ(got->question.rules.resolver.anchors, sent.question.rules.resolver.anchors);
    EXPECT_EQ(got->question.rules.caa_issuers, sent.question.rules.caa_issuers);
    EXPECT_EQ(got->question.rules.http01_port, 8080);
    ASSERT_EQ(got->question.rules.grounds.forbidden.size(), 2);
    EXPECT_EQ(got->question.rules.grounds.forbidden[1].text(), "fd00::/8");
    EXPECT_EQ(got->question.rules.grounds.allowed.at(0).text(), "169.254.0.0/16");
    EXPECT_EQ(got->question.rules.tlsalpn01_port, 8443);
    EXPECT_TRUE(got->question.rules.grounds.allow_loopback && got->question.wildcard && !got->question.is_address);
  }
}

TEST(VantageMessage, AddressesAreAskedAboutToo) {
  for (const auto* address : {"192.0.2.1", "2001:db8::1"}) {
    auto one = inquiry();
    one.question.method = "http-01";
    one.question.name = address;
    one.question.is_address = true;
    one.question.wildcard = false;
    EXPECT_TRUE(read_inquiry(to_text(one)).ok()) << address;
  }
}

/// One member changed, anywhere in the question.
struct Change {
  const char* name;
  std::string from;
  std::string to;
  Code want = Code::Malformed;
};

TEST(VantageMessage, D11_QuestionsOfAnotherFormAreRefused) {
  const auto good = to_text(inquiry());
  const Change changes[] = {
      {"another version", R"("version":1)", R"("version":2)", Code::Unsupported},
      {"version as a text", R"("version":1)", R"("version":"1")", Code::Unsupported},
      {"no version", R"("version":1,)", ""},
      {"no id", R"("id":")" + kId + R"(",)", ""},
      {"short id", kId, kId.substr(1)},
      {"long id", kId, kId + "0"},
      {"id in capitals", kId, "0123456789ABCDEF0123456789ABCDEF"},
      {"ask for something else", R"("ask":"proof")", R"("ask":"sign")"},
      {"ask as a number", R"("ask":"proof")", R"("ask":0)"},
      {"unknown member outside", R"("ask":)", R"("realm":"x","ask":)"},
      {"unknown member inside", R"("token":)", R"("key":"x","token":)"},
      {"unknown rule", R"("http01_port":)", R"("forbidden":[],"http01_port":)"},
      {"a member twice", R"("ask":"proof")", R"("ask":"proof","ask":"caa")"},
      {"question that is a text", R"("question":{)", R"("question":"x","q":{)"},
      {"method that there is not", "dns-01", "dns-02"},
      {"no name", "www.shop.example", ""},
      {"name with a slash", "www.shop.example", "www.shop.example/x"},
      {"name with a NUL", "www.shop.example", "www\\u0000.example"},
      {"long name", "www.shop.example", std::string(254, 'a')},
      {"name that is an address", "www.shop.example", "192.0.2.1"},
      {"address that is a name", R"("is_address":false)", R"("is_address":true)"},
      {"truth as a number", R"("wildcard":true)", R"("wildcard":1)"},
      {"token with a slash", "a_token-1", "../x"},
      {"token that is none", R"("token":"a_token-1")", R"("token":null)"},
      {"long thumbprint", "a_thumbprint-1", std::string(129, 'a')},
      {"account URL of two lines", "https://ca.example/acme", "https://ca.example\\n/acme"},
      {"port 0", R"("http01_port":8080)", R"("http01_port":0)"},
      {"port above all", R"("tlsalpn01_port":8443)", R"("tlsalpn01_port":65536)"},
      {"port of many digits", R"("tlsalpn01_port":8443)", R"("tlsalpn01_port":99999999999999999999)"},
      {"port as a fraction", R"("tlsalpn01_port":8443)", R"("tlsalpn01_port":84.5)"},
      {"no port", R"("http01_port":8080,)", ""},
      {"resolver as a text", R"("resolver":{)", R"("resolver":"x","r":{)"},
      {"resolver that runs on", "[::1]:53", "x\\u0009y"},
      {"issuers as a text", R"(["ca.example","ca.test"])", R"("ca.example")"},
      {"issuers that are no texts", R"(["ca.example","ca.test"])", "[1]"},
      {"issuers of another form", R"(["ca.example","ca.test"])", R"(["ca example"])"},
      {"something behind", R"(}}})", R"(}}}x)"},
  };
  for (const auto& change : changes) {
    auto text = good;
    const auto at = text.find(change.from);
    ASSERT_NE(at, std::string::npos) << change.name;
    text.replace(at, change.from.size(), change.to);
    const auto got = read_inquiry(text);
    ASSERT_FALSE(got.ok()) << change.name;
    EXPECT_EQ(got.error().code(), change.want) << change.name << ": " << got.error().message();
  }
}

TEST(VantageMessage, D11_WhatIsNoQuestionIsRefused) {
  for (const auto* text :
       {"", "null", "[]", "{}", "7", "\"x\"", "{\"version\":1}", "\xff", "[[[[[[[[", "{\"version\":1,\"id\":{}}"})
    EXPECT_FALSE(read_inquiry(text).ok()) << text;
  const auto large = read_inquiry(std::string(kMaxInquiryBytes + 1, ' '));
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code(), Code::TooLarge);
  auto many = inquiry();
  many.question.rules.caa_issuers.assign(65, "a.example");
  EXPECT_FALSE(read_inquiry(to_text(many)).ok());
  auto none = inquiry(Ask::Caa);
  none.question.rules.caa_issuers.clear();
  EXPECT_FALSE(read_inquiry(to_text(none)).ok()) << "nobody could be allowed";
}

TEST(VantageMessage, AnswersComeBackAsTheyWere) {
  const Verdict verdicts[] = {{std::nullopt, "found \"it\" at 192.0.2.1", true},
                              {std::nullopt, "", false},
                              {acme_error("unauthorized", "found another digest"), "asked", false},
                              {passing_error("dns", "SERVFAIL"), "asked \xe2\x82\xac", false}};
  for (const auto& verdict : verdicts) {
    const auto got = read_reply(to_text(Reply{kId, verdict}));
    ASSERT_TRUE(got.ok()) << got.error().message();
    EXPECT_EQ(got->id, kId);
    EXPECT_EQ(got->verdict.evidence, verdict.evidence);
    EXPECT_EQ(got->verdict.caa_checked, verdict.caa_checked);
    ASSERT_EQ(got->verdict.error.has_value(), verdict.error.has_value());
    if (!verdict.error) continue;
    EXPECT_EQ(type_of(*got), to_problem(*verdict.error).type);
    EXPECT_EQ(got->verdict.error->message(), verdict.error->message());
  }
}

TEST(VantageMessage, OfOurOwnFailuresOthersLearnNoMoreThanClients) {
  const auto got = read_reply(to_text(Reply{kId, {Error(Code::Internal, "a path of ours"), ""}}));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(type_of(*got), "serverInternal");
  EXPECT_EQ(got->verdict.error->message().find("path"), std::string::npos);
}

TEST(VantageMessage, D11_AnswersOfAnotherFormAreRefused) {
  const auto good = to_text(Reply{kId, {acme_error("dns", "why"), "asked"}});
  const Change changes[] = {
      {"another version", R"("version":1)", R"("version":0)", Code::Unsupported},
      {"no id", kId, ""},
      {"valid with an error", R"("valid":false)", R"("valid":true)"},
      {"not valid without an error", R"({"type":"dns","detail":"why"})", "null"},
      {"valid as a text", R"("valid":false)", R"("valid":"false")"},
      {"CAA allowed with an error", R"("caa_checked":false)", R"("caa_checked":true)"},
      {"type that there is not", R"("type":"dns")", R"("type":"dnss")"},
      {"empty type", R"("type":"dns")", R"("type":"")"},
      {"type and more", R"("type":"dns")", R"("type":"dns x")"},
      {"type with the urn", R"("type":"dns")", R"("type":"urn:ietf:params:acme:error:dns")"},
      {"error as a text", R"({"type":"dns","detail":"why"})", R"("dns")"},
      {"error with more", R"("detail":"why")", R"("detail":"why","hint":"x")"},
      {"detail of two lines", R"("detail":"why")", R"("detail":"why\nnot")"},
      {"evidence of two lines", R"("evidence":"asked")", R"("evidence":"a\u001bb")"},
      {"long evidence", R"("evidence":"asked")", R"("evidence":")" + std::string(4097, 'a') + "\""},
      {"unknown member", R"("valid":)", R"("certificate":"x","valid":)"},
  };
  for (const auto& change : changes) {
    auto text = good;
    const auto at = text.find(change.from);
    ASSERT_NE(at, std::string::npos) << change.name;
    text.replace(at, change.from.size(), change.to);
    const auto got = read_reply(text);
    if (std::string_view(change.name) == "no id") {  // as a refusal of what could not be read
      EXPECT_TRUE(got.ok());
      continue;
    }
    ASSERT_FALSE(got.ok()) << change.name;
    EXPECT_EQ(got.error().code(), change.want) << change.name << ": " << got.error().message();
  }
  EXPECT_FALSE(read_reply(to_text(Reply{"", {std::nullopt, "found", true}})).ok()) << "an answer to nothing";
  EXPECT_FALSE(read_reply(std::string(kMaxReplyBytes + 1, ' ')).ok());
}

}  // namespace
}  // namespace chancery::acme
