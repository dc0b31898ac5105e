#include "server/store/sqlite_driver.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <unordered_map>

#include <sqlite3.h>

#include "server/base/log.h"
#include "server/store/database_file.h"
#include "server/store/foreign_database.h"
#include "server/store/lock_wait.h"
#include "server/store/sharing.h"
#include "server/store/transaction.h"

namespace chancery::store {
namespace {

constexpr std::int64_t kApplicationId = 0x43484e43;  ///< "CHNC": whose file this is (sqlite.org/fileformat2, offset 68)
constexpr int kOpenTries = 10;
constexpr std::chrono::seconds kOpenPatience{10};  ///< no try begins after it

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
using DatabasePtr = std::unique_ptr<sqlite3, Freer<&sqlite3_close_v2>>;
using StatementPtr = std::unique_ptr<sqlite3_stmt, Freer<&sqlite3_finalize>>;

// ----- errors

/// What a result code of SQLite means to the store. Codes that are not listed are StoreFailed.
struct CodeMap {
  int sqlite;
  Code code;
  std::string_view hint;
};
constexpr std::array kCodes{
    CodeMap{SQLITE_BUSY, Code::Busy, ""},
    CodeMap{SQLITE_LOCKED, Code::Busy, ""},
    CodeMap{SQLITE_CONSTRAINT_PRIMARYKEY, Code::Exists, ""},
    CodeMap{SQLITE_CONSTRAINT_UNIQUE, Code::Exists, ""},
    CodeMap{SQLITE_CORRUPT, Code::Corrupt,
            "stop the server, keep the file, restore a backup; realm.reconcile adds what the journal has"},
    CodeMap{SQLITE_NOTADB, Code::Corrupt,
            "this is no database of chancery; restore a backup, or move the file away and run realm.reconcile"},
    CodeMap{SQLITE_CANTOPEN, Code::Unavailable, "does the directory exist, and may this user write there?"},
    CodeMap{SQLITE_FULL, Code::StoreFailed, "the disk is full; nothing was changed"},
    CodeMap{SQLITE_READONLY, Code::StoreFailed, "the database may only be read; whose is the file?"},
    CodeMap{SQLITE_IOERR, Code::StoreFailed, "the disk failed; nothing was acknowledged"},
};

/// @param place  the statement's name or the file. The engine's message names columns and constraints, never values.
Error sqlite_error(sqlite3* database, int result, std::string_view place) {
  const auto matches = [&](const CodeMap& row) { return row.sqlite == result; };
  auto row = std::ranges::find_if(kCodes, matches);
  if (row == kCodes.end()) row = std::ranges::find(kCodes, result & 0xff, &CodeMap::sqlite);  // extended -> primary code
  const std::string text = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(result);
  std::string message = "database: " + std::string(place) + ": " + text;
  if (row == kCodes.end()) return {Code::StoreFailed, std::move(message)};
  return {row->code, std::move(message), std::string(row->hint)};
}

// ----- one connection

// How transactions begin and end (sqlite.org/lang_transaction.html).
constexpr Statement kBeginRead{"begin", "BEGIN DEFERRED", {}};
constexpr Statement kBeginWrite{"begin", "BEGIN IMMEDIATE", {}};
constexpr Statement kCommit{"commit", "COMMIT", {}};

class SqliteDriver : public Driver {
 public:
  explicit SqliteDriver(DatabasePtr database) : database_(std::move(database)) {}

  /// Writers of the file take turns from now on, and share what makes their commits durable.
  /// @return whether there are others to share it with: without words of theirs each commit is durable by itself.
  bool share(const base::Path& file) {
    sharing_.emplace(file, [this] { return sync_log(); });
    sqlite3_wal_hook(database_.get(), note_length, this);
    return sharing_->words.get() != nullptr;
  }

  Status begin(Access access) override;
  Status commit() override;
  void rollback() noexcept override {
    if (!writes_ && wants_view_) return;  // the view goes on
    // SQLite has rolled back by itself after some errors; then there is nothing to do.
    if (is_in_transaction()) sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    end_write();
    end_read();  // what it read counts, whatever became of it
  }
  Result<Outcome> run(const Statement& statement, std::span<const Value> values) override;
  Status settle() override {
    end_view();
    return sharing_ ? sharing_->log.settle() : Status();
  }
  void enter_view() noexcept override { wants_view_ = true; }
  void leave_view() noexcept override {
    end_view();
    wants_view_ = false;
  }
  void renew_view() noexcept override { end_view(); }

