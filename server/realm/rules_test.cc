#include "server/realm/rules.h"

#include <gtest/gtest.h>

#include "server/base/text.h"
#include "server/realm/testing.h"

namespace chancery::realm {
namespace {

using config::PolicyRule;
using std::chrono::days;
using testing::name;
using testing::san;
using testing::Scene;

/// A store and programs of which a test says what they know.
class Known : public Facts {
 public:
  int of_subject = 0;
  int of_requester = 0;
  bool yes = true;
  bool breaks = false;
  mutable int asked = 0;

  Result<int> living_of_subject(const std::string&, int most) const override { return count(of_subject, most); }
  Result<int> living_of_requester(const std::string&, int most) const override { return count(of_requester, most); }
  Result<bool> look_up(const std::string&, const Question&) const override {
    ++asked;
    if (breaks) return Error(Code::Unavailable, "the program did not end");
    return yes;
  }
  Result<bool> shows(const config::Proof& proof, const Question&) const override {
    ++asked;
    if (breaks) return Error(Code::Busy, "too many failed logins");
    return std::ranges::find(shown, proof.label()) != shown.end();
  }
  Result<std::string> standing_of(const std::string&) const override { return standing; }
  std::vector<std::string> shown;
  std::string standing = "nothing";

 private:
  Result<int> count(int found, int most) const {
    ++asked;
    return std::min(found, most);
  }
};

base::NamePattern pattern(const char* text) { return base::NamePattern::parse(text).value(); }
base::TextPattern text_pattern(const char* text) { return base::TextPattern::parse(text).value(); }
base::KeySpec key(const char* text) { return base::parse_key_spec(text).value(); }

/// As the configuration's reader leaves it.
config::PolicyConfig policy_of(std::vector<PolicyRule> rules, const char* otherwise = "deny") {
  config::PolicyConfig policy;
  policy.otherwise = otherwise;
  policy.rules = std::move(rules);
  auto index = std::make_shared<config::PolicyIndex>();
  for (std::uint32_t number = 0; number < policy.rules.size(); ++number) {
    const auto& rule = policy.rules[number];
    const bool by_tail = rule.decision == "grant" && rule.names.size() == 1 && !rule.names[0].tail().empty() &&
                         rule.emails.empty() && rule.uris.empty();
    (by_tail ? index->by_tail[rule.names[0].tail()] : index->others).push_back(number);
  }
  policy.index = std::move(index);
  return policy;
}

PolicyRule rule(const char* rule_name, const char* decision = "grant") {
  PolicyRule made;
  made.name = rule_name;
  made.decision = decision;
  return made;
}

struct Table {
  Scene scene;
  Known facts;
  Question question{.profile = scene.profile,
                    .way = "command",
                    .requester = "unix:alice",
                    .roles = Roles{Role::RaOperator},
                    .role_names = {"ra-operator"},
                    .subject = name("/O=Company/CN=web-1.example.com"),
                    .sans = {san("DNS:web-1.example.com")},
                    .key = key("ec:P-256"),
                    .validity = days{30},
                    .renews_left = {}};

