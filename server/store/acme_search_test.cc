#include <algorithm>
#include <chrono>

#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::hours;
using Names = std::vector<std::string>;

class AcmeSearch : public Contract {
 protected:
  void add_order(const std::string& id, const std::string& account, hours age, const std::string& status = "valid") {
    auto order = order_of(id, account);
    order.status = status;
    order.authorizations.clear();
    order.created_at = kNow - age;
    EXPECT_OK(store_.add_acme_order(order, {}));
  }
  void add_authorization(const std::string& id, const std::string& account, hours age, const std::string& status = "valid") {
    auto one = authorization_of(id, account);
    one.status = status;
    one.created_at = kNow - age;
    auto order = order_of("order-" + id, account);
    EXPECT_OK(store_.add_acme_order(order, std::span(&one, 1)));
  }
  /// Ids of all pages of that size.
  Names orders(const AcmeFilter& filter, std::size_t limit = 2) {
    return walk([&](const std::string& after) { return store_.search_acme_orders(filter, limit, after).value(); });
  }
  Names authorizations(const AcmeFilter& filter, std::size_t limit = 2) {
    return walk([&](const std::string& after) { return store_.search_acme_authorizations(filter, limit, after).value(); });
  }

 private:
  template <class Fetch>
  static Names walk(Fetch fetch) {
    Names ids;
    std::string after;
    do {
      const auto page = fetch(after);
      for (const auto& one : page.items) ids.push_back(one.id);
      after = page.next;
    } while (!after.empty());
    return ids;
  }
};
INSTANTIATE_TEST_SUITE_P(Store, AcmeSearch, testing::ValuesIn(all_backends()), backend_name);

TEST_P(AcmeSearch, OrdersAreFoundNewestFirst) {
  add_order("old", "a", hours(3));
  add_order("new", "b", hours(1), "ready");
  add_order("middle", "a", hours(2), "invalid");
  EXPECT_EQ(orders({.now = kNow}), (Names{"new", "middle", "old"}));
  EXPECT_EQ(orders({.now = kNow}, 1), (Names{"new", "middle", "old"}));
  EXPECT_EQ(orders({.account = "a", .now = kNow}, 1), (Names{"middle", "old"}));
  EXPECT_EQ(orders({.status = "ready", .now = kNow}), Names{"new"});
  EXPECT_EQ(orders({.account = "a", .status = "valid", .now = kNow}), Names{"old"});
  EXPECT_EQ(orders({.account = "a", .status = "ready", .now = kNow}), Names{});
  EXPECT_EQ(orders({.account = "c", .now = kNow}), Names{});
}

TEST_P(AcmeSearch, AnOrderThatHasExpiredIsInvalid) {
  add_order("o", "a", hours(1), "pending");
  EXPECT_EQ(orders({.status = "pending", .now = kNow}), Names{"o"});
  EXPECT_EQ(orders({.status = "invalid", .now = kNow + hours(24 * 30)}), Names{"o"});
  EXPECT_EQ(orders({.status = "pending", .now = kNow + hours(24 * 30)}), Names{});
}

TEST_P(AcmeSearch, AuthorizationsOfAnAccountAreFoundNewestFirst) {
  add_authorization("old", "a", hours(3), "pending");
  add_authorization("new", "a", hours(1));
  add_authorization("middle", "a", hours(2), "invalid");
  add_authorization("other", "b", hours(1));
  EXPECT_EQ(authorizations({.account = "a", .now = kNow}), (Names{"new", "middle", "old"}));
  EXPECT_EQ(authorizations({.account = "a", .now = kNow}, 1), (Names{"new", "middle", "old"}));
  EXPECT_EQ(authorizations({.account = "a", .status = "pending", .now = kNow}, 1), Names{"old"});
  EXPECT_EQ(authorizations({.account = "a", .status = "expired", .now = kNow + hours(24 * 30)}), (Names{"new", "old"}));
  EXPECT_EQ(authorizations({.account = "a", .status = "revoked", .now = kNow}), Names{});
}

TEST_P(AcmeSearch, AllAuthorizationsAreFound) {
  for (const auto* id : {"x", "y", "z"}) add_authorization(id, id, hours(1));
  EXPECT_EQ(authorizations({.now = kNow}), (Names{"x", "y", "z"}));
  EXPECT_EQ(authorizations({.status = "pending", .now = kNow}), Names{});
}

TEST_P(AcmeSearch, ManyRowsThatDoNotMatchEndAPage) {
  add_order("wanted", "a", hours(5), "ready");
  for (int i = 0; i < 600; ++i) add_order("o" + std::to_string(i), "a", hours(1));
  EXPECT_EQ(orders({.status = "ready", .now = kNow}), Names{"wanted"});
}

// ----- replacements (RFC 9773 5)

class AcmeReplacements : public Contract {
 protected:
  Status add(const std::string& id, const std::string& status = "pending", Seconds at = kNow) {
    auto order = order_of(id, "a");
    order.status = status;
    order.authorizations.clear();
    order.created_at = at;
    order.replaces = "key.serial";
    return store_.add_acme_order(order, {});
  }
};
INSTANTIATE_TEST_SUITE_P(Store, AcmeReplacements, testing::ValuesIn(all_backends()), backend_name);

TEST_P(AcmeReplacements, ACertificateIsReplacedOnce) {
  EXPECT_OK(add("one"));
  EXPECT_EQ(store_.acme_order("one")->replaces, "key.serial");
  EXPECT_EQ(code_of(add("two")), Code::Exists);
  EXPECT_EQ(code_of(store_.acme_order("two")), Code::NotFound);
}

TEST_P(AcmeReplacements, AnOrderThatCameToNothingStandsInNobodysWay) {
  EXPECT_OK(add("one", "invalid"));
  EXPECT_OK(add("two"));
  EXPECT_EQ(store_.acme_order("one")->replaces, "");
  EXPECT_OK(add("late", "pending", kNow + hours(24 * 8)));  // "two" has expired
  EXPECT_EQ(store_.purge_acme(kNow + hours(24 * 60), 10).value(), 3);
  EXPECT_OK(add("after", "pending"));
}

TEST_P(AcmeSearch, WhatIsNoKeyOfAPageIsRefused) {
  EXPECT_EQ(code_of(store_.search_acme_orders({}, 1, "x")), Code::InvalidParams);
  EXPECT_EQ(code_of(store_.search_acme_authorizations({.account = "a"}, 1, "x")), Code::InvalidParams);
}

}  // namespace
}  // namespace chancery::store
