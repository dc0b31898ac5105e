#include "server/config/policy_settings.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "server/config/diff.h"
#include "server/config/print.h"
#include "server/config/testing.h"

namespace chancery::config {
namespace {

using testing::Place;

constexpr std::string_view kFile = "realms/default/ca.config.yml";

constexpr std::string_view kPolicyText = R"(key_unencrypted: true
policy:
  otherwise: deny
  blocked_names: [bank.example.com, 10.0.0.0/8, "/admin-.*/"]
  rules:
    - name: web
      decision: grant
      profiles: [server]
      names: ["*.web.example.com", .dmz.example.com]
      keys: [ec:P-256, rsa:3072]
      max_validity: 30
    - name: people
      decision: grant
      ways: [command]
      requesters: ["user:*"]
      emails: ["*@example.com"]
      subject: "/O=Company/CN={user}"
  tests:
    - name: a web server
      expect: grant
      rule: web
      subject: /CN=a.web.example.com
)";

std::vector<std::string> findings_of(std::string_view rules) {
  Place place;
  place.write(kFile, "key_unencrypted: true\n" + std::string(rules));
  return place.lines(place.load().findings);
}

TEST(PolicySettings, AreReadAndPrintedAsTheyWere) {
  Place place;
  place.write(kFile, kPolicyText);
  const auto loaded = place.load();
  ASSERT_TRUE(loaded.snapshot) << (loaded.findings.empty() ? "" : to_line(loaded.findings[0]));
  const auto& policy = loaded.snapshot->realms[0]->policy;
  ASSERT_EQ(policy.rules.size(), 2U);
  EXPECT_EQ(policy.otherwise, "deny");
  EXPECT_EQ(policy.rules[0].max_validity, std::chrono::days{30});
  EXPECT_TRUE(policy.rules[0].names[1].matches_name("x.dmz.example.com"));
  EXPECT_EQ(policy.tests.size(), 1U);
  const auto written = to_yaml(write_realm(*loaded.snapshot->realms[0]));
  Place again;
  again.write(kFile, written);
  const auto reread = again.load();
  ASSERT_TRUE(reread.snapshot) << written;
  EXPECT_EQ(reread.snapshot->realms[0]->policy, policy) << written;
}

TEST(PolicySettings, RulesAreFoundByTheEndsOfTheirNames) {
  Place place;
  place.write(kFile, kPolicyText);
  const auto loaded = place.load();
  ASSERT_TRUE(loaded.snapshot);
  const auto& index = *loaded.snapshot->realms[0]->policy.index;
  EXPECT_EQ(index.by_tail.at(".web.example.com"), std::vector<std::uint32_t>{0});
  EXPECT_EQ(index.by_tail.at(".dmz.example.com"), std::vector<std::uint32_t>{0});
  EXPECT_EQ(index.others, std::vector<std::uint32_t>{1});
}

struct Bad {
  const char* what;
  const char* text;
  const char* said;
};

/// Everything that the section can say wrongly is said with its place.
TEST(PolicySettings, F12_MistakesAreNamedWithTheirPlaces) {
  const Bad rows[] = {
      {"no list", "policy: {rules: {web: grant}}\n", "2:17: policy.rules: found no list"},
      {"no name", "policy: {rules: [{decision: grant}]}\n", "found no name"},
      {"no decision", "policy: {rules: [{name: web}]}\n", "found no decision"},
      {"decision", "policy: {rules: [{name: web, decision: allow}]}\n", "found \"allow\", expected one of grant, deny"},
      {"setting", "policy: {rules: [{name: web, decision: grant, nams: [a]}]}\n", "did you mean \"name\"?"},
      {"way", "policy: {rules: [{name: web, decision: grant, ways: [rest]}]}\n", "found \"rest\", expected one of command"},
      {"profile", "policy: {rules: [{name: web, decision: grant, profiles: [sever]}]}\n", "did you mean \"server\"?"},
      {"pattern", "policy: {rules: [{name: web, decision: grant, names: [\"a b\"]}]}\n", "found \"a b\", expected a name like"},
      {"regular expression", "policy: {rules: [{name: web, decision: grant, names: [\"/(/\"]}]}\n",
       "which is no regular expression"},
      {"look-up", "policy: {rules: [{name: web, decision: grant, look_ups: [\"hosts.txt\"]}]}\n", "expected file:NAME"},
      {"look-up that climbs", "policy: {rules: [{name: web, decision: grant, look_ups: [\"file:../ca.key\"]}]}\n",
       "expected file:NAME"},
      {"list that is not there", "policy: {rules: [{name: web, decision: grant, look_ups: [\"file:hosts.txt\"]}]}\n",
       "lists/hosts.txt, expected a list of names"},
      {"key", "policy: {rules: [{name: web, decision: grant, keys: [rsa:1024]}]}\n", "found RSA size \"1024\""},
      {"name twice", "policy: {rules: [{name: a, decision: grant, ways: [seed]}, {name: a, decision: deny, ways: [acme]}]}\n",
       "found the rule \"a\" a second time"},
      {"shadowed by all", "policy: {rules: [{name: a, decision: grant}, {name: b, decision: deny, ways: [acme]}]}\n",
       "found rule b behind a, which holds for every request: it never decides"},
      {"shadowed by the same",
       "policy: {rules: [{name: a, decision: grant, ways: [acme]}, {name: b, decision: deny, ways: [acme]}]}\n",
       "found rule b with the conditions of a: it never decides"},
      {"template that denies", "policy: {rules: [{name: a, decision: deny, ways: [command], subject: \"/CN={cn}\"}]}\n",
       "found a template in a rule that denies"},
      {"template for ACME", "policy: {rules: [{name: a, decision: grant, sans: [\"DNS:{cn}\"]}]}\n",
       "found a template in a rule that holds for acme or renewal"},
      {"template's variable", "policy: {rules: [{name: a, decision: grant, ways: [seed], subject: \"/CN={nc}\"}]}\n",
       "found the variable \"{nc\", expected one of {cn}, {host}"},
      {"template without end", "policy: {rules: [{name: a, decision: grant, ways: [seed], sans: [\"DNS:{cn\"]}]}\n",
       "found the variable \"{cn\""},
      {"test of an unknown rule",
       "policy: {rules: [{name: web, decision: grant}], tests: [{name: t, expect: grant, rule: wep}]}\n",
       "found the rule \"wep\", expected one of rules (did you mean \"web\"?)"},
      {"test of an unknown profile", "policy: {tests: [{name: t, expect: grant, profile: sever}]}\n", "did you mean \"server\"?"},
      {"blocked names", "policy: {blocked_names: [\"*.\"]}\n", "expected a name like"},
      {"otherwise", "policy: {otherwise: maybe}\n", "expected one of grant, deny"},
  };
  for (const auto& row : rows) {
    const auto lines = findings_of(row.text);
    ASSERT_FALSE(lines.empty()) << row.what;
    EXPECT_TRUE(std::ranges::any_of(lines, [&](const std::string& line) { return line.find(row.said) != std::string::npos; }))
        << row.what << ": " << lines[0];
  }
}

TEST(PolicySettings, DifferencesAreToldRuleByRule) {
  Place before;
  before.write(kFile, kPolicyText);
  Place after;
  auto text = std::string(kPolicyText);
  text.replace(text.find("max_validity: 30"), 16, "max_validity: 20");
  text.replace(text.find("- name: people"), 14, "- name: humans");
  after.write(kFile, text);
  auto lines = differences(*before.load().snapshot, *after.load().snapshot);
  std::erase_if(lines, [](const std::string& line) { return !line.starts_with("realm default: "); });  // they are in two places
  EXPECT_EQ(lines, (std::vector<std::string>{"realm default: policy rule people goes", "realm default: policy rule humans is new",
                                             "realm default: policy rule web: max_validity: 30d becomes 20d",
                                             "realm default: order of policy rules: web, people becomes web, humans"}));
}

}  // namespace
}  // namespace chancery::config
