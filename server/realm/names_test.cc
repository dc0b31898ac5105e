#include <gtest/gtest.h>

#include "server/realm/names.h"
#include "server/realm/testing.h"

/// Which names certificates bear.
namespace chancery::realm {
namespace {

using testing::kNow;
using testing::name;
using testing::san;
using testing::Scene;
using testing::texts;

TEST(Names, C14_TheCommonNameIsAmongTheNames) {
  Scene scene;
  EXPECT_EQ(texts(scene.grant().sans), std::vector<std::string>{"DNS:www.example.com"});
  scene.wish.sans = {san("DNS:a.example.com")};
  EXPECT_EQ(texts(scene.grant().sans), (std::vector<std::string>{"DNS:www.example.com", "DNS:a.example.com"}));
  scene.wish.sans = {san("DNS:www.example.com")};
  EXPECT_EQ(texts(scene.grant().sans), std::vector<std::string>{"DNS:www.example.com"});
  scene.wish.sans = {};
  scene.wish.subject = name("/CN=192.0.2.7");
  EXPECT_EQ(texts(scene.grant().sans), std::vector<std::string>{"IP:192.0.2.7"});
  scene.wish.subject = {};
  scene.wish.sans = {san("DNS:first.example.com"), san("DNS:second.example.com")};
  const auto grant = scene.grant();
  EXPECT_EQ(grant.subject.common_name(), "first.example.com");
  EXPECT_EQ(grant.sans.size(), 2U);
}

TEST(Names, C14_ACommonNameOfOneLabelIsAmongTheNamesOfServers) {
  Scene scene;
  scene.wish.subject = name("/CN=Intranet");
  EXPECT_EQ(texts(scene.grant().sans), std::vector<std::string>{"DNS:intranet"});
  scene.profile.altnames = false;
  EXPECT_EQ(texts(scene.grant().sans), std::vector<std::string>{"DNS:intranet"});
  scene.profile.extended_key_usage = {};
  EXPECT_TRUE(scene.grant().sans.empty());  // Intranet may be somebody's name here
}

TEST(Names, C14_ACommonNameThatIsNoHostsStandsBesideNames) {
  Scene scene;
  scene.wish.subject = name("/CN=Our Web Server");
  scene.wish.sans = {san("DNS:www.example.com")};
  EXPECT_EQ(texts(scene.grant().sans), std::vector<std::string>{"DNS:www.example.com"});
}

TEST(Names, C14_ANameThatIsAskedForTwiceStandsOnce) {
  Scene scene;
  scene.wish.sans = {san("DNS:b.example.com"), san("DNS:www.example.com"), san("DNS:B.example.com"), san("DNS:www.example.com")};
  EXPECT_EQ(texts(scene.grant().sans), (std::vector<std::string>{"DNS:b.example.com", "DNS:www.example.com"}));
}

TEST(Names, C14_TheSignerTakesNoNameThatOnlyTheCommonNameHas) {
  Scene scene;
  auto grant = scene.grant();
  for (auto sans : {std::vector<x509::GeneralName>{}, {san("DNS:b.example.com")}}) {
    grant.sans = sans;
    EXPECT_EQ(check_grant(scene.realm, scene.profile, scene.ca, grant, kNow).error().code(), Code::PolicyRefused);
  }
}

TEST(Names, ReservedNamesAreWholeNames) {
  for (const auto* one : {"/CN=demo.localhost", "/CN=*.demo.localhost", "/CN=test.example.com", "/CN=localhost2"}) {
    Scene scene;
    scene.wish.subject = name(one);
    EXPECT_TRUE(scene.decide().allowed()) << one;
  }
  Scene person("user");
  person.wish.subject = name("/CN=Test");
  EXPECT_TRUE(person.decide().allowed());
}

TEST(Names, ProfilesThatAreNotForServersNeedNoNames) {
  const std::pair<const char*, const char*> cases[] = {
      {"user", "/CN=John Smith"}, {"user", "/CN=alice"},  {"laptop", "/CN=t-14_2"},       {"admin", "/CN=*"},
      {"ra", "/CN=uPKI RA"},      {"user", "/CN=b/CN=a"}, {"admin", "/CN=J\xc3\xbcrgen"}, {"user", "/CN=a_b.c."}};
  for (const auto& [profile, subject] : cases) {
    Scene scene(profile);
    scene.wish.subject = name(subject);
    EXPECT_TRUE(scene.grant().sans.empty()) << profile << " " << subject;
  }
  Scene registration("ra");
  registration.wish.subject = name("/CN=RA");
  EXPECT_EQ(texts(registration.grant().sans), std::vector<std::string>{"DNS:ra"});
}

TEST(Names, APersonIsNoHost) {
  Scene scene("user");
  scene.wish.subject = name("/CN=Alice Example");
  EXPECT_TRUE(scene.grant().sans.empty());
  scene.wish.sans = {san("EMAIL:alice@example.com")};
  EXPECT_EQ(texts(scene.grant().sans), std::vector<std::string>{"EMAIL:alice@example.com"});
}

TEST(Names, ANameTooLongForACommonNameStaysOutOfIt) {
  Scene scene;
  const auto label = std::string(40, 'a') + "." + std::string(40, 'b') + ".example.com";
  scene.wish.subject = {};
  scene.wish.sans = {san(("DNS:" + label).c_str())};
  EXPECT_TRUE(scene.grant().subject.empty());
}

TEST(Names, TheProfileMayDecideTheSubject) {
  Scene scene;
  scene.wish.subject = name("/C=XX/O=Evil/OU=Evil/CN=www.example.com");
  EXPECT_EQ(scene.grant().subject.to_slash(), "/C=XX/O=Evil/OU=Evil/CN=www.example.com");
  scene.profile.subject_from_request = false;
  EXPECT_EQ(scene.grant().subject.to_slash(), "/C=FR/O=Company/OU=Servers/CN=www.example.com");
  scene.profile.subject_from_request = true;
  scene.wish.subject_from = SubjectFrom::Profile;
  EXPECT_EQ(scene.grant().subject.to_slash(), "/C=FR/O=Company/OU=Servers/CN=www.example.com");
}

/// common_name: none. What the request's common name says as a host's is among the alternative names still.
TEST(Names, C14_AProfileMayGiveNoCommonName) {
  struct Case {
    const char* what;
    const char* subject;
    std::vector<const char*> sans;
    bool from_request;
    const char* want;
    std::vector<std::string> want_sans;
  };
  const Case cases[] = {
      {"names alone", "", {"DNS:a.example.com", "DNS:b.example.com"}, true, "", {"DNS:a.example.com", "DNS:b.example.com"}},
      {"a host's", "/CN=www.example.com", {}, true, "", {"DNS:www.example.com"}},
      {"a host's beside names",
       "/CN=www.example.com",
       {"DNS:a.example.com"},
       true,
       "",
       {"DNS:www.example.com", "DNS:a.example.com"}},
      {"somebody's beside names", "/CN=Our Web Server", {"DNS:a.example.com"}, true, "", {"DNS:a.example.com"}},
      {"the rest stays", "/O=Company/CN=www.example.com", {}, true, "/O=Company", {"DNS:www.example.com"}},
      {"the profile's", "/O=Evil/CN=www.example.com", {}, false, "/C=FR/O=Company/OU=Servers", {"DNS:www.example.com"}},
  };
  for (const auto& one : cases) {
    Scene scene;
    scene.profile.common_name = "none";
    scene.profile.subject_from_request = one.from_request;
    scene.wish.subject = *one.subject == '\0' ? x509::Name{} : name(one.subject);
    for (const auto* const each : one.sans) scene.wish.sans.push_back(san(each));
    const auto grant = scene.grant();
    EXPECT_EQ(grant.subject.to_slash(), *one.want == '\0' ? x509::Name{}.to_slash() : one.want) << one.what;
    EXPECT_EQ(texts(grant.sans), one.want_sans) << one.what;
  }
  Scene nobody("user");
  nobody.profile.common_name = "none";
  nobody.wish.subject = name("/CN=Alice Example");
  const auto refused = nobody.decide();
  ASSERT_FALSE(refused.allowed()) << "neither a subject nor a name is left";
  EXPECT_NE(
      refused.refusal().message().find("found neither a subject nor a subject alternative name, expected one of them; profile "
                                       "user has common_name: none, so that a common name is left out"),
      std::string::npos)
      << refused.refusal().message();
  nobody.profile.common_name = "names";
  nobody.wish.subject = {};
  EXPECT_EQ(nobody.decide().refusal().message().find("common_name"), std::string::npos) << nobody.decide().refusal().message();
  Scene rule;  // who writes the whole subject says what is in it
  rule.profile.common_name = "none";
  rule.wish.subject_from = SubjectFrom::Rule;
  EXPECT_EQ(rule.grant().subject.to_slash(), "/CN=www.example.com");
}

TEST(Names, ConfiguredNamesMayBeReserved) {
  Scene scene;
  scene.wish.sans = {san("DNS:localhost")};
  scene.wish.names_are_configured = true;
  EXPECT_TRUE(scene.decide().allowed());
}

}  // namespace
}  // namespace chancery::realm