  /// Runs text of ours that has no parameters and gives no rows that matter.
  Status say(const char* text);
  /// The first column of the first row, as text.
  Result<std::string> ask(const char* text);

 private:
  Result<sqlite3_stmt*> prepare(const Statement& statement);
  Status bind(sqlite3_stmt* prepared, std::span<const Value> values);
  Status step_all(sqlite3_stmt* prepared, Outcome& out);
  Result<Outcome> run_prepared(sqlite3_stmt* prepared, const Statement& statement, std::span<const Value> values);
  Status sync_log();
  void write_back();
  /// After each commit (sqlite.org/c3ref/wal_hook.html).
  static int note_length(void* driver, sqlite3* /*database*/, const char* /*name*/, int frames) {
    static_cast<SqliteDriver*>(driver)->frames_ = frames;
    return SQLITE_OK;
  }
  /// A sync that SQLite did by itself and that failed is as fatal as one of ours (PROMISES F8).
  void note_failure(int result) noexcept {
    if (sharing_ && (result == SQLITE_IOERR_FSYNC || result == SQLITE_IOERR_DIR_FSYNC)) sharing_->log.fail("SQLite's own");
  }

  bool is_in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }
  /// Whether the transaction is the view's own, in which no other begins.
  bool is_in_view() const { return has_view_ && is_in_transaction(); }
  void end_view() noexcept;
  Result<Outcome> read(sqlite3_stmt* prepared, const Statement& statement, std::span<const Value> values);
  Status run_word(const Statement& word);
  Status begin_write();
  void end_write() noexcept {
    if (!sharing_) return;
    sharing_->log.ended();
    sharing_->write_turn.leave();
  }
  void end_read() noexcept {
    if (sharing_) sharing_->log.saw();
  }

  DatabasePtr database_;
  std::optional<Sharing> sharing_;
  bool writes_ = false;                                          ///< the transaction in hand
  bool wants_view_ = false;                                      ///< between enter_view() and leave_view()
  bool has_view_ = false;                                        ///< something was read since, and nothing written
  int frames_ = 0;                                               ///< of the log, after the last commit
  std::unordered_map<std::string_view, StatementPtr> prepared_;  ///< by the statement's text
};

Status SqliteDriver::begin_write() {
  if (!sharing_) return {};
  PKI_TRY_VOID(sharing_->log.check());
  sharing_->write_turn.take();
  return {};
}

Status SqliteDriver::begin(Access access) {
  writes_ = access == Access::Write;
  if (!writes_ && wants_view_) return {};  // what it reads is of the view's state
  end_view();
  if (!writes_) return run_word(kBeginRead);
  PKI_TRY_VOID(begin_write());
  const auto begun = run_word(kBeginWrite);
  if (!begun.ok()) end_write();
  return begun;
}

/// There is nothing to keep, so nothing to fail.
void SqliteDriver::end_view() noexcept {
  if (is_in_view()) sqlite3_exec(database_.get(), "COMMIT", nullptr, nullptr, nullptr);
  has_view_ = false;
}

Status SqliteDriver::commit() {
  if (!writes_ && wants_view_) return {};
  if (writes_ && sharing_) sharing_->log.begin();
  auto status = run_word(kCommit);
  if (!writes_) end_read();
  if (!writes_) return status;
  if (!status.ok()) {
    note_failure(sqlite3_extended_errcode(database_.get()));
    return status;  // rollback comes
  }
  end_write();
  write_back();
  return status;
}

/// Brings a long log back to the database, as SQLite would by itself, but for this: the log is synced by settle() first. In there
/// its sync's failure would be passed over, and the next one told nothing of it.
void SqliteDriver::write_back() {
  // A certificate touches some thirty pages, most of them the same ones again and again: a longer log (32 MB) writes them back to
  // the database once where a short one did it thirty times.
  constexpr int kMostFrames = 8000;
  if (frames_ < kMostFrames || !sharing_ || !settle().ok()) return;
  frames_ = 0;
  note_failure(sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr));
}

/// As SQLite does it at each commit when it is told FULL, by the same function (sqlite.org/c3ref/io_methods.html).
Status SqliteDriver::sync_log() {
  sqlite3_file* log = nullptr;
  const int found = sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (found != SQLITE_OK) return sqlite_error(nullptr, found, "the write-ahead log");
  if (log == nullptr || log->pMethods == nullptr) return {};  // nothing was written yet
  const int result = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
  return result == SQLITE_OK ? Status() : sqlite_error(nullptr, result, "sync of the write-ahead log");
}

