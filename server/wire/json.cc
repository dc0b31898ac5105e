#include "server/wire/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "server/base/text.h"

namespace chancery::wire {
namespace {

using base::Code;
using base::Error;

constexpr std::size_t kMaxIntegerDigits = 400;
constexpr std::size_t kFewMembers = 16;  ///< of an object: to compare them costs less than to keep a set of them

/// Builds the value from nlohmann's events, refusing before memory grows (PROMISES F30). The library's own tree is not used:
/// it crashes when a deeply nested one is written, keeps the last of duplicate keys, and turns big integers into doubles.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Json take() { return std::move(root_); }
  const std::optional<Error>& refusal() const { return refusal_; }

  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(number_integer_t value) override { return add(Json(std::int64_t{value})); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) return add(Json(Json::BigInteger{std::to_string(value)}));
    return add(Json(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t& digits) override {
    const bool integer = digits.find_first_of(".eE") == std::string::npos;
    if (integer && digits.size() > kMaxIntegerDigits) return refuse(Code::TooLarge, "integer of more than 400 digits");
    if (integer) return add(Json(Json::BigInteger{digits}));
    if (!std::isfinite(value)) return refuse(Code::TooLarge, "number out of range");
    return add(Json(value));
  }
  bool string(string_t& value) override { return add(Json(std::move(value))); }
  bool binary(binary_t& /*value*/) override { return refuse(Code::Malformed, "binary value in a JSON text"); }
  bool start_object(std::size_t /*elements*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*elements*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (name.find('\0') != std::string::npos) return refuse(Code::Malformed, "NUL in the name of a member");
    if (!open_.back().is_new(name)) return refuse(Code::Malformed, "duplicate member \"" + base::printable(name, 64) + "\"");
    open_.back().key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& /*failure*/) override {
    return refuse(Code::Malformed, "not JSON at octet " + std::to_string(position));
  }

 private:
  struct Level {
    Json value;
    std::string key;
    std::unordered_set<std::string> keys;  ///< once there are more than a few

    bool is_new(const std::string& name) {
      const auto& members = *value.as_object();
      if (members.size() < kFewMembers)
        return std::ranges::none_of(members, [&](const Json::Member& one) { return one.first == name; });
      for (; keys.size() < members.size();) keys.insert(members[keys.size()].first);
      return !keys.contains(name);
    }
  };

  bool refuse(Code code, std::string message) {
    if (!refusal_) refusal_.emplace(code, std::move(message));
    return false;
  }
  bool count() {
    if (++nodes_ > kMaxJsonNodes)
      return refuse(Code::TooLarge, "JSON text of more than " + std::to_string(kMaxJsonNodes) + " values");
    return true;
  }
  bool place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* items = open_.back().value.as_array()) {
      items->push_back(std::move(value));
    } else {
      open_.back().value.as_object()->emplace_back(std::move(open_.back().key), std::move(value));
    }
    return true;
  }
  bool add(Json value) { return count() && place(std::move(value)); }
  bool open(Json container) {
    if (open_.size() >= kMaxJsonDepth) return refuse(Code::TooLarge, "JSON nested deeper than " + std::to_string(kMaxJsonDepth));
    if (!count()) return false;
    open_.push_back(Level{std::move(container), {}, {}});
    return true;
  }
  bool close() {
    Json done = std::move(open_.back().value);
    open_.pop_back();
    return place(std::move(done));
  }

  Json root_;
  std::vector<Level> open_;
  std::size_t nodes_ = 0;
  std::optional<Error> refusal_;
};

struct Style {
  bool ascii = false;
  bool spaced = false;
  int indent = 0;
};

void append_unit(std::string& out, unsigned unit) {
  std::array<char, 12> escape{};
  std::snprintf(escape.data(), escape.size(), "\\u%04x", unit);
  out += escape.data();
}

/// A character outside ASCII as one or two UTF-16 escapes; the text is valid UTF-8 or the octet is replaced.
std::size_t append_ascii(std::string& out, std::string_view rest) {
  const auto lead = static_cast<unsigned char>(rest[0]);
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (length > rest.size() || !base::is_utf8(rest.substr(0, length))) {
    append_unit(out, 0xfffd);
    return 1;
  }
  char32_t value = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) value = value << 6 | (static_cast<unsigned char>(rest[i]) & 0x3f);
  if (value >= 0x10000) {
    append_unit(out, 0xd800 + ((value - 0x10000) >> 10));
    append_unit(out, 0xdc00 + ((value - 0x10000) & 0x3ff));
  } else {
    append_unit(out, value);
  }
  return length;
}

void append_string(std::string& out, std::string_view text, const Style& style) {
  const auto is_plain = [&](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet >= 0x20 && octet != 0x7f && c != '"' && c != '\\' && (octet < 0x80 || !style.ascii);
  };
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto run = std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), is_plain) - text.begin();
    out += text.substr(i, static_cast<std::size_t>(run) - i);
    i = static_cast<std::size_t>(run);
    if (i == text.size()) break;
    const char c = text[i];
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x80) {
      i += append_ascii(out, text.substr(i));
      continue;
    }
    ++i;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: append_unit(out, octet);
    }
  }
  out += '"';
}

