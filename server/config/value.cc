#include "server/config/value.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "server/base/text.h"

namespace chancery::config {
namespace {

constexpr std::size_t kMaxTextOctets = 4096;
constexpr std::size_t kMaxShown = 80;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string shown(std::string_view text) { return "\"" + base::printable(text, kMaxShown) + "\""; }

/// Decimal digits without leading zeros: 010 is 8 to some readers and 10 to others, so to us it is nothing.
std::optional<std::int64_t> whole_number(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_digit) || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc()) return std::nullopt;
  return value;
}

bool in_range(const SettingInfo& info, std::int64_t value) {
  return (info.least == 0 && info.most == 0) || (value >= info.least && value <= info.most);
}

struct Unit {
  char letter;
  std::int64_t seconds;
};
constexpr std::array kUnits{Unit{'d', 86400}, Unit{'h', 3600}, Unit{'m', 60}, Unit{'s', 1}};  // largest first
constexpr std::int64_t kSecondsOfDay = 86400;
constexpr std::int64_t kMostUnits = 1'000'000'000'000;  // times a day is still far from overflow

/// A number with one letter of kUnits behind it, or with the unit the setting has without one.
std::optional<std::int64_t> duration_seconds(std::string_view text, std::string_view bare_unit) {
  if (text.empty()) return std::nullopt;
  char letter = bare_unit.empty() ? 's' : bare_unit[0];
  if (!is_digit(text.back())) {
    letter = text.back();
    text.remove_suffix(1);
  }
  const auto number = whole_number(text);
  const auto unit = std::ranges::find(kUnits, letter, &Unit::letter);
  if (!number || unit == kUnits.end() || *number > kMostUnits) return std::nullopt;
  return *number * unit->seconds;
}

/// Whether YAML readers take the plain text for something else than a text (YAML 1.1 and 1.2 together).
bool looks_like_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".nan") return true;
  if (text.empty() || !(is_digit(text[0]) || (text[0] == '.' && text.size() > 1 && is_digit(text[1])))) return false;
  if (text.starts_with("0x") || text.starts_with("0o") || text.starts_with("0b")) return true;
  // Digits with separators, at most one point and an exponent; a second point makes it a text again, like an address.
  const bool figures =
      std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.' || c == '_' || c == 'e' || c == 'E'; });
  return figures && std::ranges::count(text, '.') <= 1;
}

bool looks_like_truth(std::string_view text) {
  constexpr std::array<std::string_view, 8> kTruths{"true", "false", "yes", "no", "on", "off", "y", "n"};
  return std::ranges::find(kTruths, base::to_lower_ascii(text)) != kTruths.end();
}

bool is_word_of(std::string_view words, std::string_view text) {
  const auto known = words_of(words);
  return std::ranges::find(known, text) != known.end();
}

std::string range_text(const SettingInfo& info, auto print) {
  if (info.least == 0 && info.most == 0) return {};
  return " from " + print(info.least) + " to " + print(info.most);
}

Error with_suggestion(const Error& error) {
  return {error.code(), "found " + error.message() + (error.hint().empty() ? "" : " (" + error.hint() + ")")};
}

}  // namespace

std::string_view to_text(When when) {
  constexpr std::array<std::string_view, 3> kTexts{"reload", "start", "when the CA is made"};
  return kTexts.at(static_cast<std::size_t>(when));
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (const auto& part : base::split(text, ' ')) {
    if (!base::trim(part).empty()) words.emplace_back(base::trim(part));
  }
  return words;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const auto near = base::did_you_mean(word, views);
  return near.empty() ? "" : " (did you mean \"" + std::string(near) + "\"?)";
}

std::string duration_text(std::chrono::seconds value) {
  for (const auto& unit : kUnits) {
    if (value.count() != 0 && value.count() % unit.seconds == 0)
      return std::to_string(value.count() / unit.seconds) + unit.letter;
  }
  return "0s";
}

