#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/base/bytes.h"
#include "server/store/statement.h"

/// What a database library must do for the store: the only interface that knows there are several.
namespace chancery::store {

/// One SQL value: NULL, BIGINT, TEXT or BYTEA. Truth values are 0 and 1.
using Value = std::variant<std::monostate, std::int64_t, std::string, Bytes>;

/// What one statement gave.
struct Outcome {
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;
  std::int64_t changed = 0;  ///< rows that INSERT, UPDATE or DELETE touched
};

enum class Access : std::uint8_t { Read, Write };

/// One connection to one database, for one thread and never across fork (PROMISES D21).
///
/// Errors mean the same with every driver: Busy: another transaction was in the way, the whole transaction may be tried again
/// (SQLITE_BUSY, 40001, 40P01); Exists: a primary key or unique constraint; Corrupt: the database is damaged or is none;
/// Unavailable: the connection is lost; StoreFailed: anything else. Bound values never become part of a message.
class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver() = default;

  /// A read transaction sees one state of the database; a write transaction may write from the beginning.
  virtual Status begin(Access access) = 0;
  /// Keeps the changes: everybody sees them, in the order of the commits, and no process's end undoes them. They are durable
  /// after settle().
  virtual Status commit() = 0;
  virtual void rollback() noexcept = 0;
  /// Returns when all that this connection committed and read is durable. Free of cost where it is already.
  /// @errors StoreFailed: nobody knows; nothing may be said of it.
  virtual Status settle() = 0;

  /// From here to leave_view(), what is read outside of transactions is of one state, the latest one when the first of it is
  /// read. It ends with the next write and with settle(): what is read after that is of a later one. @pre not within another
  /// view.
  virtual void enter_view() noexcept = 0;
  virtual void leave_view() noexcept = 0;
  /// What is read from here on is of a later state: to be called before somebody outside is waited for, since a view that is open
  /// keeps the log from being written over.
  virtual void renew_view() noexcept = 0;

  /// Runs one statement, prepared once per connection; outside of a transaction it is one of its own.
  /// @param values  one for each of the statement's parameters, in their order.
  virtual Result<Outcome> run(const Statement& statement, std::span<const Value> values) = 0;
};

using DriverPtr = std::unique_ptr<Driver>;

}  // namespace chancery::store
