#include "server/store/sqlite_driver.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>

#include "server/store/schema.h"
#include "server/store/shared_words.h"
#include "server/store/testing.h"

namespace chancery::store {
namespace {

class Sqlite : public testing::Test {
 protected:
  base::Path file() const { return directory_.path() / "db" / "realm.db"; }
  Result<Store> open() const { return Store::open(file(), RealmName::parse("default").value()); }
  static unsigned mode_of(const base::Path& path) {
    struct stat facts {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 07777U;
  }
  void write(std::string_view content) const {
    std::filesystem::create_directories(file().parent_path());
    std::ofstream(file(), std::ios::binary) << content;
    ASSERT_EQ(::chmod(file().c_str(), 0600), 0);
  }
  /// Runs text on the file, as another program would.
  void say(std::string_view text) const {
    auto driver = open_sqlite_driver(file()).value();
    EXPECT_OK(driver->run(Statement{"test", text, {}}, {}));
  }

  TemporaryDirectory directory_;
};

TEST_F(Sqlite, D33_FilesAreForTheirOwnerAlone) {
  auto store = open().value();
  EXPECT_OK(store.add_certificate(certificate_of("01")));
  for (const auto* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(file().string() + suffix), 0600U) << suffix;
  EXPECT_EQ(mode_of(file().parent_path()), 0700U);
}

TEST_F(Sqlite, RowsOutliveTheConnection) {
  {
    auto store = open().value();
    EXPECT_OK(store.add_certificate(certificate_of("01")));
  }
  EXPECT_OK(open()->certificate(serial_of("01")));
}

TEST_F(Sqlite, DurabilityIsWhatWasPromised) {
  auto driver = open_sqlite_driver(file()).value();
  const auto ask = [&](std::string_view text) { return driver->run(Statement{"test", text, {}}, {}).value().rows.at(0).at(0); };
  EXPECT_EQ(ask("PRAGMA journal_mode"), Value("wal"));
  EXPECT_EQ(ask("PRAGMA synchronous"), Value(std::int64_t{1}));  // NORMAL: the database itself; the log is settle()'s
  EXPECT_EQ(ask("PRAGMA foreign_keys"), Value(std::int64_t{1}));
  EXPECT_EQ(ask("PRAGMA application_id"), Value(std::int64_t{0x43484e43}));
}

/// Somebody is just making it, or it waits for the next start.
TEST_F(Sqlite, AStoreWithoutItsSchemaIsNotLookedInto) {
  const auto realm = RealmName::parse("default").value();
  EXPECT_FALSE(Store::look(file(), realm).value().has_value());
  { auto driver = open_sqlite_driver(file()).value(); }
  EXPECT_FALSE(Store::look(file(), realm).value().has_value());
  { auto store = open().value(); }
  EXPECT_TRUE(Store::look(file(), realm).value().has_value());
}

/// Written back to the database once in a while, else the log would grow for ever.
TEST_F(Sqlite, ALongLogIsWrittenBack) {
  auto driver = open_sqlite_driver(file()).value();
  const auto run = [&](std::string_view text) { return driver->run(Statement{"test", text, {}}, {}); };
  EXPECT_OK(run("CREATE TABLE pages (octets BLOB)"));
  for (int i = 0; i < 3; ++i) EXPECT_OK(run("INSERT INTO pages VALUES (zeroblob(16000000))"));
  EXPECT_OK(driver->settle());
  EXPECT_GT(std::filesystem::file_size(file()), 30'000'000U);
}

/// A refusal tells what was read for it, though its transaction was rolled back.
TEST_F(Sqlite, C1_WhatARolledBackTransactionReadIsWaitedFor) {
  auto writer = open_sqlite_driver(file()).value();
  auto reader = open_sqlite_driver(file()).value();
  EXPECT_OK(writer->run(Statement{"test", "CREATE TABLE facts (fact TEXT)", {}}, {}));
  const SharedWords words(SharedWords::file_of(file()));
  ASSERT_NE(words.get(), nullptr);
  EXPECT_OK(reader->begin(Access::Read));
  reader->rollback();
  EXPECT_LT(words.get()->synced.load(), words.get()->written.load());
  EXPECT_OK(reader->settle());
  EXPECT_EQ(words.get()->synced.load(), words.get()->written.load());
}

TEST_F(Sqlite, F9_WhatIsNoDatabaseIsRefused) {
  write(std::string(8192, 'x'));
  EXPECT_EQ(code_of(open()), Code::Corrupt);
  EXPECT_FALSE(open().error().hint().empty());
  EXPECT_EQ(std::filesystem::file_size(file()), 8192U);  // never repaired silently
}

TEST_F(Sqlite, F9_ADirectoryInItsPlaceIsRefused) {
  std::filesystem::create_directories(file());
  EXPECT_EQ(code_of(open()), Code::Corrupt);
}

TEST_F(Sqlite, F9_ASymbolicLinkIsRefused) {
  { auto store = open().value(); }
  std::filesystem::rename(file(), directory_.path() / "elsewhere.db");
  std::filesystem::create_symlink(directory_.path() / "elsewhere.db", file());
  EXPECT_EQ(code_of(open()), Code::Corrupt);
}

TEST_F(Sqlite, F9_ATruncatedFileIsRefused) {
  {
    auto store = open().value();
    for (int i = 0; i < 50; ++i) {
      auto given = certificate_of("01");
      given.serial = Serial::random();
      EXPECT_OK(store.add_certificate(given));
    }
  }
  std::filesystem::resize_file(file(), 4096);
  auto store = open();
  if (store.ok()) {
    EXPECT_EQ(code_of(store->search({}, 10, "")), Code::Corrupt);
  }
  if (!store.ok()) {
    EXPECT_EQ(store.error().code(), Code::Corrupt);
  }
}

TEST_F(Sqlite, D33_AFileThatOthersMayReadIsRefused) {
  { auto store = open().value(); }
  for (const mode_t mode : {0640U, 0604U, 0660U, 0666U}) {
    ASSERT_EQ(::chmod(file().c_str(), mode), 0);
    EXPECT_EQ(code_of(open()), Code::Denied);
  }
  ASSERT_EQ(::chmod(file().c_str(), 0600), 0);
  EXPECT_OK(open());
}

TEST_F(Sqlite, AnotherProgramsDatabaseIsRefused) {
  { auto store = open().value(); }
  say("PRAGMA application_id = 7");
  EXPECT_EQ(code_of(open()), Code::Corrupt);
}

TEST_F(Sqlite, Q14_ANewerSchemaIsRefused) {
  { auto store = open().value(); }
  say("UPDATE schema_version SET version = version + 1");
  ASSERT_EQ(code_of(open()), Code::Unsupported);
  EXPECT_NE(open().error().hint().find("newer"), std::string::npos);
  say("UPDATE schema_version SET version = version - 1, step = 1");  // a newer program was in the middle of it
  EXPECT_EQ(code_of(open()), Code::Unsupported);
  say("UPDATE schema_version SET step = 0");
  EXPECT_OK(open());
}

TEST_F(Sqlite, CheckSaysWhatOpenWouldAndChangesNothing) {
  EXPECT_OK(Store::check(file()));
  EXPECT_FALSE(std::filesystem::exists(file()));
  { auto store = open().value(); }
  EXPECT_OK(Store::check(file()));
  const auto error = [&](const char* statement) {
    say(statement);
    return code_of(Store::check(file()));
  };
  EXPECT_EQ(error("UPDATE schema_version SET version = version + 1"), Code::Unsupported);
  EXPECT_EQ(error("UPDATE schema_version SET version = 'x'"), Code::Corrupt);
  say("UPDATE schema_version SET version = 0, step = 0");  // an old one: open would bring it up to date
  EXPECT_OK(Store::check(file()));
  EXPECT_EQ(error("PRAGMA application_id = 7"), Code::Corrupt);
  ASSERT_EQ(::chmod(file().c_str(), 0644), 0);
  EXPECT_EQ(code_of(Store::check(file())), Code::Denied);
  ASSERT_EQ(::chmod(file().c_str(), 0600), 0);
  std::ofstream(file()) << "no database of anybody's";
  EXPECT_EQ(code_of(Store::check(file())), Code::Corrupt);
  std::filesystem::remove(file());
  std::ofstream(file()).close();
  ASSERT_EQ(::chmod(file().c_str(), 0600), 0);
  EXPECT_OK(Store::check(file()));
  EXPECT_EQ(std::filesystem::file_size(file()), 0U);
}

TEST_F(Sqlite, ASchemaVersionThatMakesNoSenseIsCorrupt) {
  { auto store = open().value(); }
  say("UPDATE schema_version SET version = -1");
  EXPECT_EQ(code_of(open()), Code::Corrupt);
  say("UPDATE schema_version SET version = 'x'");
  EXPECT_EQ(code_of(open()), Code::Corrupt);
}

TEST_F(Sqlite, AValueOfAnotherTypeIsCorrupt) {
  auto store = open().value();
  EXPECT_OK(store.add_certificate(certificate_of("01")));
  say("UPDATE certificate SET not_after = 'soon'");
  EXPECT_EQ(code_of(store.certificate(serial_of("01"))), Code::Corrupt);
  say("UPDATE certificate SET not_after = 1, state = 'good'");
  EXPECT_EQ(code_of(store.certificate(serial_of("01"))), Code::Corrupt);
  say("UPDATE certificate SET serial = 'zz', state = 'valid' WHERE 0 = 1");
  say("DELETE FROM certificate_der");
  EXPECT_EQ(code_of(store.add_certificate(certificate_of("01"))), Code::Corrupt);
}

TEST_F(Sqlite, AWriterInTheWayIsBusyAfterABoundedTime) {
  auto store = open().value();
  auto rival = open_sqlite_driver(file()).value();
  EXPECT_OK(rival->begin(Access::Write));
  EXPECT_OK(store.search({}, 1, ""));  // readers go on
  EXPECT_EQ(code_of(store.add_certificate(certificate_of("01"))), Code::Busy);
  rival->rollback();
  EXPECT_OK(store.add_certificate(certificate_of("01")));
}

TEST_F(Sqlite, ADirectoryThatCannotBeMadeIsSaid) {
  std::ofstream(directory_.path() / "db") << "a file";
  EXPECT_FALSE(open().ok());
}

}  // namespace
}  // namespace chancery::store
