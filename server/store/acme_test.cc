#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::days;

class Acme : public Contract {};
INSTANTIATE_TEST_SUITE_P(Store, Acme, testing::ValuesIn(all_backends()), backend_name);

TEST_P(Acme, AnAccountComesBackAsItWas) {
  const auto given = account_of("a");
  EXPECT_OK(store_.add_acme_account(given));
  const auto account = store_.acme_account("a").value();
  EXPECT_EQ(account.thumbprint, given.thumbprint);
  EXPECT_EQ(account.jwk, given.jwk);
  EXPECT_EQ(account.status, "valid");
  EXPECT_TRUE(account.terms_agreed);
  EXPECT_EQ(account.created_at, kNow);
  EXPECT_EQ(store_.find_acme_account_by_thumbprint(given.thumbprint).value()->id, "a");
  EXPECT_FALSE(store_.find_acme_account_by_thumbprint("other").value());
  EXPECT_EQ(code_of(store_.acme_account("b")), Code::NotFound);
}

TEST_P(Acme, AKeyHasOneAccount) {
  EXPECT_OK(store_.add_acme_account(account_of("a")));
  EXPECT_EQ(code_of(store_.add_acme_account(account_of("a"))), Code::Exists);
  auto other = account_of("b");
  other.thumbprint = "thumbprint-a";
  EXPECT_EQ(code_of(store_.add_acme_account(other)), Code::Exists);
  other.thumbprint = "thumbprint-b";
  EXPECT_OK(store_.add_acme_account(other));
  other.thumbprint = "thumbprint-a";
  EXPECT_EQ(code_of(store_.update_acme_account(other)), Code::Exists);
  EXPECT_EQ(store_.acme_account("b")->thumbprint, "thumbprint-b");
}

TEST_P(Acme, AnAccountKeepsWhatItAgreedTo) {
  auto account = account_of("a");
  account.terms = "https://ca.example.net/terms/1";
  EXPECT_OK(store_.add_acme_account(account));
  account = store_.acme_account("a").value();
  EXPECT_EQ(account.terms, "https://ca.example.net/terms/1");
  account.terms = "https://ca.example.net/terms/2";
  EXPECT_OK(store_.update_acme_account(account));
  EXPECT_EQ(store_.acme_account("a")->terms, "https://ca.example.net/terms/2");
}

TEST_P(Acme, AnOrderKeepsWhereItWasAskedForFrom) {
  AcmeOrder order{.id = "o", .account = "a", .status = "pending", .identifiers = "[]", .expires = kNow, .created_at = kNow};
  order.asked_from = "10.0.0.7";
  EXPECT_OK(store_.add_acme_order(order, {}));
  EXPECT_EQ(store_.acme_order("o")->asked_from, "10.0.0.7");
  order.id = "p";
  order.asked_from.clear();
  EXPECT_OK(store_.add_acme_order(order, {}));
  EXPECT_EQ(store_.acme_order("p")->asked_from, "");
  EXPECT_OK(store_.purge_acme(kNow + days(1), 10));
  order.id = "o";
  EXPECT_OK(store_.add_acme_order(order, {}));
  EXPECT_EQ(store_.acme_order("o")->asked_from, "");  // what was known went with the order
}

TEST_P(Acme, AnUpdateOfWhatChangedMeanwhileIsRefused) {
  EXPECT_OK(store_.add_acme_account(account_of("a")));
  auto first = store_.acme_account("a").value();
  auto second = first;
  first.contact = R"(["mailto:a@example.com"])";
  EXPECT_OK(store_.update_acme_account(first));
  second.status = "deactivated";
  EXPECT_EQ(code_of(store_.update_acme_account(second)), Code::Conflict);
  EXPECT_EQ(store_.acme_account("a")->status, "valid");
  first.status = "deactivated";
  EXPECT_OK(store_.update_acme_account(first));  // its version rose with the update
}

TEST_P(Acme, AccountsPageOldestFirst) {
  for (const auto* id : {"c", "a", "b"}) {
    auto account = account_of(id);
    account.created_at = kNow + days(*id == 'c' ? 0 : 1);
    EXPECT_OK(store_.add_acme_account(account));
  }
  std::string order;
  std::string after;
  do {
    const auto page = store_.acme_accounts(1, after).value();
    for (const auto& account : page.items) order += account.id;
    after = page.next;
  } while (!after.empty());
  EXPECT_EQ(order, "cab");
}