/// Prepared like the others, as it is said more often than any of them.
Status SqliteDriver::run_word(const Statement& word) {
  PKI_TRY(auto* prepared, prepare(word));
  const auto said = run_prepared(prepared, word, {});
  return said.ok() ? Status() : said.error();
}

Status SqliteDriver::say(const char* text) {
  if (sqlite3_exec(database_.get(), text, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return sqlite_error(database_.get(), sqlite3_extended_errcode(database_.get()), text);
}

Result<std::string> SqliteDriver::ask(const char* text) {
  const Statement statement{"pragma", text, {}};
  Outcome out;
  PKI_TRY(auto* prepared, prepare(statement));
  const auto status = step_all(prepared, out);
  sqlite3_reset(prepared);
  prepared_.erase(statement.text);
  PKI_TRY_VOID(status);
  if (out.rows.empty() || out.rows.front().empty()) return std::string();
  const auto& value = out.rows.front().front();
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  const auto* words = std::get_if<std::string>(&value);
  return words == nullptr ? std::string() : *words;
}

Result<sqlite3_stmt*> SqliteDriver::prepare(const Statement& statement) {
  if (const auto known = prepared_.find(statement.text); known != prepared_.end()) return known->second.get();
  const auto text = in_sqlite(statement.text);
  sqlite3_stmt* raw = nullptr;
  const int result = sqlite3_prepare_v3(database_.get(), text.c_str(), static_cast<int>(text.size() + 1),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  StatementPtr prepared(raw);
  if (result != SQLITE_OK) return sqlite_error(database_.get(), sqlite3_extended_errcode(database_.get()), statement.name);
  PKI_CHECK(static_cast<std::size_t>(sqlite3_bind_parameter_count(raw)) == statement.parameters.size());
  prepared_.emplace(statement.text, std::move(prepared));
  return raw;
}

/// SQLITE_STATIC: the values outlive the statement's run.
Status SqliteDriver::bind(sqlite3_stmt* prepared, std::span<const Value> values) {
  int index = 0;
  for (const auto& value : values) {
    ++index;
    int result = SQLITE_OK;
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      result = sqlite3_bind_int64(prepared, index, *number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      result = sqlite3_bind_text64(prepared, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
      // An empty vector may have no address, which would bind NULL.
      result = bytes->empty() ? sqlite3_bind_zeroblob(prepared, index, 0)
                              : sqlite3_bind_blob64(prepared, index, bytes->data(), bytes->size(), SQLITE_STATIC);
    } else {
      result = sqlite3_bind_null(prepared, index);
    }
    if (result != SQLITE_OK) return sqlite_error(database_.get(), result, "bind");
  }
  return {};
}

Value column(sqlite3_stmt* prepared, int index) {
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(prepared, index)); };
  switch (sqlite3_column_type(prepared, index)) {
    case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(prepared, index)};
    case SQLITE_NULL: return {};
    case SQLITE_BLOB: {
      const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(prepared, index));
      return data == nullptr ? Bytes() : Bytes(data, data + size());
    }
    default: {
      const void* data = sqlite3_column_text(prepared, index);
      return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size());
    }
  }
}

Status SqliteDriver::step_all(sqlite3_stmt* prepared, Outcome& out) {
  const int width = sqlite3_column_count(prepared);
  for (int i = 0; i < width; ++i) out.columns.emplace_back(sqlite3_column_name(prepared, i));
  for (;;) {
    const int result = sqlite3_step(prepared);
    if (result == SQLITE_DONE) return {};
    if (result != SQLITE_ROW) return sqlite_error(database_.get(), sqlite3_extended_errcode(database_.get()), "step");
    auto& row = out.rows.emplace_back();
    row.reserve(static_cast<std::size_t>(width));
    for (int i = 0; i < width; ++i) row.push_back(column(prepared, i));
  }
}

Result<Outcome> SqliteDriver::run_prepared(sqlite3_stmt* prepared, const Statement& statement, std::span<const Value> values) {
  Outcome out;
  const auto before = sqlite3_total_changes64(database_.get());
  auto status = bind(prepared, values);
  if (status.ok()) status = step_all(prepared, out);
  sqlite3_reset(prepared);
  sqlite3_clear_bindings(prepared);  // the values do not live longer than this call
  if (!status.ok()) return status.error().within(statement.name);
  out.changed = sqlite3_total_changes64(database_.get()) - before;
  return out;
}