std::string expectation(const SettingInfo& info) {
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  const auto duration = [](std::int64_t value) { return duration_text(std::chrono::seconds{value}); };
  if (!info.words.empty()) return "one of " + base::join(words_of(info.words), ", ");
  if (info.type == Codec<int>::kType) return "a number" + range_text(info, number);
  if (info.type == Codec<std::optional<int>>::kType) return "none or a number" + range_text(info, number);
  if (info.type == Codec<bool>::kType) return "true or false";
  if (info.type == Codec<unsigned>::kType)
    return "an octal mode" + range_text(info, [](std::int64_t value) { return base::octal(static_cast<unsigned>(value)); });
  if (info.type == Codec<std::chrono::days>::kType) return "a number of days" + range_text(info, number);
  if (info.type == Codec<std::chrono::seconds>::kType) {
    return "a duration such as 90s, 5m, 12h or 7d" + range_text(info, duration);
  }
  const bool has_vowel = std::string_view("aeio").find(info.type.front()) != std::string_view::npos;
  return (has_vowel ? "an " : "a ") + std::string(info.type);
}

Error mismatch(const SettingInfo& info, std::string_view found) {
  return {Code::BadConfig, "found " + shown(found) + ", expected " + expectation(info) + suggestion(found, words_of(info.words))};
}

std::optional<std::string> misplaced(const SettingInfo& info, const Node& node, Looks looks) {
  const auto expected = ", expected " + expectation(info);
  switch (node.kind) {
    case Node::Kind::Null: return "found nothing" + expected;
    case Node::Kind::List: return "found a list" + expected;
    case Node::Kind::Map: return "found settings below it" + expected;
    case Node::Kind::Scalar: break;
  }
  if (looks == Looks::Number && node.style == Node::Style::Quoted) {
    return "found the text " + shown(node.text) + expected + " without quotes";
  }
  if (looks == Looks::Text && node.style == Node::Style::Plain && (looks_like_number(node.text) || looks_like_truth(node.text))) {
    return "found " + base::printable(node.text, kMaxShown) + ", which YAML takes for a " +
           (looks_like_truth(node.text) ? "truth value" : "number") + expected + " (write " + shown(node.text) + ")";
  }
  return std::nullopt;
}

Result<std::string> Codec<std::string>::parse(const SettingInfo& info, std::string_view text) {
  if (text.size() > kMaxTextOctets) {
    return Error(Code::TooLarge,
                 "found " + std::to_string(text.size()) + " octets, expected at most " + std::to_string(kMaxTextOctets));
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(text, is_control) || !base::is_utf8(text)) {
    return Error(Code::BadConfig, "found control characters in " + shown(text) + ", expected one line of text");
  }
  const bool is_item = info.several && (info.check != nullptr || !info.words.empty());  // none is said by an empty list
  if (text.empty() && (info.required || info.filled || is_item))
    return Error(Code::BadConfig, "found an empty text, expected " + expectation(info));
  if (text.empty()) return std::string();
  if (info.check != nullptr) PKI_TRY_VOID(info.check(text));
  if (!info.words.empty() && !is_word_of(info.words, text)) return mismatch(info, text);
  return std::string(text);
}
Node Codec<std::string>::print(const SettingInfo& info, const std::string& value) {
  return info.words.empty() || value.empty() || looks_like_truth(value) ? quoted(value) : plain(value);
}

Result<std::filesystem::path> Codec<std::filesystem::path>::parse(const SettingInfo& info, std::string_view text) {
  PKI_TRY(const auto good, Codec<std::string>::parse(info, text));
  return std::filesystem::path(good);
}
Node Codec<std::filesystem::path>::print(const SettingInfo&, const std::filesystem::path& value) {
  return quoted(value.string());
}

Result<int> Codec<int>::parse(const SettingInfo& info, std::string_view text) {
  const auto number = whole_number(text);
  if (!number || *number > INT32_MAX || !in_range(info, *number)) return mismatch(info, text);
  return static_cast<int>(*number);
}
Node Codec<int>::print(const SettingInfo&, int value) { return plain(std::to_string(value)); }

Result<std::optional<int>> Codec<std::optional<int>>::parse(const SettingInfo& info, std::string_view text) {
  if (text == "none") return std::optional<int>();
  PKI_TRY(const auto number, Codec<int>::parse(info, text));
  return std::optional<int>(number);
}
Node Codec<std::optional<int>>::print(const SettingInfo&, const std::optional<int>& value) {
  return plain(value ? std::to_string(*value) : "none");
}

