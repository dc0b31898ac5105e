#include "server/store/shared_words.h"
#include "server/store/sqlite_driver.h"
#include "server/store/testing.h"
#include "server/store/transaction.h"

/// Several readings of one state (store.h, View).
namespace chancery::store {
namespace {

class Views : public Contract {
 protected:
  Views() { EXPECT_OK(store_.set_meta("fact", "old")); }
  std::string fact() { return store_.get_meta("fact")->value_or("none"); }
  /// Another process does something meanwhile.
  void let_another_write(const std::string& text) { EXPECT_OK(other_.set_meta("fact", text)); }

  Store other_ = open_store(*backend_);
};
INSTANTIATE_TEST_SUITE_P(Store, Views, testing::ValuesIn(shared_backends()), backend_name);

TEST_P(Views, WhatIsReadIsOfOneState) {
  {
    const auto view = store_.view();
    EXPECT_EQ(fact(), "old");
    let_another_write("new");
    EXPECT_EQ(fact(), "old");
    EXPECT_EQ(code_of(store_.certificate(serial_of("01"))), Code::NotFound);  // a transaction of several statements
    EXPECT_EQ(fact(), "old");
  }
  EXPECT_EQ(fact(), "new");
}

TEST_P(Views, TheStateIsThatOfTheFirstReading) {
  const auto view = store_.view();
  let_another_write("new");
  EXPECT_EQ(fact(), "new");
}

TEST_P(Views, SeveralStatementsThatComeFirstFixTheStateToo) {
  const auto view = store_.view();
  EXPECT_EQ(code_of(store_.certificate(serial_of("01"))), Code::NotFound);
  let_another_write("new");
  EXPECT_EQ(fact(), "old");
}

TEST_P(Views, AWriteEndsTheState) {
  const auto view = store_.view();
  EXPECT_EQ(fact(), "old");
  let_another_write("new");
  EXPECT_OK(store_.set_meta("another", "x"));
  EXPECT_EQ(fact(), "new");
  let_another_write("newer");
  EXPECT_EQ(fact(), "new");
}

/// What decides is read where it is written: a view of what was never makes up for that (PROMISES Q9).
TEST_P(Views, I20_AWriteDecidesByWhatIsThere) {
  const auto account = account_of("account");
  EXPECT_OK(store_.add_acme_account(account));
  EXPECT_OK(store_.add_acme_authorization(authorization_of("one", account.id), {}));
  const auto view = store_.view();
  auto mine = store_.acme_authorization("one").value();
  auto theirs = other_.acme_authorization("one").value();
  EXPECT_OK(other_.update_acme_authorization(theirs));
  EXPECT_EQ(code_of(store_.update_acme_authorization(mine)), Code::Conflict);
  EXPECT_EQ(store_.acme_authorization("one")->version, theirs.version);  // and the next look finds what was in the way
}

TEST_P(Views, SettlingEndsTheState) {
  const auto view = store_.view();
  EXPECT_EQ(fact(), "old");
  let_another_write("new");
  EXPECT_OK(store_.settle());
  EXPECT_EQ(fact(), "new");
}

TEST_P(Views, OneThatIsRenewedSeesALaterState) {
  const auto view = store_.view();
  EXPECT_EQ(fact(), "old");
  let_another_write("new");
  store_.renew_view();
  EXPECT_EQ(fact(), "new");
  let_another_write("newer");
  EXPECT_EQ(fact(), "new");
}

TEST_P(Views, NobodyWaitsForOneThatIsOpen) {
  const auto view = store_.view();
  EXPECT_EQ(fact(), "old");
  for (const auto* text : {"a", "b", "c"}) let_another_write(text);
  EXPECT_EQ(other_.get_meta("fact").value(), "c");
}

/// What was seen is durable before it is told, and what came later need not be.
TEST(SqliteViews, C1_WhatAViewShowedIsWaitedForAndNoMore) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "realm.db";
  auto writer = open_sqlite_driver(file).value();
  auto reader = open_sqlite_driver(file).value();
  const auto write = [&](std::string_view text) { EXPECT_OK(writer->run(Statement{"test", text, {}}, {})); };
  const auto read = [&] { EXPECT_OK(reader->run(Statement{"test", "SELECT * FROM facts", {}}, {})); };
  const SharedWords words(SharedWords::file_of(file));
  ASSERT_NE(words.get(), nullptr);
  write("CREATE TABLE facts (fact TEXT)");
  EXPECT_OK(writer->settle());
  reader->enter_view();
  read();
  write("INSERT INTO facts VALUES ('later')");
  read();
  EXPECT_OK(reader->settle());
  EXPECT_LT(words.get()->synced.load(), words.get()->written.load());  // it was not shown
  read();
  EXPECT_OK(reader->settle());
  EXPECT_EQ(words.get()->synced.load(), words.get()->written.load());
  reader->leave_view();
}

/// A transaction that fails in a view leaves neither behind.
TEST(SqliteViews, ATransactionThatFailedLeavesNoView) {
  const TemporaryDirectory directory;
  auto driver = open_sqlite_driver(directory.path() / "realm.db").value();
  const auto run = [&](std::string_view text) { return driver->run(Statement{"test", text, {}}, {}); };
  EXPECT_OK(run("CREATE TABLE facts (fact TEXT UNIQUE)"));
  EXPECT_OK(run("INSERT INTO facts VALUES ('one')"));
  driver->enter_view();
  EXPECT_OK(run("SELECT * FROM facts"));
  EXPECT_EQ(code_of(run("INSERT INTO facts VALUES ('one')")), Code::Exists);
  EXPECT_EQ(code_of(transact(*driver, Access::Read, [&]() -> Status { return Error(Code::NotFound, "none"); })), Code::NotFound);
  EXPECT_EQ(run("SELECT * FROM facts")->rows.size(), 1U);
  driver->leave_view();
  EXPECT_OK(run("INSERT INTO facts VALUES ('two')"));  // no transaction is left open
  EXPECT_EQ(run("SELECT * FROM facts")->rows.size(), 2U);
}

}  // namespace
}  // namespace chancery::store
