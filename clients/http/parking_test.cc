#include "clients/http/parking.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace chancery::http {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Later, IsHeardOnceWhicheverComesSecond) {
  for (const bool value_first : {true, false}) {
    Later<int> later;
    std::vector<int> heard;
    if (value_first) later.set(7);
    later.then([&](int value) { heard.push_back(value); });
    if (!value_first) later.set(7);
    EXPECT_EQ(heard, std::vector{7}) << value_first;
  }
}

TEST(Later, IsNotHeardWithoutAValue) {
  Later<int> later;
  bool heard = false;
  later.then([&](int) { heard = true; });
  EXPECT_FALSE(heard);
}

/// A loop that runs until so many answers were given.
class ParkingTest : public testing::Test {
 protected:
  struct Given {
    std::uint64_t connection;
    std::string body;
    bool is_better;
    bool operator==(const Given&) const = default;
  };

  Parking& parking(milliseconds longest = hours{1}) {
    parked = std::make_unique<Parking>(
        loop,
        [this](std::uint64_t connection, const Match&, const Response& response, bool is_better) {
          given.push_back({connection, response.body, is_better});
          if (given.size() == awaited) loop.stop();
        },
        longest);
    return *parked;
  }
  /// An answer at hand, and what gives a better one.
  Response worth_waiting(std::shared_ptr<Later<std::string>> better) {
    auto response = content(200, "text/plain", "at hand");
    response.wait_for_better = [better](const TakeAnswer& take) {
      better->then([take](std::string body) { take(content(200, "text/plain", std::move(body))); });
    };
    return response;
  }
  std::shared_ptr<Later<std::string>> park(std::uint64_t connection) {
    auto better = std::make_shared<Later<std::string>>();
    parked->park(connection, std::make_shared<Match>(), worth_waiting(better));
    return better;
  }
  /// Runs whatever was posted before this.
  void run_posted() {
    loop.post([this] { loop.stop(); });
    loop.run();
  }

  Loop loop;
  std::unique_ptr<Parking> parked;
  std::vector<Given> given;
  std::size_t awaited = 1;
};

TEST_F(ParkingTest, GivesTheBetterAnswerFromAnyThread) {
  parking();
  const auto better = park(3);
  std::jthread other([&] { better->set("better"); });
  loop.run();
  EXPECT_EQ(given, (std::vector<Given>{{3, "better", true}}));
}

TEST_F(ParkingTest, GivesABetterAnswerThatWasThereBefore) {
  parking();
  const auto better = std::make_shared<Later<std::string>>();
  better->set("better");
  parked->park(3, std::make_shared<Match>(), worth_waiting(better));
  loop.run();
  EXPECT_EQ(given, (std::vector<Given>{{3, "better", true}}));
}

TEST_F(ParkingTest, GivesWhatIsAtHandWhereNoneComesInTime) {
  parking(milliseconds{1});
  const auto better = park(3);
  loop.run();
  EXPECT_EQ(given, (std::vector<Given>{{3, "at hand", false}}));
  better->set("too late");
  run_posted();
  EXPECT_EQ(given.size(), 1U);
}

TEST_F(ParkingTest, ALateAnswerIsNotForTheNextRequest) {
  parking();
  const auto first = park(3);
  parked->forget(3);
  const auto second = park(3);
  first->set("of the first");
  run_posted();
  EXPECT_TRUE(given.empty());
  second->set("of the second");
  loop.run();
  EXPECT_EQ(given, (std::vector<Given>{{3, "of the second", true}}));
}

TEST_F(ParkingTest, WhoHasGoneGetsNothing) {
  parking();
  const auto gone = park(3);
  const auto here = park(4);
  parked->forget(3);
  gone->set("for nobody");
  here->set("better");
  loop.run();
  run_posted();
  EXPECT_EQ(given, (std::vector<Given>{{4, "better", true}}));
}

TEST_F(ParkingTest, NobodyIsToldOnceItHasEnded) {
  parking();
  const auto better = park(3);
  parked.reset();
  better->set("too late");
  run_posted();
  EXPECT_TRUE(given.empty());
}

}  // namespace
}  // namespace chancery::http