/// In a view, the first statement sees what all of them see: it alone is waited for.
Result<Outcome> SqliteDriver::read(sqlite3_stmt* prepared, const Statement& statement, std::span<const Value> values) {
  if (is_in_view()) return run_prepared(prepared, statement, values);
  if (wants_view_) PKI_TRY_VOID(run_word(kBeginRead));
  has_view_ = wants_view_;
  auto out = run_prepared(prepared, statement, values);
  end_read();
  if (!out.ok()) end_view();  // the next one is the first
  return out;
}

/// Outside of a transaction a statement is one by itself.
Result<Outcome> SqliteDriver::run(const Statement& statement, std::span<const Value> values) {
  PKI_CHECK(values.size() == statement.parameters.size());
  PKI_TRY(auto* prepared, prepare(statement));
  if (is_in_transaction() && !is_in_view()) return run_prepared(prepared, statement, values);
  if (sqlite3_stmt_readonly(prepared) != 0) return read(prepared, statement, values);
  PKI_TRY_VOID(begin(Access::Write));  // so that commits have the order of their numbers
  auto out = run_prepared(prepared, statement, values);
  if (out.ok()) {
    if (const auto done = commit(); !done.ok()) out = done.error();
  }
  if (!out.ok()) rollback();
  return out;
}

// ----- opening

Result<std::unique_ptr<SqliteDriver>> connect(const std::string& name, int mode = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
  // What another process writes empties the cache: the next pages come from one piece of memory, not from malloc one by one.
  [[maybe_unused]] static const int kConfigured = sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 64);
  sqlite3* raw = nullptr;
  const int result = sqlite3_open_v2(name.c_str(), &raw, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  DatabasePtr database(raw);  // there is a handle even when opening failed, unless memory is short
  if (result != SQLITE_OK) return sqlite_error(raw, result, name);
  sqlite3_busy_handler(raw, wait_for_lock, nullptr);
  // A damaged or hostile file must not reach code through views, triggers or its own schema (sqlite.org/security).
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  return std::make_unique<SqliteDriver>(std::move(database));
}

Error foreign(const std::string& name) {
  return {Code::Corrupt, "database " + name + " is a SQLite database of another program",
          "move it away, then restore a backup or run realm.reconcile"};
}

/// Whether nothing was ever written to it.
Result<bool> is_new(SqliteDriver& driver) {
  PKI_TRY(const auto owner, driver.ask("PRAGMA application_id"));
  PKI_TRY(const auto something, driver.ask("SELECT name FROM sqlite_schema LIMIT 1"));
  return owner == "0" && something.empty();
}

