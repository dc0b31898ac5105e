#include <gtest/gtest.h>

#include "server/config/acme_policy.h"
#include "server/config/approval_settings.h"
#include "server/config/builtin_profiles.h"
#include "server/config/ca_section.h"
#include "server/config/key_settings.h"
#include "server/config/notice_settings.h"
#include "server/config/print.h"
#include "server/config/profile_settings.h"
#include "server/config/publishing_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/rollover_settings.h"
#include "server/config/server_settings.h"
#include "server/config/testing.h"
#include "server/config/upkeep_settings.h"

/// What is printed parses back.
namespace chancery::config {
namespace {

using testing::lines;
using testing::new_realm;
using testing::profile_name;
using testing::realm_from;
using testing::server_from;
using Kind = base::KeySpec::Kind;

void expect_round_trip(const ServerConfig& server) {
  std::vector<Finding> findings;
  const auto text = print_server(server);
  const auto back = server_from(text, findings);
  EXPECT_EQ(lines(findings), "") << text;
  EXPECT_TRUE(back == server) << text;
}

void expect_round_trip(const RealmConfig& realm) {
  std::vector<Finding> findings;
  const auto text = print_realm(realm);
  auto base = new_realm();
  base.profiles = builtin_profiles();
  const auto back = realm_from(text, std::move(base), findings);
  EXPECT_EQ(lines(findings), "") << text;
  EXPECT_TRUE(back == realm) << text;
}

/// Every row of a table writes something else for `changed` than for `fallback`, so that no row is forgotten below.
template <class Owner>
void expect_all_changed(std::span<const Setting<Owner>> rows, const Owner& changed, const Owner& fallback) {
  for (const auto& one : rows) {
    if (one.write == nullptr) continue;
    EXPECT_NE(one_line(one.write(one.info, changed)), one_line(one.write(one.info, fallback))) << one.info.name;
  }
}

ServerConfig changed_server() {
  ServerConfig server;
  server.run_directory = "/tmp/run & \"more\"";
  server.program_directory = "/opt/bin";
  server.worker_user = "worker";
  server.signer_user = "signer";
  server.front_end_user = "web";
  server.socket_owner = "alice";
  server.socket_group = "adm";
  server.socket_mode = 0600;
  server.log_destination = "/var/log/chancery.log";
  server.log_level = "debug";
  server.limits = {1,
                   2,
                   3,
                   std::chrono::seconds{4},
                   std::chrono::seconds{5},
                   std::chrono::hours{48},
                   std::chrono::seconds{7},
                   std::chrono::seconds{0},
                   9};
  server.realms_directory = "/srv/realms";
  server.default_realm = "devices";
  server.realm_names = {"devices", "default"};
  server.identities = {{"alice", "", "default", Roles{Role::RaOperator, Role::Auditor}}, {"", "1000", "*", Roles{Role::Admin}}};
  server.front_ends = {{"http", "/opt/http", "www", {"default", "devices"}, Roles{Role::Frontend}, false}};
  server.listeners = {{"a", false, "::1", 1, "", {"*"}, {}},
                      {"b", true, "0.0.0.0", 65535, "default", {"default"}, {"x.example", "::1"}, {"x.example=default"}, 7}};
  server.zmq_endpoints = {
      {"127.0.0.2", 5000, "devices", 7, "/etc/server.key", "nobody", {}},
      {.address = "::1", .port = 65534, .realm = "default", .loopback_peers = {Role::RaOperator, Role::Admin}}};
  server.zmq_peers = {{"ra1", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "default", Roles{Role::RaOperator}}};
  return server;
}

TEST(Print, ServerDefaultsParseBack) { expect_round_trip(ServerConfig()); }

TEST(Print, EveryServerRowParsesBack) {
  const auto server = changed_server();
  expect_all_changed(root_settings(), server, ServerConfig());
  for (const auto& element : server_elements()) {
    EXPECT_NE(to_xml(element.write(element, server)), to_xml(element.write(element, ServerConfig()))) << element.name;
  }
  EXPECT_NE(server.limits, Limits());
  expect_round_trip(server);
}

TokenConfig changed_token() {
  return {.module = "/usr/lib/other.so",
          .token = "yes",
          .serial = "77",
          .key_label = "{ca}: key",
          .key_id = "0b",
          .pin_file = "/pin",
          .pin_credential = "other",
          .paths = {"/srv/tokens"},
          .network = true,
          .timeout = std::chrono::seconds{8},
          .existing_key = true};
}

CaConfig changed_ca() {
  return {.purpose = "root",
          .issuer = "top",
          .key = "ec:P-384",
          .key_store = "pkcs11",
          .pkcs11 = changed_token(),
          .subject = "/CN=TLS",
          .profiles = {profile_name("changed")},
          .crl_urls = {"http://a.example/{ca}/crl"},
          .crl_delta_urls = {"http://a.example/{ca}/delta"},
          .ca_issuer_urls = {"http://a.example/{ca}/crt"},
          .validity = std::chrono::hours{24 * 7},
          .answers_valid_for = std::chrono::minutes{5}};
}

AcmePolicy changed_policy() {
  return {.allowed_names = {"*.a.example", "10.0.0.0/8"},
          .denied_names = {".b.example"},
          .wildcards = false,
          .challenges = {"dns-01"},
          .wildcard_challenges = {"dns-01"},
          .ip_challenges = {"http-01"},
          .preauthorized = {".c.example"},
          .trusted_networks = {"10.0.0.0/8"},
          .trusted_client_profiles = {"user"},
          .trusted_client_subjects = {base::TextPattern::parse("/O=Company/*").value()},
          .profiles = {profile_name("webapp")},
          .certificates_per_name = 1,
          .orders_per_hour = 2,
          .failed_validations_per_hour = 3,
          .pending_authorizations = 4};
}

Profile changed_profile() {
  Profile profile(profile_name("changed"));
  profile.key = {Kind::Ed25519, 256};
  profile.allowed_keys = {{Kind::Rsa, 3072}, {Kind::Ec, 521}, {Kind::Ed25519, 256}};
  profile.validity = std::chrono::days{91};
  profile.digest = "sha512";
  profile.altnames = false;
  profile.san_types = {"uri", "dns"};
  profile.domain = "example.com";
  profile.subject = {{"C", "NO"}, {"OU", "on\u00e9"}, {"OU", "two: \"#'\\"}, {"CN", ""}};
  profile.subject_from_request = false;
  profile.key_usage = {"keyCertSign", "digitalSignature"};
  profile.extended_key_usage = {"OCSPSigning"};
  profile.common_name = "none";
  profile.cert_type = "user,email";
  profile.is_ca = true;
  profile.freshest_crl = false;
  profile.ocsp_no_check = true;
  profile.path_length = 3;
  profile.least_role = Role::Admin;
  profile.approval = {.needed = 2,
                      .roles = {"admin", "ca-operator"},
                      .are_signed = true,
                      .signer_profiles = {profile_name("user")},
                      .auto_renewals = true,
                      .auto_hosts = "hosts",
                      .auto_networks = {"10.0.0.0/8"},
                      .auto_times = {"mon-fri 08:00-18:00"}};
  return profile;
}

NoticesConfig changed_notices() {
  return {.before = {std::chrono::days{30}, std::chrono::seconds{90}},
          .ca_before = {std::chrono::days{400}},
          .profiles = {profile_name("changed")},
          .to = {"a@example.com"},
          .to_holders = {"account", "certificate"},
          .mail_server = "mail.example.com:465",
          .mail_tls = "tls",
          .mail_from = "b@example.com",
          .mail_user = "yes",
          .mail_password_file = "/password",
          .ca_file = "/ca.pem",
          .language = "fr",
          .languages = {"example.de=de"},
          .templates = "/texts",
          .webhooks = {"https://a.example/?b=#c"},
          .webhook_key_file = "/key",
          .program = "/bin/true",
          .timeout = std::chrono::seconds{7}};
}

RealmConfig changed_realm() {
  auto realm = new_realm();
  realm.company = "no";
  realm.domain = "chancery.example";
  realm.clients = ClientsMode::Manual;
  realm.seed_file = "/etc/seed";
  realm.key = {Kind::Rsa, 4096};
  realm.digest = "sha384";
  realm.ca_subject = "/C=FR/CN=Root \\/ CA";
  realm.ca_validity = std::chrono::days{1};
  realm.passphrase_file = "010";
  realm.passphrase_credential = "capass";
  realm.key_unencrypted = true;
  realm.keys = {
      "pkcs11",
      {"shares", 7, 4, "0a1b2c3d", 2, std::chrono::minutes{1}},
      {"/usr/lib/module.so", "no", "0123", "1", "0a01", "010", "pin", {"/var/lib/tokens", "010"}, true, std::chrono::seconds{9}}};
  realm.key_block_lists = {"lists/debian", "lists/own"};
  realm.crl_urls = {"http://a.example/1", "https://a.example/2"};
  realm.crl_delta_urls = {"http://a.example/delta"};
  realm.ca_issuer_urls = {"http://a.example/ca"};
  realm.ocsp_urls = {"http://a.example/ocsp"};
  realm.crl_validity = std::chrono::seconds{90061};
  realm.crl_after_revocation = std::chrono::seconds{0};
  realm.crl_delta = std::chrono::seconds{61};
  realm.own_renewals_per_day = 0;
  realm.backdate = std::chrono::hours{1};
  realm.requests = {.lifetime = std::chrono::seconds{90},
                    .attachments = 0,
                    .attachment_octets = 1,
                    .open_per_requester = 2,
                    .comments = 3,
                    .keep = std::chrono::hours{48},
                    .remind = {std::chrono::hours{1}, std::chrono::hours{24}},
                    .remind_to = {"pki@example.com"},
                    .rollover_approvals = 1,
                    .rollover_roles = {"admin"},
                    .rollover_signers = {profile_name("user")},
                    .rule_approvals = 2,
                    .rule_roles = {"ca-operator"}};
  realm.acme = {false,
                profile_name("user"),
                {profile_name("webapp"), profile_name("1")},
                {"dns-persist-01"},
                {"dns-account-01", "dns-01"},
                {"tls-alpn-01"},
                5002,
                5003,
                "[::1]:53",
                {"example. IN DS 1 8 9 ab"},
                {"ca.example"},
                true,
                {"127.0.0.0/8"},
                {"10.0.0.0/8", "fd00::1"},
                std::chrono::minutes{1},
                std::chrono::days{398},
                "https://a.example/terms",
                "yes",
                "required",
                "https://a.example/renew",
                std::chrono::days{1},
                std::chrono::seconds{0},
                "web",
                {{"web", changed_policy()}, {"empty", AcmePolicy()}},
                {"tcp://[2001:db8::1]:5010 rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
                 "tcp://val.example:5010 JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"},
                2};
  realm.command_roles = {{"certificate.issue", Role::Admin}, {"crl.issue", Role::CaOperator}};
  realm.cas = {{"tls", changed_ca()}};
  realm.profiles = builtin_profiles();
  realm.notices = changed_notices();
  realm.rollover = {std::chrono::hours{5}, "people", "file", changed_token()};
  realm.publishing = {"/srv/crls",
                      "/usr/local/bin/push-crl",
                      std::chrono::seconds{7},
                      {"ldaps://ldap.example", true, "/etc/ca.pem", "cn=pki,dc=example", "/etc/ldap-password",
                       "cn={ca},dc=example", "cn={cn},dc=example", std::chrono::seconds{8}}};
  realm.retention = {std::chrono::days{800}, true};
  realm.self_audit = {"23:59", 7};
  realm.profiles.insert_or_assign(profile_name("changed"), changed_profile());
  auto ca = realm.profiles.at(profile_name("ca"));
  ca.path_length.reset();
  realm.profiles.insert_or_assign(profile_name("ca"), ca);
  return realm;
}

TEST(Print, RealmDefaultsParseBack) {
  auto realm = new_realm();
  realm.profiles = builtin_profiles();
  expect_round_trip(realm);
}

TEST(Print, PeopleParseBack) {
  auto realm = new_realm();
  realm.profiles = builtin_profiles();
  auto& people = realm.people;
  people.roles = {{"web-team", {Role::RaOperator}}, {"both", {Role::Auditor, Role::CaOperator}}};
  people.logins["directory"] = {.method = "ldap",
                                .roles = {"user"},
                                .gives = {{"web-team", {"group:a, b", "user:alice"}}, {"admin", {"group:\"x\""}}},
                                .timeout = std::chrono::seconds{5},
                                .url = "ldaps://ldap.example.com",
                                .base = "dc=example,dc=com",
                                .filter = "(&(uid={user})(!(locked=*)))"};
  people.logins["door"] = {.method = "program", .program = "/usr/bin/door", .arguments = {"-x", "a b"}};
  people.limits = {.failures = 3, .failures_per_peer = 9, .sessions = 2, .idle = std::chrono::seconds{90}};
  people.access = {{.name = "b", .decision = "deny", .who = {"*"}, .commands = {"seed.*"}, .reason = "not: \"here\""},
                   {.name = "a",
                    .who = {"web-team", "user:alice"},
                    .commands = {"*"},
                    .profiles = {"server"},
                    .subjects = {"/O=Example, Inc/*"},
                    .names = {".example.com", "*@example.com"}}};
  expect_round_trip(realm);
}

TEST(Print, EveryRealmRowParsesBack) {
  const auto realm = changed_realm();
  expect_all_changed(realm_settings(), realm, new_realm());
  expect_all_changed(key_settings(), realm.keys, KeysConfig());
  expect_all_changed(secret_settings(), realm.keys.secret, SecretConfig());
  expect_all_changed(token_settings(), realm.keys.token, TokenConfig());
  expect_all_changed(further_token_settings(), realm.rollover.pkcs11, TokenConfig());
  expect_all_changed(acme_settings(), realm.acme, AcmeConfig());
  expect_all_changed(acme_policy_settings(), changed_policy(), AcmePolicy());
  expect_all_changed(ca_settings(), changed_ca(), CaConfig());
  expect_all_changed(notice_settings(), realm.notices, NoticesConfig());
  expect_all_changed(publishing_settings(), realm.publishing, PublishingConfig());
  expect_all_changed(rollover_settings(), realm.rollover, RolloverConfig());
  expect_all_changed(ldap_publishing_settings(), realm.publishing.ldap, LdapPublishing());
  expect_all_changed(retention_settings(), realm.retention, RetentionConfig());
  expect_all_changed(self_audit_settings(), realm.self_audit, SelfAuditConfig());
  expect_all_changed(profile_settings(), changed_profile(), Profile(profile_name("changed")));
  expect_all_changed(request_settings(), realm.requests, RequestsConfig());
  expect_round_trip(realm);
}

TEST(Print, ProfilesParseBack) {
  for (const auto& profile : {changed_profile(), builtin_profiles().at(profile_name("ca")), Profile(profile_name("new"))}) {
    std::vector<Finding> findings;
    Report report("built-in", findings);
    const auto root = parse_yaml(print_profile(profile), report);
    ASSERT_TRUE(root);
    EXPECT_TRUE(read_profile(*root, Profile(profile.name), report) == profile) << print_profile(profile);
    EXPECT_EQ(lines(findings), "");
  }
}

}  // namespace
}  // namespace chancery::config