namespace {
/// As PyYAML resolves them (YAML 1.1, without its y and n): in small letters, with a capital, or in capitals.
constexpr std::array<std::string_view, 9> kYaml11True{"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
constexpr std::array<std::string_view, 9> kYaml11False{"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};
}  // namespace

Result<bool> Codec<bool>::parse(const SettingInfo& info, std::string_view text) {
  if (text == "true" || (info.yaml11_truth && std::ranges::find(kYaml11True, text) != kYaml11True.end())) return true;
  if (text == "false" || (info.yaml11_truth && std::ranges::find(kYaml11False, text) != kYaml11False.end())) return false;
  return mismatch(info, text);
}
Node Codec<bool>::print(const SettingInfo&, bool value) { return plain(value ? "true" : "false"); }

Result<unsigned> Codec<unsigned>::parse(const SettingInfo& info, std::string_view text) {
  constexpr std::size_t kMostDigits = 5;
  constexpr int kOctal = 8;
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, kOctal);
  const bool whole = failure == std::errc() && end == text.data() + text.size() && text.size() <= kMostDigits;
  if (!whole || !in_range(info, value)) return mismatch(info, text);
  return value;
}
Node Codec<unsigned>::print(const SettingInfo&, unsigned value) { return plain(base::octal(value)); }

Result<std::chrono::seconds> Codec<std::chrono::seconds>::parse(const SettingInfo& info, std::string_view text) {
  const auto seconds = duration_seconds(text, info.unit);
  if (!seconds || !in_range(info, *seconds)) return mismatch(info, text);
  return std::chrono::seconds{*seconds};
}
Node Codec<std::chrono::seconds>::print(const SettingInfo&, std::chrono::seconds value) { return plain(duration_text(value)); }

Result<std::chrono::days> Codec<std::chrono::days>::parse(const SettingInfo& info, std::string_view text) {
  const auto seconds = duration_seconds(text, "d");
  if (!seconds || *seconds % kSecondsOfDay != 0 || !in_range(info, *seconds / kSecondsOfDay)) return mismatch(info, text);
  return std::chrono::days{*seconds / kSecondsOfDay};
}
Node Codec<std::chrono::days>::print(const SettingInfo&, std::chrono::days value) { return plain(std::to_string(value.count())); }

Result<base::KeySpec> Codec<base::KeySpec>::parse(const SettingInfo&, std::string_view text) {
  const auto key = base::parse_key_spec(text);
  if (!key.ok()) return with_suggestion(key.error());
  return *key;
}
Node Codec<base::KeySpec>::print(const SettingInfo&, const base::KeySpec& value) { return quoted(base::to_text(value)); }

Result<Role> Codec<Role>::parse(const SettingInfo&, std::string_view text) {
  const auto role = base::role_from_text(text);
  if (!role.ok()) return with_suggestion(role.error());
  return *role;
}
Node Codec<Role>::print(const SettingInfo&, Role value) { return plain(std::string(base::to_text(value))); }

Result<ProfileName> Codec<ProfileName>::parse(const SettingInfo&, std::string_view text) {
  const auto name = ProfileName::parse(text);
  if (!name.ok()) return Error(Code::BadConfig, "found " + shown(text) + ": " + name.error().message());
  return *name;
}
Node Codec<ProfileName>::print(const SettingInfo&, const ProfileName& value) { return quoted(value.text()); }

namespace {
constexpr std::array<std::string_view, 3> kClientsModes{"all", "register", "manual"};
}

Result<ClientsMode> Codec<ClientsMode>::parse(const SettingInfo& info, std::string_view text) {
  const auto found = std::ranges::find(kClientsModes, text);
  if (found == kClientsModes.end()) return mismatch(info, text);
  return static_cast<ClientsMode>(found - kClientsModes.begin());
}
Node Codec<ClientsMode>::print(const SettingInfo&, ClientsMode value) {
  return plain(std::string(kClientsModes.at(static_cast<std::size_t>(value))));
}

}  // namespace chancery::config
