#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/names.h"
#include "server/store/driver.h"

namespace chancery::store {

/// A value under its parameter's name, as Store::run takes them.
struct Bind {
  Bind(std::string_view n, std::string_view text) : name(n), value(std::string(text)) {}
  Bind(std::string_view n, const std::string& text) : name(n), value(text) {}
  Bind(std::string_view n, const char* text) : name(n), value(std::string(text)) {}
  Bind(std::string_view n, std::int64_t number) : name(n), value(number) {}
  Bind(std::string_view n, Seconds time) : name(n), value(base::to_epoch(time)) {}
  Bind(std::string_view n, const Serial& serial) : name(n), value(serial.hex()) {}
  Bind(std::string_view n, Value v) : name(n), value(std::move(v)) {}
  Bind(std::string_view n, const Bytes& bytes) : name(n), value(bytes) {}
  Bind(std::string_view n, const std::optional<Seconds>& time) : name(n) {
    if (time) value = base::to_epoch(*time);
  }
  Bind(std::string_view n, const std::optional<std::int64_t>& number) : name(n) {
    if (number) value = *number;
  }

  std::string_view name;
  Value value;
};

/// Counts, numbers and truth values as BIGINT.
inline std::int64_t number(bool value) { return value ? 1 : 0; }
inline std::int64_t number(std::size_t value) { return static_cast<std::int64_t>(value); }

/// Reads one row by column names. A column that is missing or of another type makes the row bad: reading goes on with
/// empty values, and status() says so at the end.
class Row {
 public:
  Row(const Outcome& outcome, std::size_t index) : outcome_(outcome), values_(outcome.rows.at(index)) {}

  std::string text(std::string_view column);
  std::int64_t integer(std::string_view column);
  Bytes bytes(std::string_view column);
  Bytes optional_bytes(std::string_view column);  ///< empty for none
  bool boolean(std::string_view column) { return integer(column) != 0; }
  Seconds time(std::string_view column) { return base::from_epoch(integer(column)); }
  std::optional<Seconds> optional_time(std::string_view column);
  std::optional<std::int64_t> optional_integer(std::string_view column);
  /// One item per line.
  std::vector<std::string> lines(std::string_view column);
  Result<Serial> serial(std::string_view column);

  /// @errors Corrupt: names the first bad column.
  Status status() const;

 private:
  const Value* find(std::string_view column);
  template <class T>
  T read(std::string_view column);

  const Outcome& outcome_;
  const std::vector<Value>& values_;
  std::string bad_;
};

/// A list as the store keeps it, one item per line. @pre no item has a line feed: names and ids cannot.
std::string to_lines(const std::vector<std::string>& items);

/// The key of a page: a number and a text, "1700000000.4f2a…".
struct PageKey {
  std::int64_t number;
  std::string text;
};
std::string to_text(const PageKey& key);
/// @errors InvalidParams: this is no key that a page gave.
Result<PageKey> parse_page_key(std::string_view text);

/// The limit that a page asks of the database: one more than wanted, to know whether a page follows.
std::size_t bounded_limit(std::size_t limit);

}  // namespace chancery::store
