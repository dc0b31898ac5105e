#include "server/realm/hosts.h"

#include <gtest/gtest.h>

namespace chancery::realm {
namespace {

using Words = std::vector<std::string>;

config::Profile profile_of(Words key_usage, Words extended_key_usage, bool is_ca = false) {
  config::Profile profile(ProfileName::parse("some").value());
  profile.key_usage = std::move(key_usage);
  profile.extended_key_usage = std::move(extended_key_usage);
  profile.is_ca = is_ca;
  return profile;
}
config::Profile for_servers() { return profile_of({"digitalSignature"}, {"serverAuth"}); }
config::Profile for_anything() { return profile_of({"digitalSignature"}, {}); }
config::Profile for_people() { return profile_of({"digitalSignature"}, {"clientAuth", "emailProtection"}); }

TEST(Hosts, C14_WhatMayServe) {
  struct Case {
    const char* name;
    config::Profile profile;
    bool is_for_servers;
    bool may_serve;
  };
  const Case cases[] = {
      {"servers", for_servers(), true, true},
      {"servers and clients", profile_of({"keyAgreement"}, {"clientAuth", "serverAuth"}), true, true},
      {"people", for_people(), false, false},
      {"no purpose named", for_anything(), false, true},
      {"neither purpose nor usage", profile_of({}, {}), false, true},
      {"no purpose, a usage that TLS does not take", profile_of({"nonRepudiation"}, {}), false, false},
      {"a CA", profile_of({"keyCertSign", "digitalSignature"}, {"serverAuth"}, true), false, false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(is_for_servers(one.profile), one.is_for_servers) << one.name;
    EXPECT_EQ(may_serve(one.profile), one.may_serve) << one.name;
  }
}

TEST(Hosts, C14_WhatCouldBeAHost) {
  struct Case {
    const char* common_name;
    bool of_servers;
    bool of_people;
    const char* as_host;  ///< null: no alternative name says the same
  };
  const Case cases[] = {
      {"www.example.com", true, true, "DNS:www.example.com"},
      {"WWW.Example.COM", true, true, "DNS:www.example.com"},
      {"intranet", true, false, "DNS:intranet"},
      {"192.0.2.7", true, true, "IP:192.0.2.7"},
      {"2001:DB8::7", true, true, "IP:2001:db8::7"},
      {"*.example.com", true, true, "DNS:*.example.com"},
      {"host/www.example.com", true, true, "DNS:www.example.com"},
      {" www.example.com ", true, true, "DNS:www.example.com"},
      {"evil_1.com", true, true, nullptr},
      {"evil.com.", true, true, nullptr},
      {"*", true, false, nullptr},
      {"*.*.evil.com", true, true, nullptr},
      {"[2001:db8::7]", true, true, nullptr},
      {"DNS:evil.com", true, true, nullptr},
      {"bücher.example.com", true, true, nullptr},
      {"John Smith", false, false, nullptr},
      {"Example Web Server 2.0", false, false, nullptr},
      {"O'Brien", false, false, nullptr},
      {"alice@example.com", false, false, nullptr},
      {"", false, false, nullptr},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(could_be_host(for_servers(), one.common_name), one.of_servers) << one.common_name;
    EXPECT_EQ(could_be_host(for_people(), one.common_name), one.of_people) << one.common_name;
    EXPECT_EQ(could_be_host(for_anything(), one.common_name), one.of_people) << one.common_name;
    const auto host = as_host(one.common_name);
    EXPECT_EQ(host ? host->to_text() : "none", one.as_host != nullptr ? one.as_host : "none") << one.common_name;
  }
}

TEST(Hosts, LiesBelow) {
  EXPECT_TRUE(lies_below("example.com", "example.com"));
  EXPECT_TRUE(lies_below("a.b.example.com", "example.com"));
  EXPECT_TRUE(lies_below("*.example.com", "example.com"));
  EXPECT_FALSE(lies_below("notexample.com", "example.com"));
  EXPECT_FALSE(lies_below("example.com.evil.org", "example.com"));
  EXPECT_FALSE(lies_below("com", "example.com"));
  EXPECT_FALSE(lies_below("*.com", "example.com"));
}

/// Outside of corp.example.com or not, by what the profile is for.
struct DomainCase {
  const char* subject;
  Words sans;
  bool of_servers;
  bool of_people;
};
const DomainCase kDomainCases[] = {
    {"/CN=a.corp.example.com", {"DNS:a.corp.example.com"}, true, true},
    {"/CN=A.Corp.Example.COM", {}, true, true},
    {"/CN=host\\/a.corp.example.com", {}, true, true},
    {"/CN=Some Body/emailAddress=a@corp.example.com", {"EMAIL:a@corp.example.com"}, true, true},
    {"/CN=alice@Corp.example.com", {"EMAIL:alice@sub.corp.example.com"}, true, true},
    {"/CN=x y", {"URI:https://corp.example.com:8443/path", "URI:spiffe://a.corp.example.com/x"}, true, true},
    {"/CN=intranet", {}, false, true},
    {"/CN=jean.dupont", {}, false, true},
    {"/CN=*", {}, false, true},
    {"/CN=evil.com", {}, false, true},
    {"/CN=evil.com/CN=a.corp.example.com", {"DNS:a.corp.example.com"}, false, true},
    {"/CN=evil.com/CN=x y", {}, false, true},
    {"/CN=corp.example.com.evil.com", {}, false, true},
    {"/CN=evilcorp.example.com", {}, false, true},
    {"/CN=evil_1.com", {}, false, true},
    {"/CN=evil.com.", {}, false, true},
    {"/CN=*.*.evil.com", {}, false, true},
    {"/CN=192.0.2.1", {}, false, true},
    {"/CN=a.corp.example.com\\/evil.com", {}, false, true},
    {"/CN=host\\/evil.com", {}, false, true},
    {"/CN=alice@evil.com", {}, false, false},
    {"/CN=x y/emailAddress=a@evil.com", {}, false, false},
    {"/CN=x y/emailAddress=a@b@evil.com", {}, false, false},
    {"/CN=x y", {"DNS:evil.com"}, false, false},
    {"/CN=x y", {"DNS:a.corp.example.com", "DNS:*.example.com"}, false, false},
    {"/CN=x y", {"IP:192.0.2.1"}, false, false},
    {"/CN=x y", {"IP:2001:db8::1"}, false, false},
    {"/CN=x y", {"EMAIL:corp.example.com@evil.com"}, false, false},
    {"/CN=x y", {"URI:https://evil.com/corp.example.com"}, false, false},
    {"/CN=x y", {"URI:https://evil.com?.corp.example.com"}, false, false},
    {"/CN=x y", {"URI:https://[2001:db8::1]/"}, false, false},
    {"/CN=x y", {"URI:urn:corp.example.com"}, false, false},
};

bool is_inside(config::Profile profile, const DomainCase& one) {
  profile.domain = "Corp.Example.com";
  x509::Name subject;
  if (const auto read = x509::Name::from_slash(one.subject); read.ok()) subject = *read;
  std::vector<x509::GeneralName> sans;
  for (const auto& text : one.sans) sans.push_back(x509::GeneralName::parse(text).value());
  return fault_against_domain(profile, subject, sans).empty();
}

TEST(Hosts, C14_EveryNameLiesInTheDomain) {
  for (const auto& one : kDomainCases) {
    EXPECT_EQ(is_inside(for_servers(), one), one.of_servers) << one.subject;
    EXPECT_EQ(is_inside(for_anything(), one), one.of_servers) << one.subject;
    EXPECT_EQ(is_inside(for_people(), one), one.of_people) << one.subject;
  }
}

TEST(Hosts, WithoutADomainEveryNameDoes) {
  EXPECT_EQ(fault_against_domain(for_servers(), x509::Name::from_slash("/CN=evil.com").value(),
                                 {x509::GeneralName::parse("IP:192.0.2.1").value()}),
            "");
}

}  // namespace
}  // namespace chancery::realm
