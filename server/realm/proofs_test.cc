#include "server/realm/proofs.h"

#include <gtest/gtest.h>

#include "server/realm/testing.h"

namespace chancery::realm {
namespace {

using config::PolicyRule;
using config::Proof;
using testing::name;
using testing::san;
using testing::Scene;

/// What a test says is shown, and which proofs were looked at.
class Shown : public Facts {
 public:
  std::vector<std::string> labels;
  std::string standing = "nothing";
  std::string breaks;
  mutable std::vector<std::string> asked;

  Result<int> living_of_subject(const std::string&, int most) const override { return most; }
  Result<int> living_of_requester(const std::string&, int) const override { return 0; }
  Result<bool> look_up(const std::string& where, const Question& question) const override {
    return answer((question.as_a_whole ? "eligible:" : "look_up:") + where);
  }
  Result<bool> shows(const Proof& proof, const Question&) const override { return answer(proof.label()); }
  Result<std::string> standing_of(const std::string&) const override { return standing; }

 private:
  Result<bool> answer(const std::string& label) const {
    asked.push_back(label);
    if (label == breaks) return Error(Code::Unavailable, "nobody answers");
    return std::ranges::find(labels, label) != labels.end();
  }
};

class ProofsTest : public ::testing::Test {
 protected:
  Scene scene;
  Shown facts;
  Question question{.profile = scene.profile,
                    .way = "enrol",
                    .requester = "unix:nobody",
                    .roles = {},
                    .role_names = {},
                    .subject = name("/CN=a.example.com"),
                    .sans = {san("DNS:a.example.com")},
                    .key = {},
                    .validity = {},
                    .renews_left = {}};

  static PolicyRule rule(std::initializer_list<const char*> proofs, int points = 1, const char* if_short = "next") {
    PolicyRule made;
    made.name = "rule";
    made.decision = "grant";
    made.ways = {"enrol"};
    for (const auto* one : proofs) made.proofs.push_back(Proof::parse(one).value());
    made.points = points;
    made.if_short = if_short;
    return made;
  }

