#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/key_spec.h"
#include "server/base/names.h"
#include "server/base/role.h"
#include "server/config/node.h"
#include "server/config/realm_config.h"

/// The texts of single values: what a setting of a C++ type accepts and how it is printed. One Codec for each type.
namespace chancery::config {

/// When a changed value counts.
enum class When {
  Reload,    ///< at the next SIGHUP
  Start,     ///< at the next start of the server
  Creation,  ///< only when the CA is made
};
std::string_view to_text(When when);

/// Checks a text that is not empty. @return an error whose message says what was found and what was expected.
using TextCheck = Status (*)(std::string_view);

/// What a row of a settings table says of a setting.
struct SettingInfo {
  std::string_view name = {};
  std::string_view aliases = {};  ///< other names that are read, separated by blanks
  std::string_view unit = {};     ///< of a duration without a letter behind it: "s" or "d"
  std::int64_t least = 0;         ///< of numbers and durations (seconds or days)
  std::int64_t most = 0;          ///< both 0: no range
  std::string_view words = {};    ///< of words: those allowed, separated by blanks
  TextCheck check = nullptr;      ///< of texts, and of each text in a list
  bool required = false;          ///< must be given, and not empty
  bool filled = false;            ///< when it is given, it is not empty
  bool yaml11_truth = false;      ///< of truth values: those of YAML 1.1 are read, too
  When when = When::Reload;
  std::string_view doc = {};
  bool several = false;        ///< a list of such values; from the member's type
  std::string_view type = {};  ///< what the manual calls the values; from the Codec
};

/// How a YAML scalar must stand in the text to be taken for a value of a type.
enum class Looks {
  Any,     ///< with or without quotes
  Text,    ///< in quotes when YAML would take it for a number, a truth value or nothing
  Number,  ///< without quotes
};
/// @return why the node cannot be one value of that kind, or nothing.
std::optional<std::string> misplaced(const SettingInfo& info, const Node& node, Looks looks);

/// What the setting takes, for messages and the manual: "a number from 1 to 65535".
std::string expectation(const SettingInfo& info);
/// found "x", expected <expectation> (did you mean "y"?)
Error mismatch(const SettingInfo& info, std::string_view found);
/// The blank-separated parts.
std::vector<std::string> words_of(std::string_view text);
/// " (did you mean "x"?)" or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string>& known);
/// "7d", "90s": the largest unit that leaves no rest.
std::string duration_text(std::chrono::seconds value);

template <class T>
struct Codec;  // one specialisation for each type of a member

template <>
struct Codec<std::string> {
  static constexpr std::string_view kType = "text";
  static constexpr Looks kLooks = Looks::Text;
  static Result<std::string> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, const std::string& value);
};

template <>
struct Codec<std::filesystem::path> {
  static constexpr std::string_view kType = "path";
  static constexpr Looks kLooks = Looks::Text;
  static Result<std::filesystem::path> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, const std::filesystem::path& value);
};

template <>
struct Codec<int> {
  static constexpr std::string_view kType = "number";
  static constexpr Looks kLooks = Looks::Number;
  static Result<int> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, int value);
};

/// "none" or a number.
template <>
struct Codec<std::optional<int>> {
  static constexpr std::string_view kType = "number or none";
  static constexpr Looks kLooks = Looks::Number;
  static Result<std::optional<int>> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, const std::optional<int>& value);
};

template <>
struct Codec<bool> {
  static constexpr std::string_view kType = "true or false";
  static constexpr Looks kLooks = Looks::Number;
  static Result<bool> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, bool value);
};

/// A file mode in octal digits.
template <>
struct Codec<unsigned> {
  static constexpr std::string_view kType = "mode";
  static constexpr Looks kLooks = Looks::Any;
  static Result<unsigned> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, unsigned value);
};

template <>
struct Codec<std::chrono::seconds> {
  static constexpr std::string_view kType = "duration";
  static constexpr Looks kLooks = Looks::Any;
  static Result<std::chrono::seconds> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, std::chrono::seconds value);
};

template <>
struct Codec<std::chrono::days> {
  static constexpr std::string_view kType = "days";
  static constexpr Looks kLooks = Looks::Any;
  static Result<std::chrono::days> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, std::chrono::days value);
};

template <>
struct Codec<base::KeySpec> {
  static constexpr std::string_view kType = "key kind";
  static constexpr Looks kLooks = Looks::Any;
  static Result<base::KeySpec> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, const base::KeySpec& value);
};

template <>
struct Codec<Role> {
  static constexpr std::string_view kType = "role";
  static constexpr Looks kLooks = Looks::Any;
  static Result<Role> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, Role value);
};

template <>
struct Codec<ProfileName> {
  static constexpr std::string_view kType = "profile name";
  static constexpr Looks kLooks = Looks::Any;
  static Result<ProfileName> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, const ProfileName& value);
};

template <>
struct Codec<ClientsMode> {
  static constexpr std::string_view kType = "word";
  static constexpr Looks kLooks = Looks::Any;
  static Result<ClientsMode> parse(const SettingInfo& info, std::string_view text);
  static Node print(const SettingInfo& info, ClientsMode value);
};

}  // namespace chancery::config
