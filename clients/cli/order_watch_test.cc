#include "clients/cli/order_watch.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace chancery::cli {
namespace {

/// A realm whose orders are as a test wants them, newest first.
struct FakeRealm {
  struct Order {
    std::string id, status;
    std::vector<std::string> story;
    std::string error;
  };
  std::vector<Order> orders;
  std::vector<std::string> asked;
  std::optional<Error> failure;

  Result<Json> call(std::string_view command, const Json& params) {
    asked.emplace_back(command);
    if (failure) return *failure;
    return command == "acme.orders" ? page(params) : show(params.text("order"));
  }

 private:
  Json page(const Json& params) const {
    const auto begin = params.text("after").empty() ? 0 : std::stoul(params.text("after"));
    const auto end = std::min(orders.size(), begin + static_cast<std::size_t>(params.integer("limit")));
    Json rows = Json::array();
    for (auto i = begin; i < end; ++i)
      rows.push_back(Json::object({{"id", orders[i].id}, {"account", "alice"}, {"status", orders[i].status}}));
    auto out = Json::object({{"orders", std::move(rows)}});
    if (end < orders.size()) out.set("next", std::to_string(end));
    return out;
  }
  Result<Json> show(const std::string& id) const {
    const auto found = std::ranges::find(orders, id, &Order::id);
    if (found == orders.end()) return Error(Code::NotFound, "no such order");
    Json story = Json::array();
    for (const auto& line : found->story) story.push_back(Json::object({{"at", "12:00"}, {"what", line}}));
    auto out = Json::object({{"status", found->status}, {"story", std::move(story)}});
    if (!found->error.empty()) out.set("error", Json::object({{"detail", found->error}}));
    return out;
  }
};

class Watch : public ::testing::Test {
 protected:
  std::vector<std::string> look() {
    std::vector<std::string> lines;
    const auto happened = watch_.look().value();
    for (const auto& one : happened) lines.push_back(one.text("order") + ": " + one.text("what"));
    return lines;
  }
  FakeRealm realm_;
  OrderWatch watch_{[this](std::string_view command, const Json& params) { return realm_.call(command, params); }};
};
using Lines = std::vector<std::string>;

TEST_F(Watch, WhatWasThereBeforeIsNoNews) {
  realm_.orders = {{"b", "pending", {"made"}}, {"a", "valid", {"made", "issued"}}};
  EXPECT_EQ(look(), Lines{});
  EXPECT_EQ(look(), Lines{});
}

TEST_F(Watch, ANewOrderIsToldFromItsBeginning) {
  look();
  realm_.orders = {{"a", "pending", {"made"}}};
  EXPECT_EQ(look(), Lines{"a: made"});
  EXPECT_EQ(look(), Lines{});
}

TEST_F(Watch, AnOrderIsFollowedToItsEnd) {
  realm_.orders = {{"a", "pending", {"made"}}};
  look();
  realm_.orders[0].story.emplace_back("proved");
  EXPECT_EQ(look(), Lines{"a: proved"});
  realm_.orders[0].status = "valid";
  realm_.orders[0].story.emplace_back("issued");
  EXPECT_EQ(look(), (Lines{"a: issued", "a: the order is valid"}));
}

TEST_F(Watch, AnInvalidOrderSaysWhy) {
  look();
  realm_.orders = {{"a", "invalid", {"made"}, "no such name"}};
  EXPECT_EQ(look(), (Lines{"a: made", "a: the order is invalid: no such name"}));
}

TEST_F(Watch, OrdersComeOldestFirst) {
  look();
  realm_.orders = {{"b", "pending", {"made"}}, {"a", "pending", {"made"}}};
  EXPECT_EQ(look(), (Lines{"a: made", "b: made"}));
}

TEST_F(Watch, WhatIsSettledIsNotAskedForAgain) {
  realm_.orders = {{"a", "valid", {"made"}}};
  look();
  realm_.asked.clear();
  look();
  EXPECT_EQ(realm_.asked, std::vector<std::string>{"acme.orders"});
}

TEST_F(Watch, MoreThanAPageOfNewOrdersIsSeen) {
  look();
  for (int i = 0; i < 250; ++i) realm_.orders.push_back({"o" + std::to_string(i), "pending", {"made"}});
  EXPECT_EQ(look().size(), 250);
}

TEST_F(Watch, APurgedOrderIsForgotten) {
  realm_.orders = {{"a", "pending", {"made"}}};
  look();
  realm_.orders.clear();
  EXPECT_EQ(look(), Lines{});
}

TEST_F(Watch, AFailureLosesNothing) {
  look();
  realm_.orders = {{"a", "pending", {"made"}}};
  realm_.failure = Error(Code::Unavailable, "restarting");
  EXPECT_EQ(watch_.look().error().code(), Code::Unavailable);
  realm_.failure.reset();
  EXPECT_EQ(look(), Lines{"a: made"});
}

TEST_F(Watch, AnAnswerWithoutOrdersIsRefused) {
  OrderWatch odd([](std::string_view, const Json&) { return Result<Json>(Json::object()); });
  EXPECT_EQ(odd.look().error().code(), Code::Malformed);
}

}  // namespace
}  // namespace chancery::cli
