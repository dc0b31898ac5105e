#include <gtest/gtest.h>

#include "server/config/builtin_profiles.h"
#include "server/config/load.h"
#include "server/config/print.h"
#include "server/config/profile_settings.h"
#include "server/config/testing.h"
#include "server/config/upki_view.h"

namespace chancery::config {
namespace {

using testing::lines;
using testing::new_realm;
using testing::Place;
using testing::profile_name;
using Kind = base::KeySpec::Kind;

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
