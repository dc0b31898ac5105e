#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/realm/policy.h"
#include "server/x509/testing.h"

/// A realm and what is asked of it: what the tests of decisions share.
namespace chancery::realm::testing {

inline const Seconds kNow = x509::testing::at("2026-06-01T00:00:00Z");

/// With the built-in profiles, which are another room's: policy_test.cc makes it.
config::RealmConfig new_realm();
inline Authority authority() { return {x509::testing::ca(), {}, x509::testing::kAlgorithm}; }
inline x509::Name name(const char* slash) { return x509::Name::from_slash(slash).value(); }
inline x509::GeneralName san(const char* text) { return x509::GeneralName::parse(text).value(); }
inline crypto::PublicKey fresh_key(const char* kind = "ec:P-256") {
  return crypto::PrivateKey::generate(base::parse_key_spec(kind).value())->public_key();
}

/// A realm, one of its profiles, and what somebody asks of it; a case changes one thing.
struct Scene {
  config::RealmConfig realm = new_realm();
  config::Profile profile;
  Authority ca = authority();
  Wish wish;
  Seconds now = kNow;

  explicit Scene(const char* profile_name = "server") : profile(realm.profiles.at(ProfileName::parse(profile_name).value())) {
    wish.subject = name("/CN=www.example.com");
    static const auto kKey = fresh_key();
    wish.key = kKey;
    wish.roles = Roles{config::holders_role(profile) ? kMakesHolders : Role::RaOperator};
  }
  Decision decide() {
    wish.profile = &profile;
    return realm::decide(realm, ca, wish, now, Serial::random());
  }
  Grant grant() {
    const auto decision = decide();
    EXPECT_TRUE(decision.allowed()) << (decision.allowed() ? "" : decision.refusal().message());
    return decision.grant;
  }
};

inline std::vector<std::string> texts(const std::vector<x509::GeneralName>& names) {
  std::vector<std::string> out;
  for (const auto& one : names) out.push_back(one.to_text());
  return out;
}

}  // namespace chancery::realm::testing