void append_double(std::string& out, double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out += text;
  if (text.find_first_of(".en") == std::string_view::npos) out += ".0";
}

class Writer {
 public:
  Writer(std::string& out, Style style) : out_(out), style_(style) {}

  void write(const Json& value, int depth) {
    if (const auto* items = value.as_array()) {
      write_sequence('[', ']', items->size(), depth, [&](std::size_t i) { write((*items)[i], depth + 1); });
    } else if (const auto* members = value.as_object()) {
      write_sequence('{', '}', members->size(), depth, [&](std::size_t i) {
        append_string(out_, (*members)[i].first, style_);
        out_ += style_.spaced || style_.indent > 0 ? ": " : ":";
        write((*members)[i].second, depth + 1);
      });
    } else {
      write_scalar(value);
    }
  }

 private:
  template <class WriteItem>
  void write_sequence(char open, char close, std::size_t count, int depth, WriteItem write_item) {
    out_ += open;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out_ += style_.spaced ? ", " : ",";
      new_line(depth + 1);
      write_item(i);
    }
    if (count > 0) new_line(depth);
    out_ += close;
  }
  void new_line(int depth) {
    if (style_.indent == 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(depth) * static_cast<std::size_t>(style_.indent), ' ');
  }
  void write_scalar(const Json& value) {
    if (const auto* text = value.as_string()) return append_string(out_, *text, style_);
    if (const auto* number = value.as_integer()) {
      out_ += std::to_string(*number);
    } else if (const auto* big = value.as_big_integer()) {
      out_ += big->digits;
    } else if (const auto* real = value.as_double()) {
      append_double(out_, *real);
    } else if (const auto* flag = value.as_bool()) {
      out_ += *flag ? "true" : "false";
    } else {
      out_ += "null";
    }
  }

  std::string& out_;
  Style style_;
};

std::string write(const Json& value, Style style) {
  std::string out;
  Writer(out, style).write(value, 0);
  return out;
}

}  // namespace

Json Json::strings(const std::vector<std::string>& texts) {
  Array items(texts.begin(), texts.end());
  return Json(std::move(items));
}

const Json* Json::find(std::string_view key) const {
  if (const auto* members = as_object()) {
    for (const auto& [name, value] : *members) {
      if (name == key) return &value;
    }
  }
  return nullptr;
}

std::string Json::text(std::string_view key, std::string_view fallback) const {
  const auto* value = find(key);
  const auto* found = value == nullptr ? nullptr : value->as_string();
  return found == nullptr ? std::string(fallback) : *found;
}

std::int64_t Json::integer(std::string_view key, std::int64_t fallback) const {
  const auto* value = find(key);
  const auto* found = value == nullptr ? nullptr : value->as_integer();
  return found == nullptr ? fallback : *found;
}

bool Json::boolean(std::string_view key, bool fallback) const {
  const auto* value = find(key);
  const auto* found = value == nullptr ? nullptr : value->as_bool();
  return found == nullptr ? fallback : *found;
}

std::vector<std::string> Json::texts(std::string_view key) const {
  std::vector<std::string> out;
  const auto* value = find(key);
  const auto* items = value == nullptr ? nullptr : value->as_array();
  if (items == nullptr) return out;
  for (const auto& item : *items) {
    if (const auto* text = item.as_string()) out.push_back(*text);
  }
  return out;
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  auto* members = as_object();
  PKI_CHECK(members != nullptr);
  for (auto& [name, old] : *members) {
    if (name == key) {
      old = std::move(value);
      return *this;
    }
  }
  members->emplace_back(std::string(key), std::move(value));
  return *this;
}

void Json::push_back(Json value) {
  if (is_null()) value_ = Array{};
  auto* items = as_array();
  PKI_CHECK(items != nullptr);
  items->push_back(std::move(value));
}

Json Json::take(std::string_view key) {
  if (auto* members = as_object()) {
    for (auto& [name, value] : *members) {
      if (name == key) return std::exchange(value, Json());
    }
  }
  return {};
}

std::string_view Json::kind() const {
  constexpr std::array<std::string_view, 8> kKinds{"null",       "a boolean", "an integer", "a number",
                                                   "an integer", "a text",    "an array",   "an object"};
  return kKinds.at(value_.index());
}

Result<Json> parse_json(std::string_view text) {
  // The library passes over a byte order mark; RFC 8259 section 8.1 lets a reader refuse it, and we do.
  if (text.starts_with("\xef\xbb\xbf")) return Error(Code::Malformed, "byte order mark before the JSON text");
  Builder builder;
  bool complete = false;
  try {
    complete = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  } catch (const nlohmann::json::exception& failure) {
    return Error(Code::Malformed, "not JSON");
  }
  if (builder.refusal()) return *builder.refusal();
  if (!complete) return Error(Code::Malformed, "not JSON");
  return builder.take();
}

std::string to_text(const Json& value) { return write(value, {}); }
std::string to_pretty_text(const Json& value) { return write(value, {.indent = 2}); }
std::string to_python_text(const Json& value) { return write(value, {.ascii = true, .spaced = true}); }

}  // namespace chancery::wire
