#include <atomic>
#include <barrier>
#include <set>
#include <thread>

#include "server/store/testing.h"

namespace chancery::store {
namespace {

constexpr int kRivals = 4;
constexpr int kRounds = 5;  ///< so few that, also on a busy disk, all rivals end before one that is unlucky gives up

/// Several connections to one database, each in a thread of its own, all off at once.
class Concurrency : public Contract {
 protected:
  template <class Act>
  void race(Act act) {
    std::barrier start(kRivals);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kRivals; ++i) {
      threads.emplace_back([&, i] {
        auto store = open_store(*backend_);
        start.arrive_and_wait();
        act(store, i);
      });
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Store, Concurrency, testing::ValuesIn(shared_backends()), backend_name);

TEST_P(Concurrency, F18_Q6_Q9_OfSeveralRevocationsOneWins) {
  const auto given = certificate_of("01");
  EXPECT_OK(store_.add_certificate(given));
  std::atomic<int> won = 0;
  std::atomic<int> lost = 0;
  race([&](Store& store, int i) {
    const auto result = store.revoke({given.serial, "superseded", kNow + std::chrono::seconds(i), "rival-" + std::to_string(i)});
    if (result.ok()) ++won;
    if (!result.ok() && result.error().code() == Code::Conflict) ++lost;
  });
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, kRivals - 1);
  EXPECT_EQ(store_.revoked_for_crl("ca", kNow)->size(), 1U);
}

TEST_P(Concurrency, I15_OfSeveralCertificatesUnderOneSerialOneWins) {
  std::atomic<int> won = 0;
  race([&](Store& store, int i) {
    auto given = certificate_of("01");
    given.der.push_back(static_cast<std::uint8_t>(i));
    const auto added = store.add_certificate(given);
    if (added.ok() && *added == Added::New) ++won;
    if (!added.ok()) {
      EXPECT_EQ(added.error().code(), Code::Exists);
    }
  });
  EXPECT_EQ(won, 1);
}

TEST_P(Concurrency, C8_Q4_CrlNumbersAreGivenOnce) {
  std::mutex mutex;
  std::set<std::uint64_t> numbers;
  race([&](Store& store, int) {
    std::uint64_t last = 0;
    for (int i = 0; i < kRounds; ++i) {
      const auto number = store.next_crl_number("ca").value();
      EXPECT_GT(number, last);
      last = number;
      const std::lock_guard lock(mutex);
      EXPECT_TRUE(numbers.insert(number).second);
    }
  });
  EXPECT_EQ(numbers.size(), std::size_t{kRivals * kRounds});
}

TEST_P(Concurrency, I20_OfSeveralClaimsOneWins) {
  const AcmeAuthorization made[] = {authorization_of("z", "a")};
  EXPECT_OK(store_.add_acme_order(order_of("o", "a"), made));
  const auto read = store_.acme_authorization("z").value();
  std::atomic<int> won = 0;
  race([&](Store& store, int i) {
    auto mine = read;
    mine.challenges = std::to_string(i);
    if (store.update_acme_authorization(mine).ok()) ++won;
  });
  EXPECT_EQ(won, 1);
}

TEST_P(Concurrency, ManyWritersAllSucceed) {
  race([&](Store& store, int i) {
    for (int n = 0; n < kRounds; ++n) {
      auto given = certificate_of("01");
      given.serial = Serial::random();
      given.requester = "rival-" + std::to_string(i);
      EXPECT_OK(store.add_certificate(given));
      EXPECT_OK(store.search({.requester = given.requester}, 5, ""));
    }
  });
  EXPECT_EQ(store_.search({}, 1000, "")->items.size(), std::size_t{kRivals * kRounds});
}

/// A database that several processes make at the same moment (every worker opens it when it first needs it).
TEST_P(Concurrency, Q14_OneNewDatabaseMadeBySeveral) {
  for (int round = 0; round < 5; ++round) {
    backend_ = GetParam().make();
    race([&](Store& store, int) { EXPECT_OK(store.search({}, 1, "")); });
  }
}

}  // namespace
}  // namespace chancery::store