/// An empty file becomes ours; a file that holds anything must be ours already.
Status take_ownership(SqliteDriver& driver, const std::string& name) {
  PKI_TRY(const auto owner, driver.ask("PRAGMA application_id"));
  if (owner == std::to_string(kApplicationId)) return {};
  // Somebody else may be making the same new file: look again with the write lock held.
  return transact(driver, Access::Write, [&]() -> Status {
    PKI_TRY(const auto owner_now, driver.ask("PRAGMA application_id"));
    if (owner_now == std::to_string(kApplicationId)) return {};
    PKI_TRY(const bool empty, is_new(driver));
    if (!empty) return foreign(name);
    return driver.say(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
  });
}

Status settle(SqliteDriver& driver) {
  PKI_TRY_VOID(driver.say("PRAGMA temp_store = MEMORY"));
  return driver.say("PRAGMA cell_size_check = ON");
}

Result<DriverPtr> open_existing(const base::Path& file) {
  PKI_TRY(auto driver, connect(file.string()));
  PKI_TRY_VOID(settle(*driver));
  PKI_TRY_VOID(take_ownership(*driver, file.string()));
  PKI_TRY(const auto mode, driver->ask("PRAGMA journal_mode = WAL"));
  if (mode != "wal")
    return Error(Code::Unsupported, "database " + file.string() + ": the filesystem has no shared memory for a write-ahead log",
                 "keep the realm directory on a local disk");
  // A commit is in the log, in its order; settle() syncs that, for everybody's commits at once. SQLite by itself would sync each
  // one alone, while all others wait for its lock. What goes to the database itself is synced as ever
  // (sqlite.org/pragma.html#pragma_synchronous).
  if (driver->share(file)) {
    PKI_TRY_VOID(driver->say("PRAGMA synchronous = NORMAL"));
  } else {
    base::log_warning("database " + file.string() + ": " + SharedWords::file_of(file).string() +
                      " cannot be had: each process waits for the disk by itself");
  }
  return DriverPtr(std::move(driver));
}

// ----- somebody else's database

Error unanswered(sqlite3* database, const std::string& file) {
  return {Code::Unavailable, "database " + file + ": " + sqlite3_errmsg(database)};
}

/// One statement that changes nothing, whose variables all have a value.
Result<StatementPtr> prepare_question(sqlite3* database, const std::string& file, const std::string& query,
                                      const std::vector<std::pair<std::string, std::string>>& values) {
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int result = sqlite3_prepare_v2(database, query.c_str(), static_cast<int>(query.size()), &raw, &rest);
  StatementPtr statement(raw);
  if (result != SQLITE_OK || raw == nullptr) return unanswered(database, file);
  if (std::string_view(rest).find_first_not_of(" ;\n\t") != std::string_view::npos || sqlite3_stmt_readonly(raw) == 0)
    return Error(Code::Unavailable, "database " + file + ": the query is no single SELECT");
  for (int i = 1; i <= sqlite3_bind_parameter_count(raw); ++i) {
    const char* const name = sqlite3_bind_parameter_name(raw, i);
    const auto value = std::ranges::find(values, name == nullptr || *name == '\0' ? "" : std::string(name + 1),
                                         &std::pair<std::string, std::string>::first);
    if (value == values.end())
      return Error(Code::Unavailable, "database " + file + ": there is no value for " + (name == nullptr ? "?" : name));
    if (sqlite3_bind_text(raw, i, value->second.data(), static_cast<int>(value->second.size()), SQLITE_TRANSIENT) != SQLITE_OK)
      return unanswered(database, file);
  }
  return statement;
}

int is_late(void* deadline) {
  return std::chrono::steady_clock::now() >= *static_cast<const std::chrono::steady_clock::time_point*>(deadline) ? 1 : 0;
}

}  // namespace

Result<bool> foreign_database_knows(const std::string& file, const std::string& query,
                                    const std::vector<std::pair<std::string, std::string>>& values,
                                    std::chrono::milliseconds limit) {
  constexpr int kStepsBetween = 1000;
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  const DatabasePtr database(raw);
  if (opened != SQLITE_OK) return unanswered(raw, file);
  auto deadline = std::chrono::steady_clock::now() + limit;
  sqlite3_busy_timeout(raw, static_cast<int>(limit.count()));
  sqlite3_progress_handler(raw, kStepsBetween, is_late, &deadline);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
  PKI_TRY(const auto statement, prepare_question(raw, file, query, values));
  const int result = sqlite3_step(statement.get());
  if (result == SQLITE_ROW || result == SQLITE_DONE) return result == SQLITE_ROW;
  return unanswered(raw, file);
}

Result<DriverPtr> open_sqlite_driver(const base::Path& file) {
  PKI_TRY_VOID(make_file(file));
  PKI_TRY_VOID(check_filesystem(file));
  PKI_TRY_VOID(check_file(file));
  const auto last_try = std::chrono::steady_clock::now() + kOpenPatience;
  for (Backoff backoff(kOpenTries);;) {
    auto driver = open_existing(file);
    // Turning a new file to WAL needs it for oneself, and SQLite does not wait for that, however slow the disk is.
    if (driver.ok() || driver.error().code() != Code::Busy) return driver;
    if (std::chrono::steady_clock::now() >= last_try || !backoff.wait()) return driver;
  }
}

Result<DriverPtr> look_at_sqlite(const base::Path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file.parent_path(), ignored)) return DriverPtr();
  PKI_TRY_VOID(check_filesystem(file));
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, ignored))) return DriverPtr();
  PKI_TRY_VOID(check_file(file));
  PKI_TRY(auto driver, connect(file.string(), SQLITE_OPEN_READONLY));
  PKI_TRY(const auto owner, driver->ask("PRAGMA application_id"));
  if (owner == std::to_string(kApplicationId)) return DriverPtr(std::move(driver));
  PKI_TRY(const bool empty, is_new(*driver));
  return empty ? Result<DriverPtr>(DriverPtr()) : foreign(file.string());
}

Result<DriverPtr> open_memory_driver() {
  PKI_TRY(auto driver, connect(":memory:"));
  PKI_TRY_VOID(settle(*driver));
  return DriverPtr(std::move(driver));
}

}  // namespace chancery::store
