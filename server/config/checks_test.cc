#include "server/config/checks.h"

#include <gtest/gtest.h>

#include "server/config/testing.h"
#include "server/config/text_checks.h"
#include "server/config/value.h"

namespace chancery::config {
namespace {

using testing::Place;

TEST(Checks, D33_SecretsAreReachableByTheirOwnerOnly) {
  struct Case {
    const char* name;
    mode_t mode;
    std::string content;
    const char* want;
  };
  const Case cases[] = {
      {"0600", 0600, "x", ""},
      {"0400", 0400, "x", ""},
      {"0640", 0640, "x", "found mode 0640, expected 0600 or less"},
      {"0604", 0604, "x", "found mode 0604, expected 0600 or less"},
      {"0644", 0644, "x", "found mode 0644, expected 0600 or less"},
      {"empty", 0600, "", "found an empty file, expected a secret in it"},
  };
  for (const auto& one : cases) {
    const Place place;
    place.write("secret", one.content, one.mode);
    std::vector<Finding> findings;
    Report report("f", findings);
    check_secret_file(place / "secret", {place.directory()}, Node(), report);
    const std::string found = findings.empty() ? "" : findings[0].message;
    EXPECT_EQ(found.substr(0, std::string(one.want).size()), one.want) << one.name;
    EXPECT_EQ(findings.empty(), std::string(one.want).empty()) << one.name;
  }
}

TEST(Checks, D33_SecretsAreRegularFiles) {
  const Place place;
  place.write("real", "x");
  std::filesystem::create_symlink("real", place / "link");
  const auto found = [&](std::string_view name) {
    std::vector<Finding> findings;
    Report report("f", findings);
    check_secret_file(place / name, {place.directory()}, Node(), report);
    return findings.empty() ? "" : findings[0].message.substr(0, findings[0].message.find(','));
  };
  EXPECT_EQ(found("real"), "");
  EXPECT_EQ(found("link"), "found a symbolic link");
  EXPECT_EQ(found("realms"), "found no regular file");
  EXPECT_NE(found("missing").find("No such file"), std::string::npos);
}

TEST(Checks, F12_AKeyForEverybodyStopsTheRealm) {
  const Place place;
  place.write("realms/default/ca.key", "-----BEGIN", 0644);
  const auto lines = place.findings();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0],
            "realms/default/ca.config.yml:1:1: found mode 0644, expected 0600 or less (chmod 600 realms/default/ca.key)");
}

TEST(Checks, ConfigurationThatOthersCanWrite) {
  const Place place;
  place.write("chancery.xml", testing::kGoodXml, 0666);
  place.write("realms/default/ca.config.yml", testing::kGoodRealm, 0664);
  const auto loaded = place.load();
  const auto lines = place.lines(loaded.findings);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "chancery.xml:1:1: found mode 0666, expected that others cannot write (chmod o-w chancery.xml)");
  EXPECT_EQ(lines[1],
            "realms/default/ca.config.yml:1:1: warning: found mode 0664: the file's group can write it (chmod g-w "
            "realms/default/ca.config.yml)");
  EXPECT_EQ(loaded.snapshot, nullptr);
}

TEST(Checks, AFileWhereADirectoryBelongs) {
  const Place place;
  place.write("realms/default/journal", "x");
  place.write("run", "x");
  const auto lines = place.findings();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "chancery.xml:1:11: chancery/@run-directory: found a file, expected a directory: run");
  EXPECT_EQ(lines[1], "realms/default/ca.config.yml:1:1: found a file, expected a directory: realms/default/journal");
}

TEST(Checks, SocketPathsFitTheirStructure) {
  const Place place;
  const std::string deep(100, 'd');
  place.write("chancery.xml", "<chancery run-directory=\"" + deep + "\"><realms directory=\"realms\"/></chancery>");
  const auto lines = place.findings();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("expected at most 107 (unix(7))"), std::string::npos) << lines[0];
}

TEST(Checks, AProfileStandsInOnePlace) {
  const Place place;
  place.write("realms/default/ca.config.yml", "key_unencrypted: true\nprofiles:\n  extra: {keyUsage: [digitalSignature]}\n");
  place.write("realms/default/profiles/extra.yml", "keyUsage: [digitalSignature]\n");
  const auto lines = place.findings();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(
      lines[0],
      "realms/default/profiles/extra.yml:1:1: found profile \"extra\" here and in ca.config.yml, expected it in one of them");
}

struct TextCase {
  TextCheck check;
  const char* text;
  bool good;
};

