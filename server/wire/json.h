#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "server/base/result.h"

namespace chancery::wire {

inline constexpr std::size_t kMaxJsonDepth = 32;      ///< PROMISES D11
inline constexpr std::size_t kMaxJsonNodes = 200000;  ///< values of one text, so that 64 kB of "[[],[],…" stay cheap

/// A JSON value (RFC 8259). Objects keep the order of their members and have no duplicate keys; integers outside 64 bits
/// keep their decimal digits (uPKI serials have 159 bits), instead of becoming doubles.
class Json {
 public:
  struct BigInteger {
    std::string digits;  ///< as written: optional '-', decimal digits
    bool operator==(const BigInteger&) const = default;
  };
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;                                                      ///< null
  Json(std::nullptr_t) {}                                                // NOLINT(google-explicit-constructor)
  Json(bool value) : value_(value) {}                                    // NOLINT(google-explicit-constructor)
  Json(int value) : value_(std::int64_t{value}) {}                       // NOLINT(google-explicit-constructor)
  Json(std::int64_t value) : value_(value) {}                            // NOLINT(google-explicit-constructor)
  Json(std::size_t value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT(google-explicit-constructor)
  Json(double value) : value_(value) {}                                  // NOLINT(google-explicit-constructor)
  Json(BigInteger value) : value_(std::move(value)) {}                   // NOLINT(google-explicit-constructor)
  Json(const char* text) : value_(std::string(text)) {}                  // NOLINT(google-explicit-constructor)
  Json(std::string_view text) : value_(std::string(text)) {}             // NOLINT(google-explicit-constructor)
  Json(std::string text) : value_(std::move(text)) {}                    // NOLINT(google-explicit-constructor)
  Json(Array items) : value_(std::move(items)) {}                        // NOLINT(google-explicit-constructor)
  Json(Object members) : value_(std::move(members)) {}                   // NOLINT(google-explicit-constructor)

  static Json array() { return Json(Array()); }
  static Json object() { return Json(Object()); }
  /// Of what stands in the braces. An initializer_list would have it copied.
  template <std::size_t N>
  static Json array(Json (&&items)[N]) {
    return Json(Array(std::make_move_iterator(items), std::make_move_iterator(items + N)));
  }
  template <std::size_t N>
  static Json object(Member (&&members)[N]) {
    return Json(Object(std::make_move_iterator(members), std::make_move_iterator(members + N)));
  }
  static Json strings(const std::vector<std::string>& texts);

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }

  /// The value as that type, or a null pointer.
  const bool* as_bool() const { return std::get_if<bool>(&value_); }
  const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&value_); }
  const double* as_double() const { return std::get_if<double>(&value_); }
  const BigInteger* as_big_integer() const { return std::get_if<BigInteger>(&value_); }
  const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  const Array* as_array() const { return std::get_if<Array>(&value_); }
  const Object* as_object() const { return std::get_if<Object>(&value_); }
  Array* as_array() { return std::get_if<Array>(&value_); }
  Object* as_object() { return std::get_if<Object>(&value_); }

  /// The member of an object, or a null pointer (also when this is no object).
  const Json* find(std::string_view key) const;
  /// The member's text, or the fallback when there is none or it is no text.
  std::string text(std::string_view key, std::string_view fallback = {}) const;
  std::int64_t integer(std::string_view key, std::int64_t fallback = 0) const;
  bool boolean(std::string_view key, bool fallback = false) const;
  /// The texts of an array member; anything else in it is passed over.
  std::vector<std::string> texts(std::string_view key) const;

  /// Adds or replaces a member; this becomes an object if it was null.
  Json& set(std::string_view key, Json value);
  void push_back(Json value);
  /// A member's value, which is null in here from then on; null when there is none.
  Json take(std::string_view key);

  /// What the value is, for messages: "an object", "a text".
  std::string_view kind() const;

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, BigInteger, std::string, Array, Object> value_;
};

/// Reads one JSON text and nothing after it.
///
/// @errors Malformed: not RFC 8259, not UTF-8, duplicate keys, NUL in a key; TooLarge: deeper than kMaxJsonDepth, more
/// values than kMaxJsonNodes, an integer of more than 400 digits.
Result<Json> parse_json(std::string_view text);

/// Writes without white space, on one line, UTF-8 kept; control characters escaped (RFC 8259 section 7).
std::string to_text(const Json& value);
/// Indented by two, for people and files.
std::string to_pretty_text(const Json& value);
/// Like Python's json.dumps: ASCII only, ", " and ": " between (the style of uPKI's wire).
std::string to_python_text(const Json& value);

}  // namespace chancery::wire

namespace chancery {
using wire::Json;
}
