#include "server/config/diff.h"

#include <gtest/gtest.h>

#include "server/config/rules_text.h"
#include "server/config/testing.h"

namespace chancery::config {
namespace {

using testing::Place;

/// The lines between two configurations in one directory.
std::vector<std::string> changes(std::string_view xml, std::string_view realm) {
  const Place place;
  const auto before = place.load();
  place.write("chancery.xml", xml);
  place.write("realms/default/ca.config.yml", realm);
  const auto after = place.load();
  if (!before.snapshot || !after.snapshot) return place.lines(after.findings);
  return differences(*before.snapshot, *after.snapshot);
}

struct Case {
  const char* name;
  std::string xml;
  std::string realm;
  std::vector<std::string> want;
};

std::string server(const std::string& inside) {
  return "<chancery run-directory=\"run\"><realms directory=\"realms\"/>" + inside + "</chancery>";
}
std::string realm(const std::string& more) { return std::string(testing::kGoodRealm) + more; }

TEST(Diff, SaysInWordsWhatChanges) {
  const Case cases[] = {
      {"nothing", server(""), realm(""), {}},
      {"the same said aloud", server("<limits grace=\"20s\"/>"), realm("crl_validity: 7d\n"), {}},
      {"a setting", server("<limits grace=\"30s\"/>"), realm(""), {"limits/grace: 20s becomes 30s"}},
      {"of the next start",
       server("<limits max-workers=\"300\"/>"),
       realm(""),
       {"limits/max-workers: 200 becomes 300 (at the next start)"}},
      {"of a realm", server(""), realm("crl_validity: 1d\n"), {"realm default: crl_validity: 7d becomes 1d"}},
      {"of people",
       server(""),
       realm("roles: {web: [user]}\nlogins: {staff: {method: password}}\nlogin_limits: {failures: 3}\n"
             "access: [{name: all, who: [admin], commands: [\"*\"]}]\n"),
       {"realm default: role web is new", "realm default: login staff is new",
        "realm default: login_limits.failures: 5 becomes 3", "realm default: access rule all is new",
        "realm default: order of access rules: nothing becomes all"}},
      {"of its creation",
       server(""),
       realm("key: rsa:4096\n"),
       {"realm default: key: ec:P-256 becomes rsa:4096 (counts only when a CA is made)"}},
      {"from nothing",
       server(""),
       realm("acme:\n  resolver: \"127.0.0.1:53\"\n"),
       {"realm default: acme.resolver: nothing becomes 127.0.0.1:53"}},
      {"notices",
       server(""),
       realm("notices:\n  timeout: 10s\n  language: fr\n"),
       {"realm default: notices.language: en becomes fr", "realm default: notices.timeout: 30s becomes 10s"}},
      {"command roles",
       server(""),
       realm("command_roles:\n  certificate.search: auditor\n"),
       {"realm default: command_roles.certificate.search: its least role becomes auditor"}},
      {"a profile's setting",
       server(""),
       realm("profiles:\n  server:\n    duration: 30\n"),
       {"realm default: profile server: duration: 60d becomes 30d"}},
      {"a new profile",
       server(""),
       realm("profiles:\n  vpn:\n    keyUsage: [digitalSignature]\n"),
       {"realm default: profile vpn is new"}},
      {"a new CA", server(""), realm("cas:\n  tls:\n    profiles: [server]\n"), {"realm default: CA tls is new"}},
      {"where the next keys are made",
       server(""),
       realm("rollover:\n  key_store: file\n  pkcs11:\n    key_label: \"x{ca}\"\n"),
       {"realm default: rollover.key_store: nothing becomes file",
        "realm default: rollover.pkcs11.key_label: nothing becomes x{ca}"}},
      {"a new rule",
       server("<identities><identity user=\"root\" realm=\"*\" roles=\"auditor\"/></identities>"),
       realm(""),
       {"identity user=root group= realm=* roles=auditor: is new"}},
  };
  for (const auto& one : cases) EXPECT_EQ(changes(one.xml, one.realm), one.want) << one.name;
}

TEST(Diff, ItemsAreKnownByTheirNames) {
  const auto listener = [](const std::string& name, int port) {
    return "<listener name=\"" + name + "\" tls=\"false\" address=\"127.0.0.1\" port=\"" + std::to_string(port) +
           "\" realms=\"*\"/>";
  };
  const Place place;
  place.write("chancery.xml", server("<listeners>" + listener("a", 8080) + listener("b", 8081) + "</listeners>"));
  const auto before = place.load();
  place.write("chancery.xml", server("<listeners>" + listener("c", 8082) + listener("a", 9090) + "</listeners>"));
  const auto after = place.load();
  ASSERT_TRUE(before.snapshot && after.snapshot);
  const auto lines = differences(*before.snapshot, *after.snapshot);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "listener b: goes");
  EXPECT_EQ(lines[1], "listener a: port: 8080 becomes 9090");
  EXPECT_EQ(lines[2].substr(0, 18), "listener c: is new");
}

TEST(Diff, RealmsComeAndGo) {
  const Place place;
  const auto before = place.load();
  place.write("realms/devices/ca.config.yml", testing::kGoodRealm);
  const auto after = place.load();
  ASSERT_TRUE(before.snapshot && after.snapshot);
  EXPECT_EQ(differences(*before.snapshot, *after.snapshot), std::vector<std::string>{"realm devices is new"});
  EXPECT_EQ(differences(*after.snapshot, *before.snapshot),
            std::vector<std::string>{"realm devices goes: its signer ends, nobody renews its CRL"});
}

/// The realm of a configuration that holds.
RealmConfig realm_of(const std::string& more) {
  const Place place;
  place.write("realms/default/ca.config.yml", realm(more));
  const auto loaded = place.load();
  EXPECT_NE(loaded.snapshot, nullptr) << more;
  return loaded.snapshot ? *loaded.snapshot->realms.front() : RealmConfig(RealmName::parse("default").value());
}

constexpr const char* kDeny = "policy:\n  rules:\n    - {name: no-banks, decision: deny, names: [bank.example.com]}\n";

TEST(Rules, F52_AreOneTextHoweverTheyAreWritten) {
  const auto before = realm_of(kDeny);
  EXPECT_EQ(rules_text(before),
            rules_text(realm_of("# so\npolicy: {rules: [{decision: deny, names: [\"bank.example.com\"], name: no-banks}]}\n")));
  EXPECT_EQ(rules_text(before), rules_text(realm_of(std::string(kDeny) + "crl_validity: 1d\nrequests: {lifetime: 3d}\n")));
  const std::string others[] = {"",
                                "policy:\n  rules:\n    - {name: no-banks, decision: grant, names: [bank.example.com]}\n",
                                "policy:\n  rules:\n    - {name: no-banks, decision: deny, names: [bank.example.org]}\n",
                                std::string(kDeny) + "  otherwise: deny\n",
                                std::string(kDeny) + "  blocked_names: [evil.example.com]\n",
                                std::string(kDeny) + "requests: {rule_approvals: 1}\n",
                                std::string(kDeny) + "requests: {rule_roles: [admin]}\n"};
  for (const auto& other : others) EXPECT_NE(rules_text(before), rules_text(realm_of(other))) << other;
}

TEST(Rules, F52_WhileTheyAreApprovedSoIsByWhatTheApprovalCouldBeGotRound) {
  const std::string approvers[] = {"roles: {web: [ca-operator]}\n", "logins: {staff: {method: password, roles: [ca-operator]}}\n",
                                   "login_limits: {failures: 99}\n", "access: [{name: all, who: [\"*\"], commands: [\"*\"]}]\n",
                                   "command_roles: {certificate.search: auditor}\n"};
  const std::string approved = "requests: {rule_approvals: 2}\n";
  for (const auto& one : approvers) {
    EXPECT_NE(rules_text(realm_of(approved)), rules_text(realm_of(approved + one))) << one;
    EXPECT_EQ(rules_text(realm_of("")), rules_text(realm_of(one))) << one;
    EXPECT_FALSE(rule_differences(realm_of(approved), realm_of(approved + one)).empty()) << one;
    EXPECT_TRUE(rule_differences(realm_of(""), realm_of(one)).empty()) << one;
  }
  for (const std::string one : {"rollover_approvals: 1", "rollover_roles: [admin]"}) {
    const auto other = realm_of("requests: {rule_approvals: 2, " + one + "}\n");
    EXPECT_NE(rules_text(realm_of(approved)), rules_text(other)) << one;
    EXPECT_EQ(rule_differences(realm_of(approved), other).size(), 1U) << one;
    EXPECT_EQ(rules_text(realm_of("")), rules_text(realm_of("requests: {" + one + "}\n"))) << one;
  }
  EXPECT_EQ(rules_text(realm_of(approved)), rules_text(realm_of("requests: {rule_approvals: 2, lifetime: 3d}\n")));
}

TEST(Rules, TheirDifferencesAreSaid) {
  const auto before = realm_of(kDeny);
  EXPECT_TRUE(rule_differences(before, realm_of(std::string(kDeny) + "crl_validity: 1d\n")).empty());
  const auto lines = rule_differences(before, realm_of("requests: {rule_approvals: 2, lifetime: 3d}\n"));
  EXPECT_EQ(lines, (std::vector<std::string>{"policy rule no-banks goes", "order of policy rules: no-banks becomes nothing",
                                             "requests.rule_approvals: 0 becomes 2"}));
}

}  // namespace
}  // namespace chancery::config
