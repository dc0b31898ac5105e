#include "clients/validate/answer.h"

#include <gtest/gtest.h>

#include "clients/acme/problems.h"
#include "clients/acme/vantage_message.h"

namespace chancery::validate {
namespace {

using acme::Ask;
using acme::Inquiry;
using acme::Reply;

Inquiry inquiry(Ask ask = Ask::Proof) {
  Inquiry one{.id = std::string(32, 'a'), .ask = ask};
  one.question.method = "http-01";
  one.question.name = "a.example";
  one.question.rules.resolver = {"192.0.2.53:53", {"example. IN DS 1 8 2 ab"}};
  one.question.rules.caa_issuers = {"ca.example"};
  return one;
}

/// Looks that only remember what they were asked.
struct Fake {
  std::vector<acme::Question> proofs;
  std::vector<acme::Question> caas;
  Look look() {
    return {[this](const acme::Question& question) {
              proofs.push_back(question);
              return acme::Verdict{std::nullopt, "found", true};
            },
            [this](const acme::Question& question) {
              caas.push_back(question);
              return acme::Verdict{acme::acme_error("caa", "forbidden"), "looked"};
            }};
  }
};

Reply ask(const std::string& text, const Terms& terms, Fake& fake) {
  const auto reply = acme::read_reply(answer(text, terms, fake.look()));
  EXPECT_TRUE(reply.ok());
  return reply.ok() ? *reply : Reply();
}

TEST(Answer, EachQuestionIsLookedAtInItsWay) {
  Fake fake;
  const auto proof = ask(to_text(inquiry()), {}, fake);
  EXPECT_EQ(proof.id, inquiry().id);
  EXPECT_FALSE(proof.verdict.error);
  EXPECT_TRUE(proof.verdict.caa_checked);
  const auto caa = ask(to_text(inquiry(Ask::Caa)), {}, fake);
  ASSERT_TRUE(caa.verdict.error);
  EXPECT_EQ(acme::to_problem(*caa.verdict.error).type, "caa");
  EXPECT_EQ(fake.proofs.size(), 1U);
  EXPECT_EQ(fake.caas.size(), 1U);
}

TEST(Answer, ThePlacesOwnResolverIsAsked) {
  Fake fake;
  ask(to_text(inquiry()), {}, fake);
  ask(to_text(inquiry()), {.resolver = "127.0.0.1:5353"}, fake);
  ASSERT_EQ(fake.proofs.size(), 2U);
  EXPECT_EQ(fake.proofs[0].rules.resolver.server, "192.0.2.53:53");
  EXPECT_EQ(fake.proofs[1].rules.resolver.server, "127.0.0.1:5353");
  EXPECT_EQ(fake.proofs[1].rules.resolver.anchors.size(), 1U) << "what is to be believed is the realm's word";
}

TEST(Answer, LoopbackIsThePlacesOwnToAllow) {
  auto one = inquiry();
  one.question.rules.grounds.allow_loopback = true;
  Fake fake;
  const auto refused = ask(to_text(one), {}, fake);
  ASSERT_TRUE(refused.verdict.error);
  EXPECT_NE(refused.verdict.error->message().find("--allow-loopback"), std::string::npos);
  EXPECT_EQ(refused.id, one.id);
  EXPECT_TRUE(fake.proofs.empty());
  EXPECT_FALSE(ask(to_text(one), {.allow_loopback = true}, fake).verdict.error);
  ask(to_text(inquiry()), {.allow_loopback = true}, fake);
  EXPECT_FALSE(fake.proofs.back().rules.grounds.allow_loopback) << "a realm that keeps off loopback is kept off it";
}

TEST(Answer, WhatIsNoQuestionIsAnsweredInWords) {
  Fake fake;
  for (const std::string text : {"", "{}", "hello", "{\"TASK\":\"get_ca\",\"params\":{}}"}) {
    const auto reply = ask(text, {}, fake);
    EXPECT_EQ(reply.id, "") << text;
    ASSERT_TRUE(reply.verdict.error) << text;
    EXPECT_EQ(acme::to_problem(*reply.verdict.error).type, "serverInternal");
  }
  auto newer = to_text(inquiry());
  newer.replace(newer.find("\"version\":1"), 11, "\"version\":2");
  EXPECT_NE(ask(newer, {}, fake).verdict.error->message().find("found version 2"), std::string::npos);
  EXPECT_TRUE(fake.proofs.empty() && fake.caas.empty());
}

}  // namespace
}  // namespace chancery::validate
