#include <gtest/gtest.h>

#include "server/config/acme_policy.h"
#include "server/config/approval_settings.h"
#include "server/config/builtin_profiles.h"
#include "server/config/ca_section.h"
#include "server/config/key_settings.h"
#include "server/config/load.h"
#include "server/config/notice_settings.h"
#include "server/config/print.h"
#include "server/config/profile_settings.h"
#include "server/config/publishing_settings.h"
#include "server/config/realm_settings.h"
#include "server/config/rollover_settings.h"
#include "server/config/server_settings.h"
#include "server/config/testing.h"
#include "server/config/upkeep_settings.h"
#include "server/config/upki_view.h"

namespace chancery::config {
namespace {

using testing::lines;
using testing::new_realm;
using testing::Place;
using testing::profile_name;
using testing::realm_from;
using testing::server_from;
using Kind = base::KeySpec::Kind;

// --- what is printed parses back -------------------------------------------------------------------------------------------

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

// --- loading -----------------------------------------------------------------------------------------------------------------

TEST(Load, TheLeastConfigurationHolds) {
  const Place place;
  const auto loaded = place.load();
  ASSERT_TRUE(loaded.snapshot) << lines(loaded.findings);
  EXPECT_EQ(lines(loaded.findings), "");
  EXPECT_EQ(loaded.snapshot->server.run_directory, place / "run");
  EXPECT_EQ(loaded.snapshot->server.realms_directory, place / "realms");
  EXPECT_EQ(loaded.snapshot->server.file, place / "chancery.xml");
  ASSERT_EQ(loaded.snapshot->realms.size(), 1U);
  EXPECT_EQ(loaded.snapshot->realms[0]->directory, place / "realms/default");
  EXPECT_EQ(loaded.snapshot->find("default")->profiles.size(), 7U);
  EXPECT_EQ(loaded.snapshot->find("devices"), nullptr);
}

TEST(Load, C28_FiveMistakesAreFiveFindingsWithTheirPlaces) {
  const Place place;
  place.write("chancery.xml",
              "<chancery run-directory=\"run\">\n"
              "  <log level=\"inof\"/>\n"
              "  <limits max-worker=\"5\"/>\n"
              "  <realms directory=\"realms\"/>\n"
              "</chancery>\n");
  place.write("realms/default/ca.config.yml", "key_unencrypted: true\nacme:\n  profile: sever\n");
  place.write("realms/devices/ca.config.yml", "key_unencrypted: true\ncrl_validity: never\n");
  place.write("realms/devices/profiles/device.yml", "keyUsage: [digitalSignature]\ndigest: sha1\n");
  const auto loaded = place.load();
  EXPECT_EQ(loaded.snapshot, nullptr);
  const std::vector<std::string> want{
      R"(chancery.xml:2:8: chancery/log/@level: found "inof", expected one of trace, debug, info, warning, error (did you mean "info"?))",
      R"(chancery.xml:3:11: chancery/limits/@max-worker: unknown name "max-worker", expected one of max-workers, max-workers-per-uid, max-workers-per-realm, idle-timeout, unopened-timeout, session-lifetime, request-timeout, grace, max-requests-per-worker, key-pool (did you mean "max-workers"?))",
      R"(realms/default/ca.config.yml:3:12: acme.profile: unknown profile "sever", expected one of admin, ca, laptop, ra, server, user, webapp (did you mean "server"?))",
      R"(realms/devices/ca.config.yml:2:15: crl_validity: found "never", expected a duration such as 90s, 5m, 12h or 7d from 1m to 366d)",
      R"(realms/devices/profiles/device.yml:2:9: digest: found "sha1", expected sha256, sha384 or sha512: collisions of MD5 and SHA-1 are made on demand (RFC 6151, RFC 8017 appendix B.1))",
  };
  EXPECT_EQ(place.lines(loaded.findings), want);
}

TEST(Load, MissingFileIsAFinding) {
  const Place place;
  const auto loaded = load(place / "other.xml");
  EXPECT_EQ(loaded.snapshot, nullptr);
  EXPECT_EQ(place.lines(loaded.findings),
            std::vector<std::string>{"other.xml:1:1: found no readable file: open other.xml: No such file or directory"});
}

TEST(Load, RealmsAreSortedAndNamedOnesOnly) {
  const Place place;
  place.write("realms/b/ca.config.yml", testing::kGoodRealm);
  place.write("realms/a/ca.config.yml", testing::kGoodRealm);
  place.write("realms/notes/README", "no realm");
  const auto all = place.load();
  ASSERT_TRUE(all.snapshot) << lines(all.findings);
  ASSERT_EQ(all.snapshot->realms.size(), 3U);
  EXPECT_EQ(all.snapshot->realms[0]->name.text(), "a");
  place.write(
      "chancery.xml",
      "<chancery run-directory=\"run\"><realms directory=\"realms\" default=\"b\"><realm name=\"b\"/></realms></chancery>");
  const auto one = place.load();
  ASSERT_TRUE(one.snapshot) << lines(one.findings);
  ASSERT_EQ(one.snapshot->realms.size(), 1U);
  EXPECT_EQ(one.snapshot->realms[0]->name.text(), "b");
}

TEST(Load, ARealmAloneForItsSigner) {
  const Place place;
  place.write("realms/default/ca.config.yml", "passphrase_file: secret/pass\nseed_file: /nowhere/seed\n");
  place.write("realms/default/secret/pass", "x");
  std::vector<Finding> findings;
  EXPECT_EQ(load_realm(RealmName::parse("default").value(), place / "realms/default", findings), nullptr);
  ASSERT_EQ(findings.size(), 1U) << lines(findings);
  EXPECT_EQ(findings[0].path, "seed_file");
  place.write("realms/default/ca.config.yml", "passphrase_file: secret/pass\n");
  findings.clear();
  const auto realm = load_realm(RealmName::parse("default").value(), place / "realms/default/", findings);
  ASSERT_TRUE(realm) << lines(findings);
  EXPECT_EQ(realm->passphrase_file, (place / "realms/default/secret/pass").string());
  EXPECT_EQ(realm->directory, place / "realms/default");
}

TEST(Load, EarlierFindingsDoNotSpoilARealm) {
  const Place place;
  std::vector<Finding> findings{{Finding::Error, "other", 1, 1, "", "x"}};
  EXPECT_NE(load_realm(RealmName::parse("default").value(), place / "realms/default", findings), nullptr);
  EXPECT_EQ(findings.size(), 1U);
}

TEST(Load, UpkisOwnFileIsReadButForWhatMoved) {
  const Place place;
  place.write("realms/default/ca.config.yml",
              "company: \"Company Name\"\ndomain: \"example.com\"\nclients: register\npassword: null\nseed: null\nkey_type: rsa\n"
              "key_length: 4096\ndigest: sha256\ncrl_validity: 7\nkey_unencrypted: true\n");
  const auto loaded = place.load();
  ASSERT_TRUE(loaded.snapshot) << lines(loaded.findings);
  const auto* realm = loaded.snapshot->find("default");
  EXPECT_EQ(base::to_text(realm->key), "rsa:4096");
  EXPECT_EQ(realm->crl_validity, std::chrono::days{7});
  EXPECT_EQ(realm->clients, ClientsMode::Register);
}

// --- profiles ----------------------------------------------------------------------------------------------------------------

/// profiles/<name>.yml in a realm of its own.
Profile profile_from(std::string_view name, std::string_view yaml) {
  const Place place;
  place.write("realms/default/profiles/" + std::string(name) + ".yml", yaml);
  const auto loaded = place.load();
  EXPECT_EQ(lines(loaded.findings), "");
  return loaded.snapshot ? loaded.snapshot->find("default")->profiles.at(profile_name(name)) : Profile(profile_name(name));
}

TEST(Profiles, CodeDialect) {
  const auto profile =
      profile_from("extra",
                   "keyType: rsa\nkeyLen: 4096\nduration: 45\ndigest: sha512\naltnames: false\ndomain: \"a.example\"\n"
                   "subject: {C: \"FR\", O: \"Company\", OU: \"Servers\", CN: \"\"}\n"
                   "keyUsage: [digitalSignature, keyEncipherment]\nextendedKeyUsage: [serverAuth]\ncertType: server\n");
  EXPECT_EQ(base::to_text(profile.key), "rsa:4096");
  EXPECT_EQ(profile.validity, std::chrono::days{45});
  EXPECT_EQ(profile.digest, "sha512");
  EXPECT_FALSE(profile.altnames);
  EXPECT_EQ(profile.domain, "a.example");
  EXPECT_EQ(profile.subject.size(), 4U);
  EXPECT_EQ(profile.subject[1], std::pair(std::string("O"), std::string("Company")));
  EXPECT_FALSE(profile.is_ca);
}

TEST(Profiles, DocumentationDialect) {
  const auto profile =
      profile_from("extra",
                   "name: extra\ntype: user\nvalidity: 30d\nkey_type: ec\nkey_length: 384\ndigest: sha384\nca: false\n"
                   "key_usage: [digitalSignature]\nextended_key_usage: [clientAuth, emailProtection]\n"
                   "subject_alt_name:\n  - email: true\n  - dns: true\n  - ip: false\n");
  EXPECT_EQ(base::to_text(profile.key), "ec:P-384");
  EXPECT_EQ(profile.validity, std::chrono::days{30});
  EXPECT_EQ(profile.cert_type, "user");
  EXPECT_TRUE(profile.altnames);
  EXPECT_EQ(profile.san_types, (std::vector<std::string>{"email", "dns"}));
  EXPECT_EQ(profile.extended_key_usage, (std::vector<std::string>{"clientAuth", "emailProtection"}));
}

TEST(Profiles, OlderListForm) {
  const auto profile =
      profile_from("extra",
                   "keyType: rsa\nkeyLen: 4096\nduration: 365\nsubject:\n  - C: FR\n  - ST: PACA\n  - L: Gap\n"
                   "  - O: Kitchen Inc.\n  - OU: uPKI Administrators\nkeyUsage: [digitalSignature, nonRepudiation]\n"
                   "extendedKeyUsage: [clientAuth, emailProtection]\ncertType: [user, email]\n");
  EXPECT_EQ(profile.subject.size(), 5U);
  EXPECT_EQ(profile.subject[3].second, "Kitchen Inc.");
  EXPECT_EQ(profile.cert_type, "user,email");
}

TEST(Profiles, AFileOverridesSingleKeysOfABuiltIn) {
  const auto profile = profile_from("server", "duration: 7\nkey: ec:P-256\n");
  auto want = builtin_profiles().at(profile_name("server"));
  want.validity = std::chrono::days{7};
  want.key = {Kind::Ec, 256};
  want.origin = profile.origin;
  EXPECT_TRUE(profile == want);
  EXPECT_TRUE(profile.origin.ends_with("profiles/server.yml"));
}

TEST(Profiles, KeyCertSignMakesACaAsInUpki) {
  const auto profile = profile_from("sub", "keyUsage: [keyCertSign, cRLSign]\nleast_role: admin\n");
  EXPECT_TRUE(profile.is_ca);
  EXPECT_FALSE(profile.path_length);
}

TEST(Profiles, BuiltInOnesHold) {
  const Place place;
  auto realm = new_realm();
  realm.profiles = builtin_profiles();
  realm.key_unencrypted = true;
  place.write("realms/default/ca.config.yml", print_realm(realm));
  const auto loaded = place.load();
  EXPECT_EQ(lines(loaded.findings), "");
}

/// "keyType=rsa keyLen=4096 ..." of a profile.
std::string view_text(const Profile& profile) {
  std::string out;
  for (const auto& field : upki_view(profile)) {
    out += field.name + "=";
    switch (field.kind) {
      case UpkiField::Kind::Text: out += field.text; break;
      case UpkiField::Kind::Integer: out += std::to_string(field.integer); break;
      case UpkiField::Kind::Boolean: out += field.boolean ? "true" : "false"; break;
      case UpkiField::Kind::Texts:
        for (const auto& text : field.texts) out += text + ",";
        break;
      case UpkiField::Kind::Map:
        for (const auto& [name, value] : field.map) out += name + ":" + value + ",";
        break;
    }
    out += " ";
  }
  return out;
}

TEST(Profiles, UpkiViewIsTheTableOfUpki) {
  const auto profiles = builtin_profiles();
  const auto view = [&](std::string_view name) { return view_text(profiles.at(profile_name(name))); };
  EXPECT_EQ(profiles.size(), 7U);
  EXPECT_EQ(
      view("ca"),
      "keyType=rsa keyLen=4096 duration=3650 digest=sha256 altnames=false pathLen=0 subject=C:FR,O:uPKI,OU:CA,CN:uPKI Root CA, "
      "keyUsage=keyCertSign,cRLSign, extendedKeyUsage= certType=sslCA ");
  EXPECT_EQ(view("ra"),
            "keyType=rsa keyLen=4096 duration=365 digest=sha256 altnames=true subject=C:FR,O:uPKI,OU:RA,CN:uPKI RA, "
            "keyUsage=digitalSignature,keyEncipherment, extendedKeyUsage=serverAuth,clientAuth, certType=sslCA ");
  EXPECT_EQ(view("server"),
            "keyType=rsa keyLen=4096 duration=60 digest=sha256 altnames=true domain= subject=C:FR,O:Company,OU:Servers,CN:, "
            "keyUsage=digitalSignature,keyEncipherment, extendedKeyUsage=serverAuth, certType=server ");
  EXPECT_EQ(view("webapp"),
            "keyType=rsa keyLen=4096 duration=60 digest=sha256 altnames=true subject=C:FR,O:Company,OU:WebApps,CN:, "
            "keyUsage=digitalSignature,keyEncipherment, extendedKeyUsage=serverAuth,clientAuth, certType=server ");
  EXPECT_EQ(view("laptop"),
            "keyType=rsa keyLen=4096 duration=30 digest=sha256 altnames=true subject=C:FR,O:Company,OU:Users,CN:, "
            "keyUsage=digitalSignature,nonRepudiation, extendedKeyUsage=clientAuth,emailProtection, certType=user ");
  EXPECT_EQ(view("user"),
            "keyType=rsa keyLen=2048 duration=30 digest=sha256 altnames=true subject=C:FR,O:Company,OU:Users,CN:, "
            "keyUsage=digitalSignature,nonRepudiation, extendedKeyUsage=clientAuth, certType=user ");
  EXPECT_EQ(view("admin"),
            "keyType=rsa keyLen=4096 duration=365 digest=sha256 altnames=true subject=C:FR,O:Company,OU:Admins,CN:, "
            "keyUsage=digitalSignature,nonRepudiation, extendedKeyUsage=clientAuth, certType=user ");
  EXPECT_EQ(profiles.at(profile_name("ca")).least_role, Role::CaOperator);
  EXPECT_TRUE(profiles.at(profile_name("ca")).is_ca);
}

TEST(AcmeConfig, WhoAsksVantagePointsHasLonger) {
  AcmeConfig acme;
  EXPECT_EQ(acme.claim_life(), std::chrono::seconds(30));
  acme.vantage_points = {"tcp://a.example:1 key"};
  EXPECT_EQ(acme.claim_life(), std::chrono::seconds(60));
}

}  // namespace
}  // namespace chancery::config
