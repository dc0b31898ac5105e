#include "server/store/testing.h"

namespace chancery::store {
namespace {

class Seeds : public Contract {};
INSTANTIATE_TEST_SUITE_P(Store, Seeds, testing::ValuesIn(all_backends()), backend_name);

SeedRecord seed_of(const std::string& id, std::int64_t uses = 1) {
  return {.id = id,
          .digest = std::string(64, 'a'),
          .profile = "ra",
          .cn = "node",
          .uses_left = uses,
          .used = 0,
          .expires_at = kNow + std::chrono::hours{1},
          .created_at = kNow,
          .created_by = "unix:alice"};
}

TEST_P(Seeds, ComeBackAsTheyWere) {
  EXPECT_OK(store_.add_seed(seed_of("01", 2)));
  const auto seed = store_.seed("01").value();
  EXPECT_EQ(seed.id, "01");
  EXPECT_EQ(seed.digest, std::string(64, 'a'));
  EXPECT_EQ(seed.profile, "ra");
  EXPECT_EQ(seed.cn, "node");
  EXPECT_EQ(seed.uses_left, 2);
  EXPECT_EQ(seed.used, 0);
  EXPECT_EQ(seed.expires_at, kNow + std::chrono::hours{1});
  EXPECT_EQ(seed.created_at, kNow);
  EXPECT_EQ(seed.created_by, "unix:alice");
  EXPECT_EQ(code_of(store_.add_seed(seed_of("01"))), Code::Exists);
  EXPECT_EQ(code_of(store_.seed("02")), Code::NotFound);
}

TEST_P(Seeds, AreTakenAsOftenAsTheyMay) {
  EXPECT_OK(store_.add_seed(seed_of("01", 2)));
  EXPECT_TRUE(store_.take_seed("01", kNow).value());
  EXPECT_TRUE(store_.take_seed("01", kNow).value());
  EXPECT_FALSE(store_.take_seed("01", kNow).value());
  EXPECT_OK(store_.give_back_seed("01"));
  EXPECT_EQ(store_.seed("01")->uses_left, 1);
  EXPECT_TRUE(store_.take_seed("01", kNow).value());
  EXPECT_EQ(store_.seed("01")->used, 2);
  EXPECT_FALSE(store_.take_seed("02", kNow).value());
}

TEST_P(Seeds, NobodyGetsMoreBackThanWasTaken) {
  EXPECT_OK(store_.add_seed(seed_of("01")));
  EXPECT_OK(store_.give_back_seed("01"));
  EXPECT_OK(store_.give_back_seed("02"));
  EXPECT_EQ(store_.seed("01")->uses_left, 1);
}

TEST_P(Seeds, EndWithTheirTime) {
  EXPECT_OK(store_.add_seed(seed_of("01")));
  EXPECT_FALSE(store_.take_seed("01", kNow + std::chrono::hours{1}).value());
  EXPECT_TRUE(store_.take_seed("01", kNow + std::chrono::minutes{59}).value());
}

TEST_P(Seeds, ArePagedForgottenAndPurged) {
  for (const auto* id : {"01", "02", "03"}) EXPECT_OK(store_.add_seed(seed_of(id)));
  const auto first = store_.seeds(2, "").value();
  ASSERT_EQ(first.items.size(), 2U);
  EXPECT_EQ(store_.seeds(2, first.next)->items.at(0).id, "03");
  EXPECT_OK(store_.delete_seed("02"));
  EXPECT_EQ(code_of(store_.delete_seed("02")), Code::NotFound);
  EXPECT_FALSE(store_.take_seed("02", kNow).value());
  auto old = seed_of("04");
  old.expires_at = kNow - std::chrono::hours{1};
  EXPECT_OK(store_.add_seed(old));
  EXPECT_OK(store_.purge_seeds(kNow, 10));
  EXPECT_EQ(code_of(store_.seed("04")), Code::NotFound);
  EXPECT_OK(store_.seed("01"));
}

}  // namespace
}  // namespace chancery::store
