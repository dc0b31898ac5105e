#include <gtest/gtest.h>

#include "server/realm/testing.h"

/// How long certificates are valid.
namespace chancery::realm {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using testing::kNow;
using testing::Scene;
using x509::testing::at;

TEST(Policy, C11_SaysWhichValidityItWantsInDays) {
  Scene scene;
  scene.wish.validity = days{400};
  EXPECT_EQ(scene.decide().refusal().message(), "validity of 400 days, profile server allows at most 60 days");
  scene.wish.validity = days{36500};  // the CA ends before
  EXPECT_EQ(scene.decide().refusal().message(), "validity of 36500 days, profile server allows at most 60 days");
  scene.wish.validity = days{60} + seconds{1};
  EXPECT_EQ(scene.decide().refusal().message(), "validity of 60 days 1 second, profile server allows at most 60 days");
}

TEST(Policy, C11_BoundsAreInclusive) {
  Scene scene;
  scene.wish.not_before = kNow;
  scene.wish.not_after = kNow + days{60} - seconds{1};
  EXPECT_EQ(scene.grant().not_after, *scene.wish.not_after);
  scene.wish.not_after = kNow + days{60};
  EXPECT_FALSE(scene.decide().allowed());
}

TEST(Policy, C11_WhatWasAskedForIsWhatIsGranted) {
  Scene scene;
  for (const auto since : {seconds{0}, scene.realm.backdate, seconds{scene.realm.backdate + kClockSlack}, -seconds{days{30}}}) {
    scene.wish.not_before = kNow - since;
    EXPECT_EQ(scene.grant().not_before, kNow - since);
    EXPECT_TRUE(check_grant(scene.realm, scene.profile, scene.ca, scene.grant(), kNow).ok());
  }
}

TEST(Policy, C11_TheSignersClockDecides) {
  Scene scene;
  const auto grant = scene.grant();
  for (const auto later : {seconds{0}, seconds{kClockSlack}}) {
    EXPECT_TRUE(check_grant(scene.realm, scene.profile, scene.ca, grant, kNow + later).ok());
  }
  for (const auto later : {kClockSlack + seconds{1}, seconds{days{61}}}) {
    EXPECT_FALSE(check_grant(scene.realm, scene.profile, scene.ca, grant, kNow + later).ok());
  }
}

TEST(Policy, C11_WhatWasNotAskedForEndsWithTheCa) {
  Scene scene;
  scene.now = at("2055-12-20T00:00:00Z");
  EXPECT_EQ(scene.grant().not_after, at("2055-12-31T23:59:59Z"));
  scene.now = at("2026-01-01T00:01:00Z");  // and begins with it at the earliest
  EXPECT_EQ(scene.grant().not_before, at("2026-01-01T00:00:00Z"));
}

TEST(Policy, C11_TheProfilesValidityIsWhole) {
  Scene scene;
  for (const auto* now : {"2028-02-28T23:59:59Z", "2028-02-29T00:00:00Z", "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z"}) {
    scene.now = at(now);
    const auto grant = scene.grant();
    EXPECT_EQ(grant.not_before, scene.now - scene.realm.backdate) << now;
    EXPECT_EQ(grant.not_after - grant.not_before + seconds{1}, days{60}) << now;
  }
}

}  // namespace
}  // namespace chancery::realm
