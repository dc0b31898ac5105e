#include "clients/api/body.h"

#include <algorithm>
#include <charconv>

#include "clients/http/head.h"
#include "server/base/text.h"

namespace chancery::api {
namespace {

Error not_of_kind(const Field& field, std::string_view found) {
  return {Code::InvalidParams, "member " + std::string(field.name) + " is " + std::string(found) + ", expected " +
                                   std::string(expectation(field.kind))};
}

Status check_bounds(const Field& field, const Json& value) {
  const auto* const number = value.as_integer();
  if (field.most == 0 || number == nullptr || (*number >= field.least && *number <= field.most)) return {};
  return Error(Code::InvalidParams, "member " + std::string(field.name) + " is " + std::to_string(*number) + ", expected " +
                                        std::to_string(field.least) + " to " + std::to_string(field.most));
}

Result<Json> parse_body(const http::Request& request) {
  if (request.body.empty()) return Json::object();
  auto body = wire::parse_json(request.body);
  if (!body.ok()) return Error(Code::Malformed, "the body is not JSON: " + body.error().message());
  if (!body->is_object()) return Error(Code::Malformed, "the body is " + std::string(body->kind()) + ", expected an object");
  return body;
}

Status read_body(const Route& route, const http::Request& request, Json& out) {
  PKI_TRY(const auto body, parse_body(request));
  for (const auto& field : route.fields->body) {
    const auto* value = body.find(field.name);
    const bool is_there = value != nullptr && !value->is_null();
    if (is_there && !fits(field.kind, *value)) return not_of_kind(field, value->kind());
    if (is_there) PKI_TRY_VOID(check_bounds(field, *value));
    if (is_there) out.set(field.name, *value);
    if (!is_there && field.is_required) return Error(Code::InvalidParams, "member " + std::string(field.name) + " is missing");
  }
  return {};
}

/// application/x-www-form-urlencoded: '+' is a blank.
Result<std::string> decode(std::string text) {
  std::ranges::replace(text, '+', ' ');
  return http::decode_percent(text);
}

Result<Json> of_kind(const Field& field, const std::string& text) {
  if (field.kind != Kind::Number) return Json(text);
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc() && end == text.data() + text.size()) return Json(number);
  return not_of_kind(field, "\"" + base::printable(text, 40) + "\"");
}

Status read_query(const Route& route, const http::Request& request, Json& out) {
  for (const auto& pair : base::split(request.query, '&')) {
    const auto equals = pair.find('=');
    const auto field = std::ranges::find(route.fields->query, std::string_view(pair).substr(0, equals), &Field::name);
    if (field == route.fields->query.end()) continue;
    PKI_TRY(const auto text, decode(equals == std::string::npos ? "" : pair.substr(equals + 1)));
    PKI_TRY(auto value, of_kind(*field, text));
    out.set(field->name, std::move(value));
  }
  return {};
}

}  // namespace

Result<Json> read_fields(const Route& route, const http::Request& request) {
  auto out = Json::object();
  PKI_TRY_VOID(read_query(route, request, out));
  PKI_TRY_VOID(read_body(route, request, out));
  return out;
}

bool is_json(const http::Request& request) {
  const auto type = request.header("content-type").value_or("");
  return request.body.empty() || base::to_lower_ascii(base::trim(type.substr(0, type.find(';')))) == "application/json";
}

}  // namespace chancery::api
