#include "clients/zmq/dialect.h"

#include <algorithm>
#include <array>

#include "server/base/names.h"
#include "server/base/text.h"
#include "server/x509/reasons.h"

namespace chancery::zmq_gateway {
namespace {

constexpr std::string_view kReasons =
    "['unspecified', 'keyCompromise', 'cACompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation', "
    "'certificateHold', "
    "'removeFromCRL', 'privilegeWithdrawn', 'aACompromise']";

struct Class {
  Code code;
  std::string_view prefix;
};
/// uPKI's classes: 100 storage, 200 validation, 300 certificate, 400 key, 500 profile, 600 authority, 700 communication,
/// 900 revocation. What is not here is 700.
constexpr std::array kClasses{
    Class{Code::Io, "[100] "},         Class{Code::StoreFailed, "[100] "},   Class{Code::Corrupt, "[100] "},
    Class{Code::Malformed, "[200] "},  Class{Code::InvalidParams, "[200] "}, Class{Code::PolicyRefused, "[200] "},
    Class{Code::TooLarge, "[200] "},   Class{Code::NotFound, "[300] "},      Class{Code::BadProof, "[300] "},
    Class{Code::LintFailed, "[300] "}, Class{Code::BadKey, "[400] "},        Class{Code::Unavailable, "[600] "},
    Class{Code::BadConfig, "[600] "},  Class{Code::Conflict, "[900] "},
};

bool only(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

Result<Json> san_from(const Json& value) {
  if (value.is_string()) return value;
  const auto type = value.text("type");
  const auto text = value.text("value");
  if (type.empty() || text.empty()) return Error(Code::InvalidParams, "SAN without type or value");
  return Json(type + ":" + text);
}

}  // namespace

Result<Message> parse_message(std::string_view frame) {
  const auto json = wire::parse_json(frame);
  if (!json.ok()) return Error(Code::Malformed, "Invalid JSON: " + json.error().message());
  const auto* task = json->find("TASK");
  if (task == nullptr || !task->is_string()) return Error(Code::Malformed, "[700] Missing TASK");
  if (const auto* params = json->find("params"); params != nullptr) return Message{*task->as_string(), *params};
  if (const auto* params = json->find("PARAMS"); params != nullptr)
    return Message{base::to_lower_ascii(*task->as_string()), *params, Dialect::Older};
  return Message{*task->as_string(), Json()};
}

std::string answer(const Json& data) { return wire::to_python_text(Json::object({{"EVENT", "ANSWER"}, {"DATA", data}})); }

std::string failure(const Error& error, Dialect dialect) {
  const auto text = dialect == Dialect::Older ? older_failure_text(error) : failure_text(error);
  return wire::to_python_text(Json::object({{"EVENT", "UPKI ERROR"}, {"MSG", text}}));
}

std::string older_failure_text(const Error& error) {
  if (error.code() == Code::UnknownMethod) return "Unknown command";
  const auto text = failure_text(error);
  const auto end = text.starts_with('[') ? text.find("] ") : std::string::npos;
  return end == std::string::npos ? text : text.substr(end + 2);
}

std::string failure_text(const Error& error) {
  const auto& message = error.message();
  if (message.starts_with("[") || message.starts_with("Invalid JSON")) return message;
  constexpr std::string_view kProfile = "profile not found";
  if (message.starts_with(kProfile)) return "[500] Profile not found" + message.substr(kProfile.size());
  const auto found = std::ranges::find(kClasses, error.code(), &Class::code);
  return std::string(found == kClasses.end() ? "[700] " : found->prefix) + message;
}

Json selector(const std::string& dn) {
  constexpr std::size_t kShortestSerial = 16;  // ours have 38 hexadecimal digits; a shorter number is a name
  if (dn.size() >= kShortestSerial && only(dn, "0123456789")) {
    if (const auto serial = Serial::from_decimal(dn); serial.ok()) return Json::object({{"serial", serial->hex()}});
  }
  if (dn.size() >= kShortestSerial && only(dn, "0123456789abcdefABCDEF:")) return Json::object({{"serial", dn}});
  if (dn.find('=') == std::string::npos) return Json::object({{"cn", dn}});
  return Json::object({{"dn", dn}});
}

Result<std::string> reason_from(const Json& value) {
  const auto* number = value.as_integer();
  const auto text = number != nullptr   ? std::to_string(*number)
                    : value.is_string() ? *value.as_string()
                                        : std::string(value.kind());
  if (only(text, "0123456789") && text.size() <= 2) {
    const auto name = x509::reason_name(std::stoi(text));
    if (!name.empty()) return std::string(name);
  } else if (const auto known = x509::reason_from_name(text); known.ok()) {
    return std::string(x509::reason_name(*known));
  }
  return Error(Code::InvalidParams,
               "Invalid revocation reason: " + base::printable(text, 64) + ". Allowed values: " + std::string(kReasons));
}

Result<Json> sans_from(const Json& value) {
  if (value.is_null()) return Json::array();
  const auto* items = value.as_array();
  if (items == nullptr) return Error(Code::InvalidParams, "sans is " + std::string(value.kind()) + ", expected an array");
  Json out = Json::array();
  for (const auto& item : *items) {
    PKI_TRY(auto text, san_from(item));
    out.push_back(std::move(text));
  }
  return out;
}

Json serial_number(const std::string& hex) {
  const auto serial = Serial::from_hex(hex);
  return serial.ok() ? Json(Json::BigInteger{serial->decimal()}) : Json();
}

std::string python_time(std::string time) {
  if (time.ends_with('Z')) time.replace(time.size() - 1, 1, "+00:00");
  return time;
}

}  // namespace chancery::zmq_gateway
