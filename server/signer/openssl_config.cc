#include "server/signer/openssl_config.h"

#include <algorithm>

#include "server/base/text.h"

namespace chancery::signer {
namespace {

using Values = std::map<std::string, std::string>;

constexpr std::size_t kMaxConfig = 1 << 20;
constexpr std::size_t kMaxValue = 65536;
constexpr std::size_t kMaxValues = 16 << 20;  ///< of all together: a variable is longer than its name

bool is_of_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// config(5): sections of names and values; a name stands for the value that it has so far.
class Parser {
 public:
  Status line(std::string_view text) {
    text = base::trim(without_comment(text));
    if (text.empty()) return {};
    if (text.front() == '[') return begin_section(text);
    if (text.starts_with(".include")) return Error(Code::Unsupported, "found .include, expected a file that says all itself");
    if (text.starts_with(".pragma")) return {};
    const auto at = text.find('=');
    if (at == std::string_view::npos)
      return Error(Code::Malformed, "found \"" + base::printable(text, 60) + "\", expected name = value");
    auto value = with_variables(base::trim(text.substr(at + 1)));
    if (!value.ok() && value.error().code() == Code::TooLarge) return value.error();
    if (!value.ok()) {  // of other sections nobody asks
      wrong_.try_emplace(section_, value.error());
      return {};
    }
    total_ += value->size();
    if (total_ > kMaxValues) return Error(Code::TooLarge, "found values above 16 MiB");
    sections_[section_][std::string(base::trim(text.substr(0, at)))] = std::move(*value);
    return {};
  }

  Result<Values> section_of_ca() const {
    const auto named = value_in("ca", "default_ca");
    if (!named) return Error(Code::Malformed, "found no default_ca in section [ca], expected the name of the CA's section");
    const auto found = sections_.find(*named);
    if (found == sections_.end())
      return Error(Code::Malformed, "found no section [" + base::printable(*named, 60) + "], which default_ca names");
    if (const auto wrong = wrong_.find(*named); wrong != wrong_.end())
      return wrong->second.within("[" + base::printable(*named, 60) + "]");
    return found->second;
  }

 private:
  static std::string_view without_comment(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '#') {
        return text.substr(0, i);
      }
    }
    return text;
  }

  Status begin_section(std::string_view text) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return Error(Code::Malformed, "found a section without its ], expected [name]");
    section_ = std::string(base::trim(text.substr(1, end - 1)));
    sections_.try_emplace(section_);
    return {};
  }

  const std::string* value_in(const std::string& section, const std::string& name) const {
    for (const auto& one : {section, std::string("default")}) {
      const auto found = sections_.find(one);
      if (found == sections_.end()) continue;
      const auto value = found->second.find(name);
      if (value != found->second.end()) return &value->second;
    }
    return nullptr;
  }

  /// $name, ${name}, $(name), each also as section::name. @param at  of the dollar sign; behind the variable afterwards
  Result<std::string> variable(std::string_view text, std::size_t& at) const {
    const char open = at + 1 < text.size() ? text[at + 1] : '\0';
    const char close = open == '{' ? '}' : open == '(' ? ')' : '\0';
    const auto from = at + (close == '\0' ? 1 : 2);
    auto end = from;
    while (end < text.size() &&
           (is_of_name(text[end]) || text.substr(end, 2) == "::" || (end > from && text.substr(end - 1, 2) == "::")))
      ++end;
    if (close != '\0' && (end >= text.size() || text[end] != close))
      return Error(Code::Malformed, "found a variable without its end");
    auto name = std::string(text.substr(from, end - from));
    at = end + (close == '\0' ? 0 : 1);
    const auto parted = name.find("::");
    const auto section = parted == std::string::npos ? section_ : name.substr(0, parted);
    if (section == "ENV")
      return Error(Code::Unsupported,
                   "found the variable " + base::printable(name, 60) + " of the environment, expected its value");
    if (parted != std::string::npos) name.erase(0, parted + 2);
    if (const auto* value = value_in(section, name)) return *value;
    return Error(Code::Malformed, "found the variable \"" + base::printable(name, 60) + "\", which has no value yet");
  }

  /// Quotes and backslashes go as config(5) says.
  Result<std::string> with_variables(std::string_view text) const {
    std::string out;
    char quote = '\0';
    for (std::size_t i = 0; i < text.size();) {
      const char c = text[i];
      if (c == '$' && quote != '\'') {
        PKI_TRY(const auto value, variable(text, i));
        out += value;
        if (out.size() > kMaxValue) return Error(Code::TooLarge, "found a value above 64 KiB");
        continue;
      }
      if (c == '\\' && i + 1 < text.size()) {
        out += text[++i];
      } else if (quote == '\0' && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == quote) {
        quote = '\0';
      } else {
        out += c;
      }
      ++i;
    }
    return out;
  }

  std::string section_ = "default";
  std::map<std::string, Values> sections_;
  std::map<std::string, Error> wrong_;  ///< the first of each section
  std::size_t total_ = 0;
};

}  // namespace

Result<std::map<std::string, std::string>> parse_default_ca(std::string_view text) {
  if (text.size() > kMaxConfig) return Error(Code::TooLarge, "found a file above 1 MiB");
  if (text.find('\0') != std::string_view::npos) return Error(Code::Malformed, "found a NUL, expected text");
  Parser parser;
  std::string whole;
  std::size_t number = 0;
  for (const auto& line : base::split(text, '\n')) {
    ++number;
    auto piece = std::string_view(line);
    if (piece.ends_with('\r')) piece.remove_suffix(1);
    if (piece.ends_with('\\')) {  // goes on in the next line
      whole += piece.substr(0, piece.size() - 1);
      continue;
    }
    whole += piece;
    const auto read = parser.line(whole);
    if (!read.ok()) return read.error().within("line " + std::to_string(number));
    whole.clear();
  }
  return parser.section_of_ca();
}

}  // namespace chancery::signer