  Ruling ask(const config::PolicyConfig& policy) { return ask_rules(policy, question, facts).value(); }
  bool holds(const PolicyRule& one) { return ask(policy_of({one})).rule == one.name; }
};
struct RulesTest : ::testing::Test, Table {};

TEST_F(RulesTest, TheFirstThatHoldsDecides) {
  auto other = rule("other");
  other.profiles = {ProfileName::parse("user").value()};
  EXPECT_EQ(ask(policy_of({other, rule("no", "deny"), rule("yes")})).rule, "no");
  EXPECT_FALSE(ask(policy_of({other, rule("no", "deny"), rule("yes")})).granted);
  EXPECT_EQ(ask(policy_of({other, rule("yes"), rule("no", "deny")})).rule, "yes");
  EXPECT_TRUE(ask(policy_of({other, rule("yes"), rule("no", "deny")})).granted);
}

TEST_F(RulesTest, WithoutOneTheRealmSays) {
  auto other = rule("other");
  other.ways = {"acme"};
  EXPECT_FALSE(ask(policy_of({other})).granted);
  EXPECT_TRUE(ask(policy_of({other}, "grant")).granted);
  EXPECT_TRUE(ask(config::PolicyConfig()).granted) << "a realm without rules leaves it to its profiles";
}

TEST_F(RulesTest, ARefusalNamesTheNearestRules) {
  auto web = rule("web");
  web.names = {pattern("*.example.org")};
  auto long_lived = rule("short");
  long_lived.max_validity = days{10};
  const auto ruling = ask(policy_of({web, long_lived}));
  EXPECT_NE(ruling.detail.find("short by its max_validity"), std::string::npos) << ruling.detail;
}

/// Also where they are found by their names, and names are what they miss.
TEST_F(RulesTest, ARefusalNamesTheRuleWhoseNamesAreNearest) {
  const auto named = [](const char* rule_name, const char* names) {
    auto made = rule(rule_name);
    made.names = {pattern(names)};
    return made;
  };
  auto other_way = named("acme", "ftp.example.com");
  other_way.ways = {"acme"};
  const auto policy = policy_of({named("far", ".example.org"), other_way, named("near", "ftp.example.com"),
                                 named("below", ".web.example.com"), named("other", "ns.example.com")});
  struct Case {
    const char* what;
    std::vector<x509::GeneralName> sans;
    const char* says;
  };
  const Case cases[] = {
      {"a neighbour", {san("DNS:www.example.com")}, ": it misses near by its names"},
      {"below another one", {san("DNS:a.b.web.example.net")}, ": it misses far by its names"},
      {"the name above", {san("DNS:web.example.com")}, ": it misses below by its names"},
      {"another domain", {san("DNS:www.example.net")}, ": it misses far by its names"},
      {"no host", {san("EMAIL:a@example.com")}, ": it misses far by its names"},
      {"one of two", {san("DNS:ftp.example.com"), san("DNS:www.example.com")}, ": it misses near by its names"},
  };
  for (const auto& one : cases) {
    question.sans = one.sans;
    const auto ruling = ask(policy);
    EXPECT_FALSE(ruling.granted) << one.what;
    EXPECT_EQ(ruling.detail, std::string("no rule of the realm's policy grants it") + one.says) << one.what;
  }
  EXPECT_EQ(facts.asked, 0) << "nobody is asked for an explanation";
}

/// Each condition alone: a rule that has it holds for the question as it is, and not for one that differs in that.
TEST_F(RulesTest, EachConditionHoldsOrNot) {
  struct Case {
    const char* what;
    void (*set)(PolicyRule&);
    void (*spoil)(Table&);
  };
  const Case cases[] = {
      {"profile", [](PolicyRule& r) { r.profiles = {ProfileName::parse("server").value()}; },
       [](Table& t) { t.scene.profile = t.scene.realm.profiles.at(ProfileName::parse("user").value()); }},
      {"way",
       [](PolicyRule& r) {
         r.ways = {"seed", "command"};
       },
       [](Table& t) { t.question.way = "acme"; }},
      {"requester", [](PolicyRule& r) { r.requesters = {text_pattern("unix:*")}; },
       [](Table& t) { t.question.requester = "user:alice"; }},
      {"role", [](PolicyRule& r) { r.roles = {"user"}; }, [](Table& t) { t.question.roles = Roles{Role::Anonymous}; }},
      {"name", [](PolicyRule& r) { r.names = {pattern("web-*.example.com")}; },
       [](Table& t) { t.question.sans.push_back(san("DNS:mail.example.com")); }},
      {"name by regular expression", [](PolicyRule& r) { r.names = {pattern("/web-[0-9]\\.example\\.com/")}; },
       [](Table& t) { t.question.sans = {san("DNS:web-12.example.com")}; }},
      {"no names at all", [](PolicyRule& r) { r.names = {pattern(".example.com")}; }, [](Table& t) { t.question.sans.clear(); }},
      {"an e-mail address that the rule does not mention", [](PolicyRule& r) { r.names = {pattern(".example.com")}; },
       [](Table& t) { t.question.sans.push_back(san("EMAIL:boss@example.com")); }},
      {"address",
       [](PolicyRule& r) {
         r.names = {pattern("10.0.0.0/8"), pattern(".example.com")};
       },
       [](Table& t) { t.question.sans.push_back(san("IP:192.0.2.1")); }},
      {"URI",
       [](PolicyRule& r) {
         r.names = {pattern(".example.com")};
         r.uris = {text_pattern("https://a.example.com/*")};
       },
       [](Table& t) { t.question.sans.push_back(san("URI:https://b.example.com/")); }},
      {"subject", [](PolicyRule& r) { r.subjects = {text_pattern("/O=Company/*")}; },
       [](Table& t) { t.question.subject = name("/O=Other/CN=web-1.example.com"); }},
      {"key",
       [](PolicyRule& r) {
         r.keys = {key("rsa:3072"), key("ec:P-256")};
       },
       [](Table& t) { t.question.key = key("rsa:2048"); }},
      {"validity", [](PolicyRule& r) { r.max_validity = days{30}; }, [](Table& t) { t.question.validity = days{31}; }},
      {"subject's number", [](PolicyRule& r) { r.max_living_per_subject = 2; }, [](Table& t) { t.facts.of_subject = 2; }},
      {"requester's number", [](PolicyRule& r) { r.max_living_per_requester = 1; }, [](Table& t) { t.facts.of_requester = 7; }},
      {"look-up", [](PolicyRule& r) { r.look_ups = {"file:hosts.txt"}; }, [](Table& t) { t.facts.yes = false; }},
  };
  for (const auto& one : cases) {
    Table table;
    auto tried = rule("tried");
    one.set(tried);
    EXPECT_TRUE(table.holds(tried)) << one.what;
    one.spoil(table);
    EXPECT_FALSE(table.holds(tried)) << one.what;
  }
}

/// What is denied for one name is not had with a harmless one beside it, nor with a wildcard that stands for it.
TEST_F(RulesTest, C12_ARuleThatDeniesHoldsForAnyOfTheNames) {
  auto vault = rule("vault", "deny");
  vault.names = {pattern("vault.example.com"), pattern("10.0.0.0/8")};
  const auto policy = policy_of({vault, rule("all")});
  EXPECT_EQ(ask(policy).rule, "all");
  question.sans = {san("DNS:web-1.example.com"), san("DNS:vault.example.com")};
  EXPECT_EQ(ask(policy).rule, "vault");
  question.sans = {san("DNS:*.example.com")};
  EXPECT_EQ(ask(policy).rule, "vault");
  question.sans = {san("DNS:web-1.example.com"), san("IP:10.1.2.3")};
  EXPECT_EQ(ask(policy).rule, "vault");
  question.sans.clear();
  EXPECT_EQ(ask(policy).rule, "all");
}

TEST_F(RulesTest, RenewalWindowsHoldForRenewalsAlone) {
  auto window = rule("window");
  window.renews_within = days{30};
  EXPECT_FALSE(holds(window)) << "no renewal";
  question.renews_left = days{30};
  EXPECT_TRUE(holds(window));
  question.renews_left = days{31};
  EXPECT_FALSE(holds(window));
}

TEST_F(RulesTest, AKeyThatNobodyKnowsYetFits) {
  auto keys = rule("keys");
  keys.keys = {key("rsa:4096")};
  EXPECT_FALSE(holds(keys));
  question.key.reset();
  EXPECT_TRUE(holds(keys));
}

TEST_F(RulesTest, WhatCostsIsAskedForRulesAloneThatHoldOtherwise) {
  auto elsewhere = rule("elsewhere");
  elsewhere.names = {pattern("*.example.org")};
  elsewhere.look_ups = {"exec:/bin/true"};
  elsewhere.max_living_per_subject = 1;
  EXPECT_FALSE(holds(elsewhere));
  EXPECT_EQ(facts.asked, 0);
}

/// A rule that denies what a list knows must not be passed by breaking the list.
TEST_F(RulesTest, C12_WhatCannotBeLookedUpIsNotGranted) {
  auto denies = rule("known-bad", "deny");
  denies.look_ups = {"exec:/bin/asks"};
  facts.breaks = true;
  const auto ruling = ask_rules(policy_of({denies, rule("all")}, "grant"), question, facts);
  ASSERT_FALSE(ruling.ok());
  EXPECT_EQ(ruling.error().code(), Code::Unavailable);
  EXPECT_NE(ruling.error().message().find("known-bad"), std::string::npos);
}

TEST_F(RulesTest, TemplatesMakeNames) {
  auto made = rule("made");
  made.subject = "/O=Company/OU={user}/CN={host}.intra.example.com";
  made.sans = {"DNS:{host}.intra.example.com", "DNS:{cn}"};
  const auto ruling = ask(policy_of({made}));
  ASSERT_TRUE(ruling.subject && ruling.sans);
  EXPECT_EQ(ruling.subject->to_slash(), "/O=Company/OU=alice/CN=web-1.intra.example.com");
  EXPECT_EQ(*ruling.sans, (std::vector{san("DNS:web-1.intra.example.com"), san("DNS:web-1.example.com")}));
}

/// Values become one attribute's value or one name, whatever they say.
TEST_F(RulesTest, F33_ValuesOfTemplatesAddNothing) {
  auto made = rule("made");
  made.subject = "/O=Company/OU={user}";
  question.requester = "cert:/CN=a/O=Evil";
  EXPECT_EQ(ask(policy_of({made})).subject->attributes.size(), 2U);
  made.subject.clear();
  made.sans = {"DNS:{user}.example.com"};
  for (const char* hostile : {"user:a,DNS:b", "user:*", "user:a b", "user:../x", "user:a\nb"}) {
    question.requester = hostile;
    const auto ruling = ask_rules(policy_of({made}), question, facts);
    EXPECT_FALSE(ruling.ok()) << hostile;
  }
}

TEST_F(RulesTest, EveryVariableOfTheTableHasAValue) {
  auto made = rule("made");
  for (const auto& variable : base::split(config::kTemplateVariables, ' ')) {
    made.subject = "/CN={" + variable + "}";
    EXPECT_TRUE(ask_rules(policy_of({made}), question, facts).ok()) << variable;
  }
}

TEST_F(RulesTest, TemplatesNeedTheirValues) {
  auto made = rule("made");
  made.subject = "/CN={domain}";
  question.subject = name("/CN=alone");
  EXPECT_FALSE(ask_rules(policy_of({made}), question, facts).ok());
  made.subject = "/CN={nonsense}";
  EXPECT_FALSE(ask_rules(policy_of({made}), question, facts).ok());
  made.subject = "/CN={cn";
  EXPECT_FALSE(ask_rules(policy_of({made}), question, facts).ok());
}

TEST(BlockedNames, TouchWildcardsToo) {
  config::PolicyConfig policy;
  policy.blocked_names = {pattern("bank.example.com"), pattern("10.0.0.0/8"), pattern(".secret.example.com")};
  EXPECT_EQ(blocked_name(policy, {}, {san("DNS:www.example.com"), san("DNS:bank.example.com")}), "bank.example.com");
  EXPECT_EQ(blocked_name(policy, {}, {san("DNS:*.example.com")}), "*.example.com");
  EXPECT_EQ(blocked_name(policy, {}, {san("IP:10.1.2.3")}), "10.1.2.3");
  EXPECT_EQ(blocked_name(policy, {}, {san("DNS:a.b.secret.example.com")}), "a.b.secret.example.com");
  EXPECT_EQ(blocked_name(policy, {}, {san("DNS:www.example.com"), san("IP:192.0.2.1"), san("EMAIL:a@bank.example.com")}), "");
}

TEST(BlockedNames, CommonNamesAreNamesToo) {
  Scene scene("user");
  scene.wish.subject = name("/CN=bank.example.com");
  scene.realm.policy.blocked_names = {pattern("bank.example.com")};
  EXPECT_FALSE(scene.decide().allowed());
}

TEST(BlockedNames, C12_TheSignerRefusesThemToo) {
  Scene scene;
  const auto grant = scene.decide().grant;
  EXPECT_TRUE(check_grant(scene.realm, scene.profile, scene.ca, grant, scene.now).ok());
  scene.realm.policy.blocked_names = {pattern("www.example.com")};
  const auto refused = check_grant(scene.realm, scene.profile, scene.ca, grant, scene.now);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::PolicyRefused);
  EXPECT_FALSE(scene.decide().allowed());
}

TEST(Ways, AreWhatRecordsBeginWith) {
  EXPECT_EQ(way_of("command"), "command");
  EXPECT_EQ(way_of("seed 4f00"), "seed");
  EXPECT_EQ(way_of("renewal of 01"), "renewal");
  EXPECT_EQ(way_of("acme-order:abc"), "acme");
}

TEST_F(RulesTest, DecisionsFollowTheRuling) {
  scene.wish.sans = {san("DNS:www.example.com")};
  auto shortened = rule("short");
  shortened.max_validity = days{5};
  scene.realm.policy = policy_of({shortened});
  scene.wish.profile = &scene.profile;
  apply(rule_on(scene.realm, scene.wish, scene.now, facts).value(), scene.wish);
  auto decision = scene.decide();
  ASSERT_TRUE(decision.allowed()) << decision.refusal().message();
  EXPECT_EQ(decision.grant.not_after - decision.grant.not_before, days{5} - std::chrono::seconds{1});
  scene.wish.validity = days{6};
  apply(rule_on(scene.realm, scene.wish, scene.now, facts).value(), scene.wish);
  decision = scene.decide();
  ASSERT_FALSE(decision.allowed());
  EXPECT_EQ(decision.code, Code::PolicyRefused);
}

TEST(PolicyTests, SayWhatFails) {
  Scene scene;
  auto web = rule("web");
  web.names = {pattern("*.example.com")};
  web.look_ups = {"file:hosts.txt"};
  scene.realm.policy = policy_of({web});
  config::PolicyTest good;
  good.name = "a web server";
  good.expect = "grant";
  good.rule = "web";
  good.subject = "/CN=www.example.com";
  good.look_ups = {"file:hosts.txt"};
  auto bad = good;
  bad.name = "unknown";
  bad.look_ups.clear();
  auto wrong = good;
  wrong.subject = "/CN=www.example.org";
  wrong.expect = "deny";
  wrong.rule = "";
  scene.realm.policy.tests = {good, bad, wrong};
  const auto failed = failed_policy_tests(scene.realm);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].number, 1U);
  EXPECT_NE(failed[0].message.find("expected grant by rule web"), std::string::npos) << failed[0].message;
}

/// Whatever is asked, what the index leaves out could not have held.
TEST_F(RulesTest, TheIndexChangesNoAnswer) {
  const char* patterns[] = {
      "a.example.com", "*.example.com",  ".example.com", "web-*.example.com", "*.x.example.com", "/.*/", "10.0.0.0/8", "*",
      ".com",          "x.*.example.com"};
  const char* names[] = {"a.example.com", "b.example.com", "web-1.example.com", "a.x.example.com",
                         "example.com",   "com",           "x.y.example.com"};
  for (const char* one : patterns) {
    auto tried = rule("tried");
    tried.names = {pattern(one)};
    const auto indexed = policy_of({tried});
    auto plain = indexed;
    auto all = std::make_shared<config::PolicyIndex>();
    all->others = {0};
    plain.index = all;
    for (const char* wanted : names) {
      question.sans = {x509::GeneralName{x509::GeneralName::Type::Dns, wanted}};
      EXPECT_EQ(ask(indexed).rule, ask(plain).rule) << one << " on " << wanted;
    }
  }
}

}  // namespace
}  // namespace chancery::realm
