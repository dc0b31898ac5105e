#include "server/config/enrolment_settings.h"

#include <gtest/gtest.h>

#include "server/config/policy_settings.h"
#include "server/config/print.h"
#include "server/config/source.h"
#include "server/config/testing.h"

namespace chancery::config {
namespace {

EnrolmentConfig changed() {
  EnrolmentConfig enrolment;
  enrolment.secrets = {{"fleet", {"shared", "fleet secret"}}, {"printers", {"list", "p: \"x\""}}};
  EnrolmentSigners agents;
  agents.profiles = {"server"};
  agents.subjects = {base::TextPattern::parse("/O=Agents, Inc/*").value()};
  agents.identities = {base::TextPattern::parse("/user:[a-z]+/").value()};
  agents.roles = {"ra-operator"};
  enrolment.signers = {{"agents", agents}};
  LookUp directory;
  directory.kind = "ldap";
  directory.timeout = std::chrono::seconds{7};
  directory.cache = std::chrono::hours{1};
  directory.url = "ldap://ldap.example.com";
  directory.start_tls = true;
  directory.tls_ca_file = "ca.pem";
  directory.bind_dn = "cn=a, b";
  directory.bind_password_file = "password";
  directory.base = "dc=example";
  directory.filter = "(&(objectClass=device)(cn={name}))";
  LookUp program;
  program.kind = "program";
  program.program = "/usr/bin/asks";
  program.arguments = {"-x", "a b"};
  LookUp service;
  service.kind = "http";
  service.url = "https://a.example/{name}?by={user}";
  service.token_file = "token";
  LookUp database;
  database.kind = "sqlite";
  database.file = "hosts.db";
  database.query = "SELECT 1 FROM host WHERE name = :name";
  enrolment.look_ups = {{"directory", directory}, {"program", program}, {"service", service}, {"database", database}};
  enrolment.refused_kept = 7;
  enrolment.refused_for = std::chrono::hours{9};
  return enrolment;
}

TEST(Enrolment, PrintsWhatParsesBack) {
  const auto enrolment = changed();
  Node root = map();
  root.children.push_back(write_enrolment(enrolment));
  std::vector<Finding> findings;
  Report report("printed", findings);
  const auto text = to_yaml(root);
  const auto parsed = parse_yaml(text, report);
  ASSERT_TRUE(parsed) << text;
  EnrolmentConfig again;
  read_enrolment(*parsed->find(kEnrolmentSection), again, report);
  EXPECT_TRUE(findings.empty()) << text;
  EXPECT_TRUE(again == enrolment) << text;
}

TEST(Enrolment, PathsAreBelowTheRealm) {
  auto enrolment = changed();
  enrolment.secrets["own"] = {"shared", "/etc/secret"};
  resolve_enrolment_paths(enrolment, "/realm");
  EXPECT_EQ(enrolment.secrets.at("fleet").file, "/realm/fleet secret");
  EXPECT_EQ(enrolment.secrets.at("own").file, "/etc/secret");
  EXPECT_EQ(enrolment.look_ups.at("directory").bind_password_file, "/realm/password");
  EXPECT_EQ(enrolment.look_ups.at("program").token_file, "");
}

TEST(Enrolment, RulesForEnrolSayIt) {
  PolicyRule rule;
  EXPECT_TRUE(rule.is_for("command"));
  EXPECT_FALSE(rule.is_for(kEnrolWay));
  rule.ways = {"enrol"};
  EXPECT_TRUE(rule.is_for(kEnrolWay));
  EXPECT_FALSE(rule.is_for("command"));
}

}  // namespace
}  // namespace chancery::config
