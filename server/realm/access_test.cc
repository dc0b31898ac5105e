#include "server/realm/access.h"

#include <gtest/gtest.h>

namespace chancery::realm {
namespace {

using config::AccessRule;
using config::PeopleConfig;

std::vector<x509::GeneralName> sans(const std::vector<std::string>& texts) {
  std::vector<x509::GeneralName> out;
  for (const auto& text : texts) out.push_back(x509::GeneralName::parse(text).value());
  return out;
}

PeopleConfig with(std::vector<AccessRule> rules) {
  PeopleConfig people;
  people.access = std::move(rules);
  return people;
}

AccessRule rule(std::string name, std::string decision, std::vector<std::string> who, std::vector<std::string> commands) {
  AccessRule made;
  made.name = std::move(name);
  made.decision = std::move(decision);
  made.who = std::move(who);
  made.commands = std::move(commands);
  return made;
}

const Caller kAlice{"user:alice", {"web-team"}};
const Caller kBob{"user:bob", {"ra-operator"}};
const About kWeb{"server", "/O=Example/CN=www.web.example.com", "www.web.example.com", sans({"DNS:www.web.example.com"})};

TEST(Access, WithoutRulesTheTableDecidesAlone) {
  EXPECT_TRUE(judge_access({}, kAlice, "certificate.issue", Role::RaOperator, &kWeb).allowed);
}

TEST(Access, WhereThereAreRulesWhatNoneMatchesIsRefused) {
  const auto people = with({rule("web", "allow", {"web-team"}, {"certificate.*"})});
  EXPECT_TRUE(judge_access(people, kAlice, "certificate.issue", Role::RaOperator, &kWeb).allowed);
  EXPECT_FALSE(judge_access(people, kAlice, "seed.create", Role::RaOperator, nullptr).allowed);
  EXPECT_FALSE(judge_access(people, kBob, "certificate.issue", Role::RaOperator, &kWeb).allowed);
  EXPECT_FALSE(judge_access(people, {"unix:root", {"admin"}}, "certificate.issue", Role::RaOperator, &kWeb).allowed);
}

TEST(Access, WhatAnybodyMayAndWhatFrontEndsDoIsNotJudged) {
  const auto people = with({rule("none", "deny", {"*"}, {"*"})});
  EXPECT_TRUE(judge_access(people, kAlice, "crl.get", Role::Anonymous, nullptr).allowed);
  EXPECT_TRUE(judge_access(people, kAlice, "acme.order.finalize", Role::Frontend, nullptr).allowed);
  EXPECT_FALSE(judge_access(people, kAlice, "certificate.get", Role::User, nullptr).allowed);
}

TEST(Access, WhatIssuesForAnybodyIsRefusedWhereARuleDeniesIt) {
  auto crown = rule("crown", "deny", {"*"}, {"certificate.*"});
  crown.names = {"www.web.example.com"};
  const auto people = with({crown, rule("all", "allow", {"admin"}, {"*"})});
  const About other{"server", "/CN=a.example.com", "a.example.com", sans({"DNS:a.example.com"})};
  EXPECT_FALSE(judge_access(people, {"anonymous", {}}, "certificate.enrol", Role::Anonymous, &kWeb).allowed);
  EXPECT_TRUE(judge_access(people, {"anonymous", {}}, "certificate.enrol", Role::Anonymous, &other).allowed);
  EXPECT_TRUE(judge_access(people, {"anonymous", {}}, "ca.get", Role::Anonymous, &kWeb).allowed);
  EXPECT_FALSE(
      judge_access(with({rule("no", "deny", {"*"}, {"*"})}), kBob, "certificate.enrol", Role::Anonymous, &other).allowed);
  EXPECT_TRUE(could_be_allowed(people, {"anonymous", {}}, "certificate.enrol", Role::Anonymous));
}

TEST(Access, TheFirstRuleThatMatchesDecides) {
  auto denies = rule("not-seeds", "deny", {"web-team"}, {"seed.*"});
  denies.reason = "ask the office";
  const auto people = with({denies, rule("all", "allow", {"*"}, {"*"})});
  const auto verdict = judge_access(people, kAlice, "seed.create", Role::RaOperator, nullptr);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.rule, 0U);
  EXPECT_EQ(verdict.why, "rule not-seeds denies it: ask the office");
  EXPECT_EQ(judge_access(people, kBob, "seed.create", Role::RaOperator, nullptr).rule, 1U);
}

TEST(Access, WhoIsARoleAsItWasGivenOrAnIdentity) {
  const auto people = with({rule("one", "allow", {"user:alice", "ra-operator"}, {"*"})});
  EXPECT_TRUE(judge_access(people, kAlice, "certificate.get", Role::User, nullptr).allowed);
  EXPECT_TRUE(judge_access(people, kBob, "certificate.get", Role::User, nullptr).allowed);
  EXPECT_FALSE(judge_access(people, {"user:carol", {"admin"}}, "certificate.get", Role::User, nullptr).allowed);
  EXPECT_FALSE(judge_access(people, {"user:alice2", {}}, "certificate.get", Role::User, nullptr).allowed);
  EXPECT_FALSE(judge_access(people, {"unix:alice", {}}, "certificate.get", Role::User, nullptr).allowed);
}

struct ConditionCase {
  const char* name;
  About about;
  bool allowed;
};

TEST(Access, ARuleThatAllowsHasToMatchEveryName) {
  auto web = rule("web", "allow", {"web-team"}, {"certificate.*"});
  web.profiles = {"server"};
  web.subjects = {"/O=Example/*"};
  web.names = {".web.example.com", "10.0.0.0/8", "*@web.example.com"};
  const auto people = with({web});
  const ConditionCase kCases[] = {
      {"as it should be", kWeb, true},
      {"another profile", {"ra", kWeb.subject, kWeb.cn, kWeb.sans}, false},
      {"another tree", {"server", "/O=Other/CN=www.web.example.com", kWeb.cn, kWeb.sans}, false},
      {"the tree's name as another's", {"server", "/OU=x/O=Example/CN=www.web.example.com", kWeb.cn, kWeb.sans}, false},
      {"one name too many", {"server", kWeb.subject, kWeb.cn, sans({"DNS:www.web.example.com", "DNS:example.com"})}, false},
      {"the common name is another", {"server", kWeb.subject, "example.com", kWeb.sans}, false},
      {"the common name is no host", {"server", kWeb.subject, "Alice B", kWeb.sans}, false},
      {"no names", {"server", "/O=Example/OU=x", "", {}}, false},
      {"an address inside", {"server", kWeb.subject, "", sans({"IP:10.1.2.3"})}, true},
      {"an address outside", {"server", kWeb.subject, "", sans({"IP:11.1.2.3"})}, false},
      {"a mail address", {"server", kWeb.subject, "", sans({"EMAIL:a@web.example.com"})}, true},
      {"another's mail address", {"server", kWeb.subject, "", sans({"EMAIL:a@example.com"})}, false},
      {"a URI that looks like mail", {"server", kWeb.subject, "", sans({"URI:https://a.example.com/x"})}, false},
      {"a wildcard below", {"server", kWeb.subject, "", sans({"DNS:*.web.example.com"})}, true},
      {"a wildcard above", {"server", kWeb.subject, "", sans({"DNS:*.example.com"})}, false},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(judge_access(people, kAlice, "certificate.issue", Role::RaOperator, &one.about).allowed, one.allowed) << one.name;
  }
}

TEST(Access, ARuleThatDeniesNeedsOneName) {
  auto crown = rule("crown", "deny", {"*"}, {"certificate.*"});
  crown.names = {"vault.example.com"};
  const auto people = with({crown, rule("all", "allow", {"*"}, {"*"})});
  const auto allowed = [&](const About& about) {
    return judge_access(people, kBob, "certificate.issue", Role::RaOperator, &about).allowed;
  };
  EXPECT_TRUE(allowed(kWeb));
  EXPECT_FALSE(allowed({"server", "/CN=x", "", sans({"DNS:www.example.com", "DNS:vault.example.com"})}));
  EXPECT_FALSE(allowed({"server", "/CN=vault.example.com", "vault.example.com", {}}));
  EXPECT_FALSE(allowed({"server", "/CN=x", "Alice B", sans({"DNS:vault.example.com"})}));
  EXPECT_FALSE(allowed({"server", "/CN=x", "", sans({"DNS:*.example.com"})})) << "a wildcard stands for it";
}

TEST(Access, RulesWithConditionsSayNothingOfWhatIsAboutNoCertificate) {
  auto web = rule("web", "allow", {"*"}, {"*"});
  web.profiles = {"server"};
  const auto people = with({web});
  EXPECT_FALSE(judge_access(people, kBob, "seed.list", Role::RaOperator, nullptr).allowed);
  EXPECT_TRUE(could_be_allowed(people, kBob, "certificate.issue", Role::RaOperator));
  EXPECT_FALSE(could_be_allowed(with({rule("no", "deny", {"*"}, {"*"}), web}), kBob, "certificate.issue", Role::RaOperator));
}

TEST(Access, RolesOfTheRealmsOwnAreWhatTheyContain) {
  PeopleConfig people;
  people.roles = {{"web-team", {Role::RaOperator}}, {"both", {Role::Auditor, Role::CaOperator}}};
  EXPECT_TRUE(roles_from_names(people, {"web-team"}).allow(Role::RaOperator));
  EXPECT_FALSE(roles_from_names(people, {"web-team"}).allow(Role::CaOperator));
  EXPECT_TRUE(roles_from_names(people, {"both"}).allow(Role::Auditor));
  EXPECT_TRUE(roles_from_names(people, {"gone", "unknown"}).empty());
  EXPECT_EQ(known_role_names(people, {"gone", "web-team", "admin", "web-team"}), (std::vector<std::string>{"web-team", "admin"}));
}

TEST(Access, AStackGivesRolesToWhomItNames) {
  config::LoginStack stack;
  stack.roles = {"user"};
  stack.gives = {{"admin", {"listed"}},
                 {"auditor", {"dn:/CN=audit"}},
                 {"ra-operator", {"group:web", "profile:ra"}},
                 {"x", {"subject:/O=E/*"}}};
  using Names = std::vector<std::string>;
  EXPECT_EQ(roles_given(stack, {}), Names{"user"});
  EXPECT_EQ(roles_given(stack, {.user = "web"}), Names{"user"});
  EXPECT_EQ(roles_given(stack, {.groups = {"all", "web"}}), (Names{"user", "ra-operator"}));
  EXPECT_EQ(roles_given(stack, {.profile = "ra"}), (Names{"user", "ra-operator"}));
  EXPECT_EQ(roles_given(stack, {.dn = "/CN=audit"}), (Names{"user", "auditor"}));
  EXPECT_EQ(roles_given(stack, {.dn = "/O=E/CN=audit", .listed = true}), (Names{"user", "admin", "x"}));
}

}  // namespace
}  // namespace chancery::realm