TEST_P(Acme, AnOrderComesBackAsItWas) {
  auto given = order_of("o", "a");
  given.authorizations = {"z2", "z1"};
  given.not_after = kNow + days(10);
  EXPECT_OK(store_.add_acme_order(given, {}));
  const auto order = store_.acme_order("a", "o").value();
  EXPECT_EQ(order.authorizations, given.authorizations);
  EXPECT_EQ(order.identifiers, given.identifiers);
  EXPECT_EQ(order.status, "pending");
  EXPECT_FALSE(order.not_before);
  EXPECT_EQ(order.not_after, given.not_after);
  EXPECT_EQ(order.expires, given.expires);
  EXPECT_TRUE(order.csr.empty());
}

TEST_P(Acme, F50_AnotherAccountsOrderIsNotThere) {
  EXPECT_OK(store_.add_acme_order(order_of("o", "a"), {}));
  EXPECT_EQ(store_.acme_order("b", "o").error().message(), store_.acme_order("b", "nothing").error().message());
  EXPECT_EQ(code_of(store_.acme_order("b", "o")), Code::NotFound);
}

TEST_P(Acme, AnOrderAndItsAuthorizationsAreStoredTogetherOrNotAtAll) {
  const AcmeAuthorization taken[] = {authorization_of("z1", "a")};
  EXPECT_OK(store_.add_acme_order(order_of("o1", "a"), taken));
  const AcmeAuthorization both[] = {authorization_of("z2", "a"), authorization_of("z1", "a")};
  EXPECT_EQ(code_of(store_.add_acme_order(order_of("o2", "a"), both)), Code::Exists);
  EXPECT_EQ(code_of(store_.acme_order("a", "o2")), Code::NotFound);
  EXPECT_EQ(code_of(store_.acme_authorization("z2")), Code::NotFound);
}

TEST_P(Acme, F19_OfTwoUpdatesOfAnOrderOneWins) {
  EXPECT_OK(store_.add_acme_order(order_of("o", "a"), {}));
  auto first = store_.acme_order("a", "o").value();
  auto second = first;
  first.status = "processing";
  first.csr = {1, 2, 3};
  EXPECT_OK(store_.update_acme_order(first));
  second.status = "invalid";
  EXPECT_EQ(code_of(store_.update_acme_order(second)), Code::Conflict);
  first.status = "valid";
  first.serial = "01";
  EXPECT_OK(store_.update_acme_order(first));
  EXPECT_EQ(store_.acme_order("a", "o")->serial, "01");
  EXPECT_EQ(store_.acme_order("a", "o")->csr, (Bytes{1, 2, 3}));
}

TEST_P(Acme, OrdersPageNewestFirstWithoutInvalidOnes) {
  for (const auto* id : {"o1", "o2", "o3", "o4"}) {
    auto order = order_of(id, "a");
    order.created_at = kNow + std::chrono::seconds(id[1]);
    if (id[1] == '3') order.status = "invalid";
    EXPECT_OK(store_.add_acme_order(order, {}));
  }
  EXPECT_OK(store_.add_acme_order(order_of("p", "b"), {}));
  std::string ids;
  std::string after;
  do {
    const auto page = store_.acme_orders("a", 1, after).value();
    for (const auto& id : page.items) ids += id;
    after = page.next;
  } while (!after.empty());
  EXPECT_EQ(ids, "o4o2o1");
  EXPECT_EQ(code_of(store_.acme_orders("a", 1, "x")), Code::InvalidParams);
}

TEST_P(Acme, I20_OfTwoClaimsOfAnAuthorizationOneWins) {
  const AcmeAuthorization made[] = {authorization_of("z", "a")};
  EXPECT_OK(store_.add_acme_order(order_of("o", "a"), made));
  auto first = store_.acme_authorization("z").value();
  auto second = first;
  first.challenges = R"([{"claim":"1"}])";
  second.challenges = R"([{"claim":"2"}])";
  EXPECT_OK(store_.update_acme_authorization(first));
  EXPECT_EQ(code_of(store_.update_acme_authorization(second)), Code::Conflict);
  EXPECT_EQ(store_.acme_authorization("z")->challenges, first.challenges);
}

