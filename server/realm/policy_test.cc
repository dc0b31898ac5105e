#include <gtest/gtest.h>

#include <functional>

#include "server/config/builtin_profiles.h"
#include "server/realm/assemble.h"
#include "server/realm/names.h"
#include "server/realm/testing.h"
#include "server/x509/der.h"
#include "server/x509/extension.h"

/// Who may have what, and what is said about it.
namespace chancery::realm {

config::RealmConfig testing::new_realm() {
  config::RealmConfig realm(RealmName::parse("default").value());
  realm.profiles = config::builtin_profiles();
  return realm;
}

namespace {

using std::chrono::days;
using std::chrono::seconds;
using testing::fresh_key;
using testing::kNow;
using testing::name;
using testing::san;
using testing::Scene;
using x509::testing::at;

TEST(Policy, AllowsAndSaysWhy) {
  Scene scene;
  const auto decision = scene.decide();
  ASSERT_TRUE(decision.allowed()) << decision.refusal().message();
  for (const auto& check : decision.checks)
    EXPECT_TRUE(check.passed && !check.rule.empty() && !check.detail.empty()) << check.rule;
  EXPECT_TRUE(check_grant(scene.realm, scene.profile, scene.ca, decision.grant, scene.now).ok());
}

TEST(Policy, AdministratorsNamesAreForThemAndTheirKeys) {
  Scene scene;
  scene.wish.names_administrator = true;
  EXPECT_FALSE(scene.decide().allowed());
  scene.wish.key_is_administrators = true;
  EXPECT_FALSE(scene.decide().allowed());  // whose it is or not: the names in it may be anybody's
  scene.wish.keeps_its_key = true;
  EXPECT_TRUE(scene.decide().allowed());
  scene.wish.key_is_administrators = false;
  EXPECT_FALSE(scene.decide().allowed());
  scene.wish.roles = Roles{Role::Admin};
  EXPECT_TRUE(scene.decide().allowed());
}

TEST(Policy, AKeyIsBoundByAnAdministratorsOrderAlone) {
  for (const bool listed : {false, true}) {
    for (const bool renewed : {false, true}) {
      for (const auto role : {Role::RaOperator, Role::CaOperator, Role::Admin}) {
        Scene scene;
        scene.wish.names_administrator = listed;
        scene.wish.keeps_its_key = renewed;
        scene.wish.roles = Roles{role};
        EXPECT_EQ(scene.decide().binds_administrator, listed && !renewed && role == Role::Admin);
      }
    }
  }
}

struct Holder {
  const char* profile;
  bool is_ca;
  Role asks;
  bool by_seed;
  bool keeps_its_key;
  bool allowed;
};
const Holder kHolders[] = {
    {"server", false, Role::RaOperator, false, false, true}, {"ra-like", false, Role::RaOperator, false, false, true},
    {"ra", false, Role::RaOperator, false, false, false},    {"ra", false, Role::User, false, false, false},
    {"ra", false, Role::CaOperator, false, false, true},     {"ra", false, Role::Admin, false, false, true},
    {"ra", false, Role::RaOperator, true, false, true},      {"ra", false, Role::RaOperator, false, true, true},
    {"admin", false, Role::RaOperator, false, false, false}, {"admin", false, Role::RaOperator, true, false, false},
    {"admin", false, Role::CaOperator, false, false, true},  {"admin", false, Role::RaOperator, false, true, true},
    {"sub", true, Role::RaOperator, false, false, false},    {"sub", true, Role::RaOperator, true, false, false},
    {"sub", true, Role::CaOperator, false, false, true},
};

TEST(Policy, WhoActsAsTheHolderOfAProfileMakesNoMoreOfThem) {
  for (const auto& one : kHolders) {
    Scene scene;
    scene.profile.name = ProfileName::parse(one.profile).value();
    scene.profile.is_ca = one.is_ca;
    scene.wish.roles = Roles{one.asks};
    scene.wish.by_seed = one.by_seed;
    scene.wish.keeps_its_key = one.keeps_its_key;
    const auto decision = scene.decide();
    const auto check = std::ranges::find(decision.checks, "holders-role", &Check::rule);
    ASSERT_NE(check, decision.checks.end());
    EXPECT_EQ(check->passed, one.allowed) << one.profile << " " << base::to_text(one.asks) << ": " << check->detail;
  }
}

struct Case {
  const char* name;
  std::function<void(Scene&)> change;
  const char* rule;  ///< the one that must refuse
  Code code;
  bool signer_refuses;  ///< the signer knows neither roles nor the configuration's own names
};
const Case kCases[] = {
    {"a role that is too low", [](Scene& s) { s.wish.roles = Roles{Role::User}; }, "role", Code::Denied, false},
    {"no role", [](Scene& s) { s.wish.roles = Roles(); }, "role", Code::Denied, false},
    {"a CA that has ended", [](Scene& s) { s.now = at("2056-01-01T00:00:00Z"); }, "ca", Code::Unavailable, true},
    {"the CA's own key", [](Scene& s) { s.wish.key = x509::testing::ca_key().public_key(); }, "key-kind", Code::BadKey, true},
    {"a curve off the list", [](Scene& s) { s.profile.allowed_keys = {base::parse_key_spec("ec:P-384").value()}; }, "key-kind",
     Code::BadKey, true},
    {"an RSA key below the list's",
     [](Scene& s) {
       s.profile.allowed_keys = {base::parse_key_spec("rsa:3072").value()};
       s.wish.key = fresh_key("rsa:2048");
     },
     "key-kind", Code::BadKey, true},
    {"neither subject nor names", [](Scene& s) { s.wish.subject = {}; }, "names", Code::PolicyRefused, true},
    {"names where the profile has none",
     [](Scene& s) {
       s.profile.altnames = false;
       s.wish.sans = {san("DNS:b.example.com")};
     },
     "names", Code::PolicyRefused, true},
    {"a kind of name that is not allowed",
     [](Scene& s) {
       s.profile.san_types = {"dns"};
       s.wish.sans = {san("IP:192.0.2.1")};
     },
     "names", Code::PolicyRefused, true},
    {"a name outside the domain",
     [](Scene& s) {
       s.profile.domain = "example.com";
       s.wish.sans = {san("DNS:www.example.org")};
     },
     "names", Code::PolicyRefused, true},
    {"a name that only ends like the domain",
     [](Scene& s) {
       s.profile.domain = "example.com";
       s.wish.sans = {san("DNS:evilexample.com")};
     },
     "names", Code::PolicyRefused, true},
    {"C14 an address where there is a domain",
     [](Scene& s) {
       s.profile.domain = "example.com";
       s.wish.sans = {san("IP:192.0.2.1")};
     },
     "names", Code::PolicyRefused, true},
    {"C14 a common name outside the domain", [](Scene& s) { s.profile.domain = "example.org"; }, "names", Code::PolicyRefused,
     true},
    {"C14 a common name outside the domain, without alternative names",
     [](Scene& s) {
       s.profile.domain = "example.org";
       s.profile.altnames = false;
     },
     "names", Code::PolicyRefused, true},
    {"C14 a common name outside the domain, without purposes",
     [](Scene& s) {
       s.profile.domain = "example.org";
       s.profile.extended_key_usage = {};
       s.wish.subject = name("/CN=intranet");
     },
     "names", Code::PolicyRefused, true},
    {"C14 a common name behind one without a host",
     [](Scene& s) { s.wish.subject = name("/CN=evil.com/CN=x y"), s.wish.sans = {san("DNS:www.example.com")}; }, "names",
     Code::PolicyRefused, true},
    {"C14 two common names", [](Scene& s) { s.wish.subject = name("/CN=b.example.com/CN=a.example.com"); }, "names",
     Code::PolicyRefused, true},
    {"C14 two common names where no purpose is named",
     [](Scene& s) {
       s.profile.extended_key_usage = {};
       s.wish.subject = name("/CN=b.example.com/CN=x y");
     },
     "names", Code::PolicyRefused, true},
    {"C14 a host's name that is no DNS name", [](Scene& s) { s.wish.subject = name("/CN=evil_1.com"); }, "names",
     Code::PolicyRefused, true},
    {"C14 a trailing dot beside a good name",
     [](Scene& s) { s.wish.subject = name("/CN=evil.com."), s.wish.sans = {san("DNS:www.example.com")}; }, "names",
     Code::PolicyRefused, true},
    {"C14 a wildcard of everything", [](Scene& s) { s.wish.subject = name("/CN=*"); }, "names", Code::PolicyRefused, true},
    {"C14 a server in letters beyond ASCII",
     [](Scene& s) {
       s.wish.subject = name(
           "/CN=b\xc3\xbc"
           "cher.example.com");
     },
     "names", Code::PolicyRefused, true},
    {"C14 a server without a name", [](Scene& s) { s.wish.subject = name("/CN=John Smith"); }, "names", Code::PolicyRefused,
     true},
    {"C14 a server without even a common name", [](Scene& s) { s.wish.subject = name("/O=Company"); }, "names",
     Code::PolicyRefused, true},
    {"the CA's own subject",
     [](Scene& s) {
       s.wish.subject = s.ca.certificate.subject();
       s.wish.sans = {san("DNS:www.example.com")};
     },
     "names", Code::PolicyRefused, true},
    {"F34 a path", [](Scene& s) { s.wish.subject = name("/CN=a\\/..\\/b"); }, "names", Code::PolicyRefused, true},
    {"F34 an absolute path", [](Scene& s) { s.wish.subject = name("/CN=\\/etc"); }, "names", Code::PolicyRefused, true},
    {"a key that is compromised", [](Scene& s) { s.wish.key_report = "reported"; }, "key-report", Code::BadKey, false},
    {"a reserved name", [](Scene& s) { s.wish.sans = {san("DNS:localhost")}; }, "reserved-names", Code::PolicyRefused, false},
    {"an administrator's name", [](Scene& s) { s.wish.names_administrator = true; }, "administrator", Code::Denied, false},
    {"a common name that is reserved", [](Scene& s) { s.wish.subject = name("/CN=LocalHost"); }, "reserved-names",
     Code::PolicyRefused, false},
    {"a common name that is reserved, beside a good name",
     [](Scene& s) {
       s.wish.subject = name("/CN=localhost");
       s.wish.sans = {san("DNS:www.example.com")};
     },
     "reserved-names", Code::PolicyRefused, false},
    {"a service's common name that is reserved, without purposes",
     [](Scene& s) {
       s.profile.extended_key_usage = {};
       s.wish.subject = name("/CN=host\\/localhost");
     },
     "reserved-names", Code::PolicyRefused, false},
    {"C11 a day too long", [](Scene& s) { s.wish.validity = days{61}; }, "validity", Code::PolicyRefused, true},
    {"I3 a second too long", [](Scene& s) { s.wish.validity = days{60} + seconds{1}; }, "validity", Code::PolicyRefused, true},
    {"an end before the beginning", [](Scene& s) { s.wish.not_before = kNow, s.wish.not_after = kNow - seconds{1}; }, "validity",
     Code::PolicyRefused, true},
    {"C11 a beginning before the backdate",
     [](Scene& s) { s.wish.not_before = kNow - s.realm.backdate - kClockSlack - seconds{1}; }, "validity", Code::PolicyRefused,
     true},
    {"C11 a beginning before the CA's",
     [](Scene& s) {
       s.now = at("2026-01-01T00:01:00Z");
       s.wish.not_before = at("2025-12-31T23:59:00Z");
     },
     "validity", Code::PolicyRefused, true},
    {"C11 a beginning behind the CA's end", [](Scene& s) { s.wish.not_before = at("2060-01-01T00:00:00Z"); }, "validity",
     Code::PolicyRefused, true},
    {"C11 an end that is now", [](Scene& s) { s.wish.not_after = kNow; }, "validity", Code::PolicyRefused, true},
    {"C11 a validity that is over before it began",
     [](Scene& s) {
       s.realm.backdate = std::chrono::hours{2};
       s.wish.validity = std::chrono::hours{1};
     },
     "validity", Code::PolicyRefused, true},
    {"C11 an end behind the CA's",
     [](Scene& s) {
       s.now = at("2055-12-20T00:00:00Z");
       s.wish.not_after = at("2056-01-01T00:00:00Z");
     },
     "validity", Code::PolicyRefused, true},
    {"a CA below a CA of path length 0",
     [](Scene& s) {
       s.profile.is_ca = true;
       s.wish.subject = name("/CN=Sub CA");
       s.wish.roles = Roles{kMakesHolders};
     },
     "ca-depth", Code::PolicyRefused, true},
};

TEST(Policy, RefusesAndNamesTheRule) {
  for (const auto& one : kCases) {
    Scene scene;
    one.change(scene);
    const auto decision = scene.decide();
    ASSERT_FALSE(decision.allowed()) << one.name;
    EXPECT_EQ(decision.refusal().code(), one.code) << one.name << ": " << decision.refusal().message();
    for (const auto& check : decision.checks) {
      EXPECT_TRUE(check.rule != one.rule || !check.passed) << one.name;
    }
    if (!one.signer_refuses || decision.code == Code::Unavailable) continue;
    EXPECT_FALSE(check_grant(scene.realm, scene.profile, scene.ca, decision.grant, scene.now).ok()) << one.name;
  }
}

/// The testing CA with permittedSubtrees { dNSName example.com }.
x509::Certificate constrained_ca() {
  constexpr const char* kOfExampleCom = "3011a00f300d820b6578616d706c652e636f6d";
  auto elements = x509::testing::elements_of(x509::build_tbs(x509::testing::ca_spec()).value());
  const auto outer = x509::der::only(x509::der::constructed(3), elements.back(), "extensions").value();
  auto extensions = x509::testing::elements_of(outer.content);
  extensions.push_back(x509::encode_extension(x509::kNameConstraints, true, base::from_hex(kOfExampleCom).value()));
  elements.back() = x509::der::tlv(x509::der::constructed(3), x509::testing::sequence_of(extensions));
  return x509::testing::sign(x509::testing::sequence_of(elements));
}

TEST(Policy, ACasNameConstraintsHold) {
  for (const bool is_above : {false, true}) {
    Scene scene;
    if (is_above) scene.ca.above = {constrained_ca()};
    if (!is_above) scene.ca.certificate = constrained_ca();
    const auto good = scene.grant();
    EXPECT_TRUE(check_grant(scene.realm, scene.profile, scene.ca, good, kNow).ok());
    scene.wish.sans = {san("DNS:www.example.org")};
    const auto decision = scene.decide();
    ASSERT_FALSE(decision.allowed());
    EXPECT_NE(decision.refusal().message().find("www.example.org lies outside"), std::string::npos)
        << decision.refusal().message();
    EXPECT_EQ(check_grant(scene.realm, scene.profile, scene.ca, decision.grant, kNow).error().code(), Code::PolicyRefused);
    const auto seen = lint_check(scene.realm, scene.profile, scene.ca, decision.grant);
    EXPECT_FALSE(seen.passed);
    EXPECT_NE(seen.detail.find("names_within_constraints"), std::string::npos) << seen.detail;
    EXPECT_TRUE(lint_check(scene.realm, scene.profile, scene.ca, good).passed);
  }
}

TEST(Policy, NamesEverythingAtOnce) {
  Scene scene;
  scene.wish.roles = Roles();
  scene.wish.validity = days{1000};
  scene.wish.sans = {san("DNS:localhost")};
  const auto message = scene.decide().refusal().message();
  for (const auto* part : {"role", "validity", "localhost"}) EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Policy, C15_EveryBuiltInProfileMakesWhatItSays) {
  for (const auto& [profile_name, profile] : config::builtin_profiles()) {
    if (profile.is_ca) continue;  // the testing CA has path length 0
    Scene scene(profile_name.text().c_str());
    const auto tbs = x509::build_tbs(assemble(scene.realm, scene.profile, scene.ca, scene.grant()));
    ASSERT_TRUE(tbs.ok()) << profile_name.text() << tbs.error().message();
    const auto certificate = x509::testing::sign(*tbs);
    EXPECT_FALSE(certificate.is_ca()) << profile_name.text();
    EXPECT_EQ(certificate.extended_key_usage(), profile.extended_key_usage) << profile_name.text();
    EXPECT_TRUE(x509::lint_certificate(*tbs, scene.ca.algorithm, lint_context(scene.profile, scene.ca)).ok())
        << profile_name.text();
  }
}

}  // namespace
}  // namespace chancery::realm
