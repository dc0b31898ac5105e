#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::hours;

class AcmeBindings : public Contract {};
INSTANTIATE_TEST_SUITE_P(Store, AcmeBindings, testing::ValuesIn(all_backends()), backend_name);

AcmeEab eab_of(const std::string& kid) {
  return {.kid = kid, .mac_key = "a2V5", .label = "team", .policy = "web", .created_at = kNow, .created_by = "unix:alice"};
}

TEST_P(AcmeBindings, AKeyComesBackAsItWas) {
  auto given = eab_of("k");
  EXPECT_OK(store_.add_acme_eab(given));
  const auto key = store_.acme_eab("k").value();
  EXPECT_EQ(key.mac_key, "a2V5");
  EXPECT_EQ(key.label, "team");
  EXPECT_EQ(key.policy, "web");
  EXPECT_FALSE(key.uses_left);
  EXPECT_EQ(key.used, 0);
  EXPECT_FALSE(key.expires_at);
  EXPECT_EQ(key.created_at, kNow);
  EXPECT_EQ(key.created_by, "unix:alice");
  EXPECT_EQ(code_of(store_.add_acme_eab(given)), Code::Exists);
  given.kid = "other";
  given.uses_left = 1;
  given.expires_at = kNow + hours(1);
  EXPECT_OK(store_.add_acme_eab(given));
  EXPECT_EQ(store_.acme_eab("other")->uses_left, 1);
  EXPECT_EQ(store_.acme_eab("other")->expires_at, kNow + hours(1));
  EXPECT_EQ(code_of(store_.acme_eab("none")), Code::NotFound);
}

TEST_P(AcmeBindings, KeysAreListedAndDeleted) {
  for (const auto* kid : {"a", "b", "c"}) EXPECT_OK(store_.add_acme_eab(eab_of(kid)));
  const auto first = store_.acme_eabs(2, "").value();
  ASSERT_EQ(first.items.size(), 2U);
  EXPECT_EQ(first.next, "b");
  const auto second = store_.acme_eabs(2, first.next).value();
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items.front().kid, "c");
  EXPECT_EQ(second.next, "");
  EXPECT_OK(store_.delete_acme_eab("a"));
  EXPECT_EQ(code_of(store_.delete_acme_eab("a")), Code::NotFound);
}

TEST_P(AcmeBindings, OnlyKeysThatEndedArePurged) {
  auto mortal = eab_of("mortal");
  mortal.expires_at = kNow;
  EXPECT_OK(store_.add_acme_eab(mortal));
  EXPECT_OK(store_.add_acme_eab(eab_of("immortal")));
  EXPECT_OK(store_.purge_acme_eabs(kNow, 10));
  EXPECT_OK(store_.acme_eab("mortal"));
  EXPECT_OK(store_.purge_acme_eabs(kNow + hours(1), 10));
  EXPECT_EQ(code_of(store_.acme_eab("mortal")), Code::NotFound);
  EXPECT_OK(store_.acme_eab("immortal"));
}

TEST_P(AcmeBindings, AKeyBindsAsManyAccountsAsItMay) {
  auto key = eab_of("k");
  key.uses_left = 1;
  EXPECT_OK(store_.add_acme_eab(key));
  EXPECT_OK(store_.add_bound_acme_account(account_of("a"), {"a", "k", "web"}, kNow));
  EXPECT_EQ(store_.acme_eab("k")->uses_left, 0);
  EXPECT_EQ(store_.acme_eab("k")->used, 1);
  EXPECT_EQ(code_of(store_.add_bound_acme_account(account_of("b"), {"b", "k", "web"}, kNow)), Code::Denied);
  EXPECT_EQ(code_of(store_.acme_account("b")), Code::NotFound);
  EXPECT_EQ(code_of(store_.add_bound_acme_account(account_of("b"), {"b", "none", ""}, kNow)), Code::Denied);
}

TEST_P(AcmeBindings, AnExpiredKeyBindsNobody) {
  auto key = eab_of("k");
  key.expires_at = kNow;
  EXPECT_OK(store_.add_acme_eab(key));
  EXPECT_EQ(code_of(store_.add_bound_acme_account(account_of("a"), {"a", "k", ""}, kNow)), Code::Denied);
  EXPECT_OK(store_.add_bound_acme_account(account_of("a"), {"a", "k", ""}, kNow - hours(1)));
}

TEST_P(AcmeBindings, AnAccountThatIsThereTakesNoUse) {
  auto key = eab_of("k");
  key.uses_left = 2;
  EXPECT_OK(store_.add_acme_eab(key));
  EXPECT_OK(store_.add_acme_account(account_of("a")));
  EXPECT_EQ(code_of(store_.add_bound_acme_account(account_of("a"), {"a", "k", ""}, kNow)), Code::Exists);
  EXPECT_EQ(store_.acme_eab("k")->uses_left, 2);
  EXPECT_EQ(store_.acme_binding("a")->eab, "");
}

TEST_P(AcmeBindings, AccountsAreFoundByTheirKey) {
  EXPECT_OK(store_.add_acme_eab(eab_of("k")));
  for (const auto* id : {"a", "b", "c"}) EXPECT_OK(store_.add_bound_acme_account(account_of(id), {id, "k", "web"}, kNow));
  EXPECT_EQ(store_.acme_binding("a")->eab, "k");
  EXPECT_EQ(store_.acme_binding("a")->policy, "web");
  const auto first = store_.acme_bindings_of("k", 2, "").value();
  ASSERT_EQ(first.items.size(), 2U);
  EXPECT_EQ(first.items.back().account, "b");
  EXPECT_EQ(store_.acme_bindings_of("k", 2, first.next)->items.front().account, "c");
  EXPECT_TRUE(store_.acme_bindings_of("other", 2, "")->items.empty());
}

TEST_P(AcmeBindings, AnAccountGoesWithItsBinding) {
  EXPECT_OK(store_.add_acme_eab(eab_of("k")));
  EXPECT_OK(store_.add_bound_acme_account(account_of("a"), {"a", "k", "web"}, kNow));
  auto account = store_.acme_account("a").value();
  auto stale = account;
  EXPECT_OK(store_.update_acme_account(account));
  EXPECT_EQ(code_of(store_.delete_acme_account(stale)), Code::Conflict);
  EXPECT_OK(store_.delete_acme_account(account));
  EXPECT_EQ(code_of(store_.acme_account("a")), Code::NotFound);
  EXPECT_EQ(store_.acme_binding("a")->eab, "");
  EXPECT_EQ(code_of(store_.delete_acme_account(account)), Code::Conflict);
}

TEST_P(AcmeBindings, APolicyIsSetForAnyAccount) {
  EXPECT_EQ(store_.acme_binding("a")->policy, "");
  EXPECT_OK(store_.set_acme_policy("a", "web"));
  EXPECT_EQ(store_.acme_binding("a")->policy, "web");
  EXPECT_OK(store_.add_acme_eab(eab_of("k")));
  EXPECT_OK(store_.add_bound_acme_account(account_of("b"), {"b", "k", "web"}, kNow));
  EXPECT_OK(store_.set_acme_policy("b", ""));
  EXPECT_EQ(store_.acme_binding("b")->eab, "k");
  EXPECT_EQ(store_.acme_binding("b")->policy, "");
}

}  // namespace
}  // namespace chancery::store
