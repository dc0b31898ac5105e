#include "server/store/testing.h"

namespace chancery::store {
namespace {

constexpr std::chrono::hours kDay{24};

class OwnRenewals : public Contract {
 protected:
  /// @return when the one was that stands in the way; none: it was noted.
  std::optional<Seconds> take(const std::string& names, std::chrono::minutes later, std::size_t most = 2) {
    const auto at = kNow + later;
    return store_.take_own_renewal({names, std::to_string(++last_id_), at}, at - kDay, most).value();
  }
  int last_id_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Store, OwnRenewals, testing::ValuesIn(all_backends()), backend_name);

TEST_P(OwnRenewals, AreAsManyAsTheyMay) {
  using std::chrono::minutes;
  EXPECT_FALSE(take("a", minutes{0}));
  EXPECT_FALSE(take("a", minutes{0}));  // in the same second
  EXPECT_EQ(take("a", minutes{1}), kNow);
  EXPECT_FALSE(take("b", minutes{1}));
  EXPECT_EQ(take("a", kDay - minutes{1}), kNow);
  EXPECT_FALSE(take("a", kDay));
  EXPECT_FALSE(take("a", kDay));
  EXPECT_EQ(take("a", kDay + minutes{1}), kNow + kDay);
}

TEST_P(OwnRenewals, TheOneThatStandsInTheWayIsTheOldestOfTheLatest) {
  using std::chrono::minutes;
  for (const auto later : {1, 2, 3}) EXPECT_FALSE(take("a", minutes{later}, 3));
  EXPECT_EQ(take("a", minutes{4}, 3), kNow + minutes{1});
  EXPECT_EQ(take("a", minutes{4}, 2), kNow + minutes{2});  // the realm allows less than before
  EXPECT_EQ(take("a", minutes{4}, 1), kNow + minutes{3});
}

TEST_P(OwnRenewals, WhatIsGivenBackWasNone) {
  const OwnRenewal one{"a", "1", kNow};
  EXPECT_FALSE(store_.take_own_renewal(one, kNow - kDay, 1).value());
  EXPECT_OK(store_.give_back_own_renewal({"a", "2", kNow}));
  EXPECT_OK(store_.give_back_own_renewal({"b", "1", kNow}));
  EXPECT_TRUE(take("a", std::chrono::minutes{1}, 1));
  EXPECT_OK(store_.give_back_own_renewal(one));
  EXPECT_FALSE(take("a", std::chrono::minutes{1}, 1));
}

TEST_P(OwnRenewals, EndedOnesAreForgotten) {
  for (const auto* names : {"a", "b", "c"}) EXPECT_FALSE(take(names, std::chrono::minutes{0}, 1));
  EXPECT_FALSE(take("d", std::chrono::minutes{1}, 1));
  EXPECT_OK(store_.purge_own_renewals(kNow, 2));
  int left = 0;
  for (const auto* names : {"a", "b", "c"}) left += take(names, std::chrono::minutes{2}, 1) ? 1 : 0;
  EXPECT_EQ(left, 1);
  EXPECT_OK(store_.purge_own_renewals(kNow, 2));
  EXPECT_TRUE(take("d", std::chrono::minutes{2}, 1));
}

}  // namespace
}  // namespace chancery::store
