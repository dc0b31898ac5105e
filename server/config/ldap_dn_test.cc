#include "server/config/ldap_dn.h"

#include <gtest/gtest.h>

#include <string>

namespace chancery::config {
namespace {

TEST(LdapDn, TakesWhatRfc4514Shows) {
  const std::string kGood[] = {
      "",
      "UID=jsmith,DC=example,DC=net",
      "OU=Sales+CN=J.  Smith,DC=example,DC=net",
      R"(CN=James \"Jim\" Smith\, III,DC=example,DC=net)",
      R"(CN=Before\0dAfter,DC=example,DC=net)",
      "1.3.6.1.4.1.1466.0=#04024869",
      "CN=Lu\\C4\\8Di\\C4\\87",
      "cn=a, ou=b , dc=c",
      "cn=\\#1,ou=\\ lead and trail\\ ",
      "cn=a=b",
      "cn=Zo\xc3\xab",
      "x-own-type=1",
  };
  for (const auto& text : kGood) EXPECT_TRUE(check_ldap_dn(text).ok()) << text << ": " << check_ldap_dn(text).error().message();
}

TEST(LdapDn, RefusesWhatIsNoName) {
  struct Case {
    std::string text;
    std::string says;
  };
  const Case kBad[] = {
      {"pki", "TYPE=value"},
      {"cn=a,", "between commas"},
      {"cn=a,,dc=b", "between commas"},
      {",cn=a", "between commas"},
      {"cn=a,pki", "TYPE=value"},
      {"cn=a+", "TYPE=value"},
      {"=a", "attribute type"},
      {"c n=a", "attribute type"},
      {"1cn=a", "attribute type"},
      {"2.5.04.3=a", "attribute type"},
      {"2.=a", "attribute type"},
      {"2=a", "attribute type"},
      {"/CN=a", "attribute type"},
      {"cn=", "a value behind"},
      {"cn= ,dc=b", "a value behind"},
      {"cn=a;dc=b", "\\;"},
      {"cn=\"a\"", "\\\""},
      {"cn=a<b", "\\<"},
      {"cn=a\\", "behind a backslash"},
      {"cn=a\\z", "behind a backslash"},
      {"cn=a\\4", "behind a backslash"},
      {"cn=a\\4g", "behind a backslash"},
      {"cn=#", "hex digits behind #"},
      {"cn=#0", "hex digits behind #"},
      {"cn=#0g", "hex digits behind #"},
      {"cn=\xff", "UTF-8"},
      {std::string("cn=a\0b", 6), "in a value"},
  };
  for (const auto& one : kBad) {
    const auto checked = check_ldap_dn(one.text);
    ASSERT_FALSE(checked.ok()) << one.text;
    EXPECT_NE(checked.error().message().find(one.says), std::string::npos) << one.text << ": " << checked.error().message();
  }
}

TEST(LdapDn, PlacesStandInValues) {
  for (const auto* good : {"cn={ca},ou=pki", "cn=CA {ca} of {ca},dc=x", "uid={cn}+ou=y"})
    EXPECT_TRUE(check_ldap_dn_template(good).ok()) << good;
  for (const auto* bad : {"{ca}=x", "cn=#{ca}", "{cn}", "cn=x,{ca}", "cn={ca},", "cn={ca}\\"})
    EXPECT_FALSE(check_ldap_dn_template(bad).ok()) << bad;
}

}  // namespace
}  // namespace chancery::config
