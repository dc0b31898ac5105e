#include "server/wire/commands.h"

#include <algorithm>
#include <vector>

#include "server/base/clock.h"
#include "server/base/names.h"
#include "server/base/text.h"
#include "server/wire/command_lists.h"
#include "server/wire/request_lists.h"

namespace chancery::wire {
namespace {

constexpr std::array kCommands{
#define COMMAND(name, handler, role, state, effect, params, result, doc) \
  Command{name, Role::role, In::state, Effect::effect, params, result, doc},
#include "server/wire/commands.def"
#undef COMMAND
};
static_assert(std::ranges::is_sorted(kCommands, {}, &Command::name));

struct TypeRow {
  Type type;
  std::string_view text;
  std::string_view expected;  ///< for messages
};
constexpr std::array kTypes{
    TypeRow{Type::Text, "text", "a text"},
    TypeRow{Type::Word, "word", "a text"},
    TypeRow{Type::Hex, "hex", "a text of hexadecimal digits"},
    TypeRow{Type::Pem, "pem", "a PEM text"},
    TypeRow{Type::File, "file", "the text of a file"},
    TypeRow{Type::Time, "time", "an RFC 3339 time"},
    TypeRow{Type::Integer, "integer", "an integer"},
    TypeRow{Type::Boolean, "boolean", "true or false"},
    TypeRow{Type::Texts, "texts", "an array of texts"},
    TypeRow{Type::Object, "object", "an object"},
    TypeRow{Type::Objects, "objects", "an array of objects"},
    TypeRow{Type::Any, "any", "any value"},
};
const TypeRow& row_of(Type type) { return kTypes.at(static_cast<std::size_t>(type)); }

Error bad_param(const Param& param, const std::string& found, std::string hint = {}) {
  return {Code::InvalidParams, "parameter " + std::string(param.name) + ": " + found, std::move(hint)};
}

Error wrong_type(const Param& param, const Json& value) {
  return bad_param(param, "found " + std::string(value.kind()) + ", expected " + std::string(row_of(param.type).expected));
}

Error too_large(const Param& param, std::size_t found) {
  return {Code::TooLarge, "parameter " + std::string(param.name) + ": " + std::to_string(found) + ", expected at most " +
                              std::to_string(param.bound)};
}

std::vector<std::string_view> words_of(const Param& param) {
  std::vector<std::string_view> words;
  for (auto rest = param.words; !rest.empty();) {
    const auto end = rest.find(' ');
    words.push_back(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return words;
}

Status check_word_param(const Param& param, const std::string& text) {
  if (param.words.empty()) {
    if (base::check_word(text, param.name).ok()) return {};
    return bad_param(param, "found \"" + base::printable(text, 64) + "\", expected a name of a-z 0-9 - _");
  }
  const auto words = words_of(param);
  if (std::ranges::find(words, text) != words.end()) return {};
  const auto near = base::did_you_mean(text, words);
  return bad_param(param, "found \"" + base::printable(text, 64) + "\", expected one of: " + std::string(param.words),
                   near.empty() ? "" : "did you mean \"" + std::string(near) + "\"?");
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Status check_text(const Param& param, const std::string& text) {
  if (text.size() > static_cast<std::size_t>(param.bound)) return too_large(param, text.size());
  switch (param.type) {
    case Type::Word: return check_word_param(param, text);
    case Type::Hex:
      if (text.empty() || text.find_first_not_of("0123456789abcdefABCDEF:") != std::string::npos) {
        return bad_param(param, "found \"" + base::printable(text, 64) + "\", expected hexadecimal digits");
      }
      return {};
    case Type::Time: {
      const auto time = base::from_rfc3339(text);
      return time.ok() ? Status() : bad_param(param, time.error().message());
    }
    case Type::File: return text.empty() ? bad_param(param, "found an empty text, expected that of a file") : Status();
    case Type::Pem: return text.empty() ? bad_param(param, "found an empty text, expected PEM") : Status();
    default:
      if (has_control(text)) return bad_param(param, "control characters in the text");
      return {};
  }
}

Status check_items(const Param& param, const Json& value) {
  const auto* items = value.as_array();
  if (items == nullptr) return wrong_type(param, value);
  if (items->size() > static_cast<std::size_t>(param.bound)) return too_large(param, items->size());
  for (const auto& item : *items) {
    if (param.type == Type::Objects) {
      if (!item.is_object()) return wrong_type(param, item);
      continue;
    }
    const auto* text = item.as_string();
    if (text == nullptr) return wrong_type(param, item);
    if (text->size() > static_cast<std::size_t>(kMaxText)) return too_large(param, text->size());
    if (has_control(*text)) return bad_param(param, "control characters in a text");
  }
  return {};
}

/// The bound is that of the object's text, in octets.
Status check_object(const Param& param, const Json& value) {
  if (!value.is_object()) return wrong_type(param, value);
  const auto octets = to_text(value).size();
  return octets <= static_cast<std::size_t>(param.bound) ? Status() : too_large(param, octets);
}

Status check_value(const Param& param, const Json& value) {
  switch (param.type) {
    case Type::Integer: {
      const auto* number = value.as_integer();
      if (number == nullptr) return wrong_type(param, value);
      if (*number < param.least || *number > param.bound) {
        return bad_param(param, "found " + std::to_string(*number) + ", expected " + std::to_string(param.least) + " to " +
                                    std::to_string(param.bound));
      }
      return {};
    }
    case Type::Boolean: return value.as_bool() != nullptr ? Status() : wrong_type(param, value);
    case Type::Object: return check_object(param, value);
    case Type::Texts:
    case Type::Objects: return check_items(param, value);
    case Type::Any: return {};
    default: {
      const auto* text = value.as_string();
      return text == nullptr ? wrong_type(param, value) : check_text(param, *text);
    }
  }
}

Error unknown_param(const Command& command, std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& param : command.params) known.push_back(param.name);
  const auto near = base::did_you_mean(name, known);
  std::string list;
  for (const auto one : known) list += (list.empty() ? "" : ", ") + std::string(one);
  return {Code::InvalidParams,
          "unknown parameter \"" + base::printable(name, 64) + "\", expected " + (list.empty() ? "none" : "one of: " + list),
          near.empty() ? "" : "did you mean \"" + std::string(near) + "\"?"};
}

Json describe_param(const Param& param) {
  auto out = Json::object({{"name", param.name},
                           {"type", to_text(param.type)},
                           {"required", param.required},
                           {"bound", param.bound},
                           {"doc", param.doc}});
  if (param.type == Type::Integer) out.set("least", param.least);
  if (!param.words.empty()) {
    Json words = Json::array();
    for (const auto word : words_of(param)) words.push_back(word);
    out.set("words", std::move(words));
  }
  return out;
}

}  // namespace

std::string_view to_text(Type type) { return row_of(type).text; }

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto found = std::ranges::lower_bound(kCommands, name, {}, &Command::name);
  return found != kCommands.end() && found->name == name ? &*found : nullptr;
}

Status check_params(const Command& command, const Json& params) {
  const auto* members = params.as_object();
  if (members == nullptr)
    return Error(Code::InvalidParams, "params: found " + std::string(params.kind()) + ", expected an object");
  for (const auto& [name, value] : *members) {
    const auto param = std::ranges::find(command.params, name, &Param::name);
    if (param == command.params.end()) return unknown_param(command, name);
    if (value.is_null() && !param->required) continue;
    PKI_TRY_VOID(check_value(*param, value));
  }
  for (const auto& param : command.params) {
    if (param.required && params.find(param.name) == nullptr)
      return bad_param(param, "missing, expected " + std::string(row_of(param.type).expected));
  }
  return {};
}

std::string_view to_text(In state) {
  constexpr std::array kStates{std::string_view{"anywhere"}, std::string_view{"realm"}, std::string_view{"front_end"},
                               std::string_view{"holder"}};
  return kStates.at(static_cast<std::size_t>(state));
}

Json describe_command(const Command& command) {
  Json params = Json::array();
  for (const auto& param : command.params) params.push_back(describe_param(param));
  Json result = Json::array();
  for (const auto& field : command.result) {
    result.push_back(Json::object({{"name", field.name}, {"type", to_text(field.type)}, {"doc", field.doc}}));
  }
  return Json::object({{"name", command.name},
                       {"role", base::to_text(command.least_role)},
                       {"state", to_text(command.state)},
                       {"params", std::move(params)},
                       {"result", std::move(result)},
                       {"doc", command.doc}});
}

Json describe_commands() {
  Json list = Json::array();
  for (const auto& command : kCommands) list.push_back(describe_command(command));
  return list;
}

}  // namespace chancery::wire
