#include "clients/cli/arguments.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iostream>

#include "server/base/file.h"
#include "server/base/text.h"

namespace chancery::cli {
namespace {

constexpr std::size_t kMaxArgumentBytes = 1 << 20;

Error bad(const wire::Param& param, const std::string& found, std::string_view expected) {
  return {Code::InvalidParams,
          "--" + option_name(param.name) + ": found \"" + base::printable(found, 64) + "\", expected " + std::string(expected)};
}

Result<Json> integer(const wire::Param& param, const std::string& word) {
  std::int64_t value = 0;
  const auto* const last = word.data() + word.size();
  const auto [end, failure] = std::from_chars(word.data(), last, value);
  if (failure != std::errc() || end != last) return bad(param, word, "an integer");
  return Json(value);
}

Result<Json> json(const wire::Param& param, const std::string& word) {
  auto value = wire::parse_json(word);
  if (value.ok()) return value;
  return Error(Code::InvalidParams, "--" + option_name(param.name) + ": " + value.error().message(), "the value is a JSON text");
}

Result<Json> file(const wire::Param& param, const std::string& word, const Reader& read) {
  auto text = read(word);
  if (!text.ok()) return text.error().within("--" + option_name(param.name));
  return Json(std::move(text).value());
}

Result<Json> pem(const wire::Param& param, const std::string& word, const Reader& read) {
  return word.starts_with("-----BEGIN") ? Json(word) : file(param, word, read);
}

Result<std::string> read_standard_input() {
  std::string text;
  for (char c = 0; std::cin.get(c);) {
    if (text.size() == kMaxArgumentBytes)
      return Error(Code::TooLarge, "standard input is above " + std::to_string(kMaxArgumentBytes) + " octets");
    text.push_back(c);
  }
  return text;
}

}  // namespace

Result<std::string> read_argument_file(const std::string& name) {
  // By its name it could not be opened where it is a socket.
  const bool is_standard_input = name == "-" || name == "/dev/stdin";
  return is_standard_input ? read_standard_input() : base::read_input(name, kMaxArgumentBytes);
}

std::string option_name(std::string_view parameter) {
  std::string name(parameter);
  std::ranges::replace(name, '_', '-');
  return name;
}

std::string option_names(const wire::Param& param) {
  const auto name = option_name(param.name);
  if (param.type == wire::Type::Boolean) return "--" + name + ",!--no-" + name;
  if (param.type == wire::Type::Texts && name.ends_with('s')) return "--" + name + ",--" + name.substr(0, name.size() - 1);
  return "--" + name;
}

bool is_secret(const wire::Param& param) {
  return param.name == "password" || param.name == "old_password" || param.name == "token";
}

std::string value_name(const wire::Param& param) {
  if (is_secret(param)) return "FILE";
  switch (param.type) {
    case wire::Type::Pem:
    case wire::Type::File: return "FILE";
    case wire::Type::Texts: return "TEXT";
    case wire::Type::Object:
    case wire::Type::Objects:
    case wire::Type::Any: return "JSON";
    default: break;
  }
  std::string name(wire::to_text(param.type));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

Result<Json> argument(const wire::Param& param, const std::vector<std::string>& words, const Reader& read) {
  if (param.type == wire::Type::Texts) return Json::strings(words);
  if (words.size() != 1)
    return Error(Code::InvalidParams,
                 "--" + option_name(param.name) + ": given " + std::to_string(words.size()) + " times, expected once");
  const auto& word = words.front();
  if (is_secret(param)) {
    auto text = read(word);
    if (!text.ok()) return text.error().within("--" + option_name(param.name));
    return Json(text->substr(0, text->find_first_of("\r\n")));
  }
  switch (param.type) {
    case wire::Type::Integer: return integer(param, word);
    case wire::Type::Pem: return pem(param, word, read);
    case wire::Type::File: return file(param, word, read);
    case wire::Type::Object:
    case wire::Type::Objects:
    case wire::Type::Any: return json(param, word);
    case wire::Type::Boolean:
      if (word != "true" && word != "false") return bad(param, word, "true or false");
      return Json(word == "true");
    default: return Json(word);
  }
}

Result<Json> arguments(const wire::Command& command, const Given& given, const Reader& read) {
  auto params = Json::object();
  for (const auto& param : command.params) {
    const auto found = given.find(param.name);
    if (found == given.end()) continue;
    PKI_TRY(auto value, argument(param, found->second, read));
    params.set(param.name, std::move(value));
  }
  PKI_TRY_VOID(wire::check_params(command, params));
  return params;
}

}  // namespace chancery::cli