TEST(Checks, SingleTexts) {
  const TextCase cases[] = {
      {check_address, "127.0.0.1", true},
      {check_address, "::1", true},
      {check_address, "127.0.0.01", false},
      {check_address, "127.1", false},
      {check_address, "fe80::1%eth0", false},
      {check_address, "localhost", false},
      {check_network, "10.0.0.0/8", true},
      {check_network, "192.0.2.7", true},
      {check_network, "fd00::/8", true},
      {check_network, "10.0.0.0/33", false},
      {check_network, "10.0.0.0/", false},
      {check_network, "10.0.0/8", false},
      {check_network, "10.0.0.0/-1", false},
      {check_network, "fd00::/129", false},
      {check_network, "::ffff:10.0.0.0/8", false},
      {check_network, "proxy.example.com", false},
      {check_network, "", false},
      {check_network, "10.0.0.1/8", false},
      {check_network, "fd00::1/8", false},
      {check_network, "10.0.0.0/08", false},
      {check_network, "::ffff:a00:0/104", false},
      {check_network, "0.0.0.0/0", true},
      {check_network, "::/0", true},
      {check_name_pattern, "*.example.com", true},
      {check_name_pattern, "web-*.*.example.com", true},
      {check_name_pattern, ".example.com", true},
      {check_name_pattern, "10.0.0.0/8", true},
      {check_name_pattern, "fd00::/8", true},
      {check_name_pattern, "", false},
      {check_name_pattern, "*", false},
      {check_name_pattern, "**", false},
      {check_name_pattern, "*.*", false},
      {check_name_pattern, "a**.example.com", false},
      {check_name_pattern, "10.0.0.1/8", false},
      {check_name_pattern, "10.0.0.0/08", false},
      {check_name_pattern, "::ffff:10.0.0.0/104", false},
      {check_name_pattern, "::ffff:a00:1", false},
      {check_trust_anchor, ". IN DS 20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d", true},
      {check_trust_anchor, "example. IN DS 1 8 2 E06D44B80B8F1D39A95C0B0D7C65D084 58E880409BBC683457104237C7F8EC8D", true},
      {check_trust_anchor, "example. IN DNSKEY 257 3 13 bWRTZ0lNYQ==", true},
      {check_trust_anchor, "example. IN DS 20326 8 2 zz", false},
      {check_trust_anchor, "example. IN DS 20326 8 2 e06d", false},
      {check_trust_anchor, "example. IN DS 20326 8 9 e06", false},
      {check_trust_anchor, "example. IN DS 99999 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d", false},
      {check_trust_anchor, "example. IN DS 20326 256 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d", false},
      {check_trust_anchor, "example. IN DS 20326 x 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d", false},
      {check_trust_anchor, "example. IN DNSKEY 257 3 13 b!RTZ0lNYQ==", false},
      {check_trust_anchor, "example. IN TXT 257 3 13 bWRTZ0lNYQ==", false},
      {check_address_port, "127.0.0.1:53", true},
      {check_address_port, "[::1]:5353", true},
      {check_address_port, "::1:53", false},
      {check_address_port, "[127.0.0.1]:53", false},
      {check_address_port, "127.0.0.1:0", false},
      {check_address_port, "127.0.0.1:65536", false},
      {check_address_port, "127.0.0.1: 53", false},
      {check_host_or_address, "*.example.com", true},
      {check_host_or_address, "a.*.example.com", false},
      {check_host_or_address, "a..example.com", false},
      {check_host_or_address, "-a.example.com", false},
      {check_domain, "example.com", true},
      {check_domain, "localhost", true},
      {check_domain, "exa_mple.com", false},
      {check_domain, "example.com.", false},
      {check_url, "http://a.example/crl", true},
      {check_url, "https://a.example/", true},
      {check_url, "http:///crl", false},
      {check_url, "http://", false},
      {check_url, "http://a b/", false},
      {check_url, "file:///etc/passwd", false},
      {check_realm_or_all, "*", true},
      {check_realm, "*", false},
      {check_realm, "Default", false},
      {check_realm, "a/b", false},
      {check_account, "alice", true},
      {check_account, "1000", true},
      {check_account, "-rf", false},
      {check_account, "a b", false},
      {check_program, "chancery-http", true},
      {check_program, "/opt/x", true},
      {check_program, "x/y", false},
      {check_program, "..", false},
      {check_log_destination, "syslog", true},
      {check_log_destination, "/var/log/x", true},
      {check_log_destination, "log/x", false},
      {check_slash_dn, "/C=FR/O=A\\/B/CN=x", true},
      {check_slash_dn, "/CN=", false},
      {check_slash_dn, "/", false},
      {check_slash_dn, "/CN=x/", false},
      {check_slash_dn, "/X=y", false},
      {check_slash_dn, "/C=F", false},
  };
  for (const auto& one : cases) EXPECT_EQ(one.check(one.text).ok(), one.good) << one.text;
}

TEST(Checks, BoundsOfNamesCountCharactersNotOctets) {
  const auto name = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "\xc3\xa9";
    return text;
  };
  EXPECT_TRUE(check_dn_attribute("CN", name(64)).ok());
  EXPECT_FALSE(check_dn_attribute("CN", name(65)).ok());
  EXPECT_TRUE(check_dn_attribute("CN", "").ok());
  EXPECT_FALSE(check_dn_attribute("O", "").ok());
}

}  // namespace
}  // namespace chancery::config