  Result<Ruling> ask(const PolicyRule& one, const char* otherwise = "deny") const {
    config::PolicyConfig policy;
    policy.otherwise = otherwise;
    policy.rules = {one};
    auto index = std::make_shared<config::PolicyIndex>();
    index->others = {0};
    policy.index = std::move(index);
    return ask_rules(policy, question, facts);
  }
  bool granted(const PolicyRule& one) const { return ask(one).value().granted; }
};

TEST_F(ProofsTest, OneOfThemIsEnough) {
  const auto one = rule({"challenge:fleet", "hmac:fleet"});
  EXPECT_FALSE(granted(one));
  facts.labels = {"hmac:fleet"};
  EXPECT_TRUE(granted(one));
  facts.labels = {"hmac:other", "challenge:other", "fleet"};
  EXPECT_FALSE(granted(one));
}

TEST_F(ProofsTest, PointsAddUp) {
  const auto two = rule({"challenge:fleet", "hmac:fleet", "on_behalf:agents=2"}, 2);
  struct Case {
    std::vector<std::string> labels;
    bool granted;
  };
  for (const auto& c : {Case{{}, false}, Case{{"challenge:fleet"}, false}, Case{{"hmac:fleet"}, false},
                        Case{{"challenge:fleet", "hmac:fleet"}, true}, Case{{"on_behalf:agents"}, true}}) {
    facts.labels = c.labels;
    EXPECT_EQ(granted(two), c.granted) << c.labels.size();
  }
}

TEST_F(ProofsTest, WhatIsEnoughIsNotAskedBeyond) {
  facts.labels = {"challenge:fleet"};
  EXPECT_TRUE(granted(rule({"anonymous", "challenge:fleet", "look_up:cmdb"}, 2)));
  EXPECT_EQ(facts.asked, std::vector<std::string>{"challenge:fleet"});
}

TEST_F(ProofsTest, ProofsAreAskedWhereAllElseHolds) {
  auto elsewhere = rule({"challenge:fleet"});
  elsewhere.subjects = {base::TextPattern::parse("/CN=other").value()};
  EXPECT_FALSE(granted(elsewhere));
  EXPECT_TRUE(facts.asked.empty());
}

TEST_F(ProofsTest, PeopleMakeUpForWhatIsMissing) {
  const auto short_of = rule({"hmac:fleet"}, 3, "approval");
  auto ruling = ask(short_of).value();
  EXPECT_EQ(ruling.points.missing(), 3);
  facts.labels = {"hmac:fleet"};
  ruling = ask(short_of).value();
  EXPECT_EQ(ruling.points.missing(), 2);
  EXPECT_EQ(ruling.detail, "granted by rule rule, with 1 of 3 points: hmac:fleet");
  scene.wish.ruling = ruling;
  const auto decision = scene.decide();
  ASSERT_FALSE(decision.allowed());
  EXPECT_NE(decision.refusal().message().find("rule rule needs 2 approvals"), std::string::npos);
  scene.wish.is_approved = true;
  EXPECT_TRUE(scene.decide().allowed());
}

TEST_F(ProofsTest, NobodyIsAskedAboutWhatShowsNothing) {
  auto one = rule({"look_up:cmdb", "hmac:fleet", "challenge:fleet"}, 3);
  one.look_ups = {"inventory"};
  one.eligible = {"directory"};
  EXPECT_FALSE(granted(one));
  facts.labels = {"hmac:fleet"};
  EXPECT_FALSE(granted(one));
  EXPECT_EQ(std::ranges::count(facts.asked, "hmac:fleet"), 2);
  EXPECT_EQ(facts.asked.size(), 4U) << "secrets alone";
  facts.asked.clear();
  facts.labels = {"hmac:fleet", "challenge:fleet", "look_up:cmdb", "look_up:inventory", "eligible:directory"};
  EXPECT_TRUE(granted(one));
  EXPECT_EQ(facts.asked, (std::vector<std::string>{"hmac:fleet", "challenge:fleet", "look_up:inventory", "eligible:directory",
                                                   "look_up:cmdb"}));
}

/// C12: whoever cannot say refuses, also where another proof would do behind it.
TEST_F(ProofsTest, WhoDoesNotAnswerRefuses) {
  facts.breaks = "look_up:cmdb";
  facts.labels = {"hmac:fleet"};
  const auto ruling = ask(rule({"look_up:cmdb", "hmac:fleet"}));
  ASSERT_FALSE(ruling.ok());
  EXPECT_EQ(ruling.error().code(), Code::Unavailable);
}

TEST_F(ProofsTest, HoldersAreWhoRenew) {
  EXPECT_FALSE(granted(rule({"holder"})));
  question.is_holders = true;
  EXPECT_TRUE(granted(rule({"holder"})));
}

TEST_F(ProofsTest, EnrolmentIsForRulesThatSayIt) {
  auto any = rule({"anonymous"});
  EXPECT_TRUE(granted(any));
  any.ways.clear();
  EXPECT_FALSE(granted(any));
  EXPECT_FALSE(ask(any, "grant").value().granted) << "what no rule holds for is not granted to who has no role";
  question.way = "command";
  EXPECT_TRUE(granted(any));
}

TEST_F(ProofsTest, WhatIsDeniedInAnyWayIsDeniedToWhoEnrols) {
  PolicyRule never;
  never.name = "never";
  never.decision = "deny";
  never.names = {base::NamePattern::parse("a.example.com").value()};
  EXPECT_EQ(ask(never, "grant").value().rule, "never");
  question.way = "command";
  EXPECT_EQ(ask(never, "grant").value().rule, "never");
  never.ways = {"command"};
  question.way = "enrol";
  EXPECT_EQ(ask(never, "grant").value().rule, "");
}

TEST_F(ProofsTest, EnrolmentIsForServersUnlessARuleSaysAnotherProfile) {
  Scene user("user");
  Question other{.profile = user.profile,
                 .way = "enrol",
                 .requester = question.requester,
                 .roles = {},
                 .role_names = {},
                 .subject = question.subject,
                 .sans = question.sans,
                 .key = {},
                 .validity = {},
                 .renews_left = {}};
  auto any = rule({"anonymous"});
  config::PolicyConfig policy;
  const auto grants = [&] {
    policy.rules = {any};
    auto index = std::make_shared<config::PolicyIndex>();
    index->others = {0};
    policy.index = std::move(index);
    return ask_rules(policy, other, facts).value().granted;
  };
  EXPECT_TRUE(granted(any));
  EXPECT_FALSE(grants());
  any.profiles = {user.profile.name};
  EXPECT_TRUE(grants());
}

/// Verifiers and people read the subject, too.
TEST_F(ProofsTest, ASubjectSaysNoMoreThanTheNamesThatAreGranted) {
  auto named = rule({"anonymous"});
  named.names = {base::NamePattern::parse(".example.com").value()};
  struct Case {
    const char* subject;
    bool enrols;
    bool by_command;
  };
  for (const auto& c : {Case{"/CN=a.example.com", true, true}, Case{"/CN=A.Example.com", true, true},
                        Case{"/CN=b.example.com", true, true}, Case{"/CN=bank.example.org", false, false},
                        Case{"/CN=Administrator", false, false}, Case{"/CN=Administrator/CN=a.example.com", false, false},
                        Case{"/O=Bank/CN=a.example.com", false, true}, Case{"/OU=root/CN=a.example.com", false, true}}) {
    question.subject = name(c.subject);
    question.way = "enrol";
    EXPECT_EQ(granted(named), c.enrols) << c.subject;
    named.ways = {"command"};
    question.way = "command";
    EXPECT_EQ(granted(named), c.by_command) << c.subject;
    named.ways = {"enrol"};
  }
  question.way = "enrol";
  question.subject = name("/O=Bank/CN=Administrator");
  auto meant = named;
  meant.subjects = {base::TextPattern::parse("/O=Bank/*").value()};
  EXPECT_TRUE(granted(meant));
  auto written = named;
  written.subject = "/CN=a.example.com";
  EXPECT_TRUE(granted(written));
}

TEST_F(ProofsTest, ASubjectSaysNoMoreThanWhatLookUpsWereAskedAbout) {
  auto known = rule({"anonymous"});
  known.look_ups = {"cmdb"};
  const auto proven = rule({"look_up:cmdb"});
  facts.labels = {"look_up:cmdb"};
  for (const auto& [subject, good] : {std::pair{"/CN=a.example.com", true}, {"/CN=Administrator", false}}) {
    question.subject = name(subject);
    EXPECT_EQ(granted(known), good) << subject;
    EXPECT_EQ(granted(proven), good) << subject;
  }
  question.sans.clear();
  EXPECT_TRUE(granted(known)) << "then it is the name that is asked about";
}

TEST_F(ProofsTest, WhoEnrolsGetsTheRoleOfTheProfileAndNoMore) {
  Ruling ruling;
  ruling.rule = "rule";
  auto& wish = scene.wish;
  wish.profile = &scene.profile;
  wish.way = "enrol";
  wish.roles = {};
  apply(ruling, wish);
  EXPECT_TRUE(wish.roles.allow(wish.profile->least_role));
  for (const auto* profile : {"ra", "admin", "ca"}) {
    Scene other(profile);
    other.wish.profile = &other.profile;
    other.wish.way = "enrol";
    other.wish.roles = {};
    apply(ruling, other.wish);
    EXPECT_TRUE(other.wish.roles.empty()) << profile;
    EXPECT_FALSE(other.decide().allowed()) << profile;
  }
  ruling.granted = false;
  wish.roles = {};
  apply(ruling, wish);
  EXPECT_TRUE(wish.roles.empty());
}

TEST_F(ProofsTest, WithoutRulesNobodyEnrols) {
  scene.wish.way = "enrol";
  EXPECT_FALSE(scene.decide().allowed());
  scene.wish.way = "command";
  EXPECT_TRUE(scene.decide().allowed());
}

TEST_F(ProofsTest, RolesOfTheRealmsOwn) {
  auto team = rule({"anonymous"});
  team.roles = {"web-team"};
  question.roles = Roles{Role::Admin};
  question.role_names = {"admin"};
  EXPECT_FALSE(granted(team));
  question.role_names = {"web-team"};
  EXPECT_TRUE(granted(team));
  team.roles = {"user"};
  EXPECT_TRUE(granted(team)) << "which an administrator's contains";
}

TEST_F(ProofsTest, WhatASubjectHas) {
  auto once = rule({"anonymous"});
  once.replaces = {"nothing", "revoked"};
  for (const auto& [standing, good] : {std::pair{"nothing", true}, {"living", false}, {"ended", false}, {"revoked", true}}) {
    facts.standing = standing;
    EXPECT_EQ(granted(once), good) << standing;
  }
}

TEST_F(ProofsTest, WhatIsReplacedDoesNotCount) {
  auto newer = rule({"anonymous"});
  newer.max_living_per_subject = 1;
  EXPECT_FALSE(granted(newer));
  newer.revoke_replaced = true;
  const auto ruling = ask(newer).value();
  EXPECT_TRUE(ruling.granted && ruling.revoke_replaced);
  EXPECT_EQ(ruling.most_of_subject, 0);
}

TEST(Proof, IsWrittenAsItIsRead) {
  for (const auto* text : {"anonymous", "holder", "challenge:fleet", "hmac:fleet=3", "look_up:cmdb", "on_behalf:agents=100"})
    EXPECT_EQ(Proof::parse(text).value().text(), text);
  for (const auto* text : {"", "anonymous:x", "holder:", "challenge", "challenge:", "hmac:fleet=", "hmac:fleet=0",
                           "hmac:fleet=101", "hmac:fleet=1x", "hmac:fleet=-1", "HMAC:fleet", "other:x"})
    EXPECT_FALSE(Proof::parse(text).ok()) << text;
}

}  // namespace
}  // namespace chancery::realm
