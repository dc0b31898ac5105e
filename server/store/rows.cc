#include "server/store/rows.h"

#include <algorithm>
#include <charconv>

#include "server/base/text.h"
#include "server/store/store.h"

namespace chancery::store {

const Value* Row::find(std::string_view column) {
  const auto found = std::ranges::find(outcome_.columns, column);
  PKI_CHECK(found != outcome_.columns.end());
  return &values_.at(static_cast<std::size_t>(found - outcome_.columns.begin()));
}

template <class T>
T Row::read(std::string_view column) {
  const auto* value = std::get_if<T>(find(column));
  if (value != nullptr) return *value;
  if (bad_.empty()) bad_ = column;
  return T();
}

std::string Row::text(std::string_view column) { return read<std::string>(column); }
std::int64_t Row::integer(std::string_view column) { return read<std::int64_t>(column); }
Bytes Row::bytes(std::string_view column) { return read<Bytes>(column); }

Bytes Row::optional_bytes(std::string_view column) {
  return std::holds_alternative<std::monostate>(*find(column)) ? Bytes() : bytes(column);
}

std::optional<Seconds> Row::optional_time(std::string_view column) {
  if (std::holds_alternative<std::monostate>(*find(column))) return std::nullopt;
  return time(column);
}

std::optional<std::int64_t> Row::optional_integer(std::string_view column) {
  if (std::holds_alternative<std::monostate>(*find(column))) return std::nullopt;
  return integer(column);
}

std::vector<std::string> Row::lines(std::string_view column) {
  const auto text = this->text(column);
  return text.empty() ? std::vector<std::string>() : base::split(text, '\n');
}

Result<Serial> Row::serial(std::string_view column) {
  auto serial = Serial::from_hex(text(column));
  if (!serial.ok()) return Error(Code::Corrupt, "database: column " + std::string(column) + " holds no serial number");
  return serial;
}

Status Row::status() const {
  if (bad_.empty()) return {};
  return Error(Code::Corrupt, "database: column " + bad_ + " holds a value of another type", "restore a backup");
}

std::string to_lines(const std::vector<std::string>& items) {
  for (const auto& item : items) PKI_CHECK(!item.empty() && item.find('\n') == std::string::npos);
  return base::join(items, "\n");
}

std::string to_text(const PageKey& key) { return std::to_string(key.number) + "." + key.text; }

Result<PageKey> parse_page_key(std::string_view text) {
  PageKey key{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, key.number);
  if (error != std::errc() || stop == end || *stop != '.') {
    return Error(Code::InvalidParams, "after is no key of a page", "give the `next` of the page before as it was");
  }
  key.text.assign(stop + 1, end);
  return key;
}

std::size_t bounded_limit(std::size_t limit) { return std::clamp<std::size_t>(limit, 1, kMaxPageRows) + 1; }

}  // namespace chancery::store