TEST_P(Acme, OnlyALastingValidAuthorizationOfTheSameNameIsReused) {
  auto one = authorization_of("z", "a");
  one.status = "valid";
  one.challenges = R"([{"status":"valid","type":"http-01"}])";
  auto longer = one;
  longer.id = "longer";
  longer.expires = kNow + days(30);
  const AcmeAuthorization made[] = {one, longer, authorization_of("pending", "a")};
  EXPECT_OK(store_.add_acme_order(order_of("o", "a"), made));
  EXPECT_EQ(store_.find_valid_acme_authorization(one, kNow).value()->id, "longer");
  EXPECT_FALSE(store_.find_valid_acme_authorization(one, kNow + days(30)).value());
  const std::pair<const char*, const char*> no_proofs[] = {{"unproven", "[]"},
                                                           {"granted", R"([{"type":"policy","status":"valid","vouched":true}])"}};
  for (const auto& [id, challenges] : no_proofs) {  // they hold for their own order alone
    auto given = authorization_of(id, "a");
    given.status = "valid";
    given.expires = kNow + days(40);
    given.challenges = challenges;
    EXPECT_OK(store_.add_acme_authorization(given));
  }
  EXPECT_EQ(store_.find_valid_acme_authorization(one, kNow).value()->id, "longer");
  auto other = one;
  other.wildcard = true;
  EXPECT_FALSE(store_.find_valid_acme_authorization(other, kNow).value());
  other = one;
  other.account = "b";
  EXPECT_FALSE(store_.find_valid_acme_authorization(other, kNow).value());
  other = one;
  other.value = "b.example.com";
  EXPECT_FALSE(store_.find_valid_acme_authorization(other, kNow).value());
  other = one;
  other.type = "ip";
  EXPECT_FALSE(store_.find_valid_acme_authorization(other, kNow).value());
}

TEST_P(Acme, I28_Q15_WhatEndedIsForgottenInBatches) {
  for (const auto* id : {"o1", "o2", "o3"}) {
    const AcmeAuthorization made[] = {authorization_of(std::string("z") + id, "a")};
    EXPECT_OK(store_.add_acme_order(order_of(id, "a"), made));
  }
  auto young = order_of("young", "a");
  young.expires = kNow + days(100);
  EXPECT_OK(store_.add_acme_order(young, {}));
  EXPECT_EQ(store_.purge_acme(kNow, 10).value(), 0);
  EXPECT_EQ(store_.purge_acme(kNow + days(50), 2).value(), 4);
  EXPECT_EQ(store_.purge_acme(kNow + days(50), 2).value(), 2);
  EXPECT_EQ(store_.purge_acme(kNow + days(50), 2).value(), 0);
  EXPECT_OK(store_.acme_order("a", "young"));
}

TEST_P(Acme, AnOrderTakesItsAuthorizationsOneAfterTheOther) {
  auto order = order_of("o", "a");
  order.authorizations.clear();
  EXPECT_OK(store_.add_acme_order(order, {}));
  auto stored = store_.acme_order("o").value();
  EXPECT_EQ(stored.account, "a");
  auto stale = stored;
  const auto authorization = authorization_of("z", "a");
  stored.authorizations = {"z"};
  stored.profile = "webapp";
  EXPECT_OK(store_.add_acme_authorization(stored, authorization));
  const auto now = store_.acme_order("a", "o").value();
  EXPECT_EQ(now.authorizations, std::vector<std::string>{"z"});
  EXPECT_EQ(now.profile, "webapp");
  EXPECT_EQ(store_.acme_authorization("z")->account, "a");
  EXPECT_EQ(code_of(store_.acme_order("nobody")), Code::NotFound);

  // Neither half without the other.
  stored.authorizations = {"z", "z"};
  EXPECT_EQ(code_of(store_.add_acme_authorization(stored, authorization)), Code::Exists);
  stale.authorizations = {"y"};
  EXPECT_EQ(code_of(store_.add_acme_authorization(stale, authorization_of("y", "a"))), Code::Conflict);
  EXPECT_EQ(code_of(store_.acme_authorization("y")), Code::NotFound);
  EXPECT_EQ(store_.acme_order("o")->authorizations, std::vector<std::string>{"z"});
}

}  // namespace
}  // namespace chancery::store
