#include "server/worker/key_demand.h"

#include <gtest/gtest.h>

#include "server/base/scoreboard.h"
#include "server/worker/key_source.h"
#include "server/worker/start.h"

namespace chancery::worker {
namespace {

base::KeySpec rsa(int bits) { return {base::KeySpec::Kind::Rsa, bits}; }

/// A realm whose profiles have generated keys of these kinds.
std::shared_ptr<const config::RealmConfig> realm(const char* name, const std::vector<base::KeySpec>& keys) {
  auto made = std::make_shared<config::RealmConfig>(RealmName::parse(name).value());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    config::Profile profile(ProfileName::parse("p" + std::to_string(i)).value());
    profile.key = keys[i];
    made->profiles.emplace(profile.name, profile);
  }
  return made;
}

config::Snapshot snapshot(std::vector<std::shared_ptr<const config::RealmConfig>> realms, int key_pool = 4) {
  config::Snapshot made;
  made.realms = std::move(realms);
  made.server.limits.key_pool = key_pool;
  return made;
}

TEST(KeyDemand, TheSizesOfAllRealmsTheSmallestFirst) {
  const auto demand = key_demand(snapshot({realm("a", {rsa(2048), rsa(4096), rsa(4096)}), realm("b", {rsa(3072), rsa(4096)})}));
  ASSERT_EQ(demand.kinds.size(), 3U);
  EXPECT_EQ(demand.size, 4U);
  EXPECT_EQ(demand.kinds[0].spec, rsa(2048));
  EXPECT_EQ(demand.kinds[1].spec, rsa(3072));
  EXPECT_EQ(demand.kinds[1].realms, std::vector{RealmName::parse("b").value()});
  EXPECT_EQ(demand.kinds[2].spec, rsa(4096));
  EXPECT_EQ(demand.kinds[2].realms.size(), 2U);
}

TEST(KeyDemand, NothingForKeysThatAreMadeInNoTime) {
  const base::KeySpec ed25519{base::KeySpec::Kind::Ed25519, 256};
  EXPECT_TRUE(key_demand(snapshot({realm("a", {base::KeySpec{}, ed25519})})).kinds.empty());
  EXPECT_TRUE(keymaker_part(snapshot({realm("a", {base::KeySpec{}, ed25519})})).settings.empty());
}

TEST(KeyDemand, NothingForAPoolOfZero) {
  EXPECT_TRUE(key_demand(snapshot({realm("a", {rsa(4096)})}, 0)).kinds.empty());
  EXPECT_TRUE(keymaker_part(snapshot({realm("a", {rsa(4096)})}, 0)).settings.empty());
}

TEST(KeyDemand, TooManyKindsLeaveTheSmallestOut) {
  std::vector<base::KeySpec> keys;
  for (int i = 0; i < 10; ++i) keys.push_back(rsa(2048 + 8 * i));
  const auto demand = key_demand(snapshot({realm("a", keys)}));
  EXPECT_EQ(demand.kinds.size(), base::Scoreboard::kMaxKeyKinds);
  EXPECT_EQ(demand.kinds.front().spec, rsa(2064));
  EXPECT_EQ(demand.left_out, (std::vector{rsa(2056), rsa(2048)}));
}

TEST(KeyDemand, TheKeymakersPartChangesWithSizeKindsAndRealmsOnly) {
  const auto before = keymaker_part(snapshot({realm("a", {rsa(4096)})})).settings;
  EXPECT_EQ(before, "4\nrsa:4096 a");
  EXPECT_EQ(keymaker_part(snapshot({realm("a", {rsa(4096), rsa(4096), base::KeySpec{}})})).settings, before);
  EXPECT_EQ(keymaker_part(snapshot({realm("a", {rsa(4096)}), realm("b", {base::KeySpec{}})})).settings, before);
  EXPECT_NE(keymaker_part(snapshot({realm("a", {rsa(4096)})}, 5)).settings, before);
  EXPECT_NE(keymaker_part(snapshot({realm("a", {rsa(3072)})})).settings, before);
  EXPECT_NE(keymaker_part(snapshot({realm("a", {rsa(4096)}), realm("b", {rsa(4096)})})).settings, before);
}

TEST(KeyAsk, IsRealmPassAndKind) {
  const auto ask = read_ask("default 0123 rsa:4096");
  ASSERT_TRUE(ask.ok());
  EXPECT_EQ(ask->realm.text(), "default");
  EXPECT_EQ(ask->pass, "0123");
  EXPECT_EQ(ask->spec, rsa(4096));
}

TEST(KeyAsk, RefusesEverythingElse) {
  for (const char* line : {"", "default", "default 0123", "default 0123 rsa:4096 more", "default 0123 rsa:1024",
                           "default 0123 dsa", "../x 0123 rsa:4096", " 0123 rsa:4096", "default 0123  rsa:4096"}) {
    EXPECT_FALSE(read_ask(line).ok()) << line;
  }
}

}  // namespace
}  // namespace chancery::worker
