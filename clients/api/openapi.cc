#include "clients/api/openapi.h"

#include "clients/api/errors.h"
#include "clients/api/routes.h"
#include "server/base/text.h"

namespace chancery::api {
namespace {

constexpr std::string_view kScheme = "clientCertificate";
constexpr std::string_view kErrorRef = "#/components/schemas/Error";
constexpr std::string_view kJson = "application/json";

Json described(Json schema, std::string_view doc) { return schema.set("description", doc); }

Json parameter(std::string_view name, std::string_view place, bool is_required, Json schema) {
  return Json::object({{"name", name}, {"in", place}, {"required", is_required}, {"schema", std::move(schema)}});
}

/// An object of these fields.
Json object_schema(std::span<const Field> fields) {
  auto properties = Json::object();
  auto required = Json::array();
  for (const auto& field : fields) {
    properties.set(field.name, described(schema(field.kind), field.doc));
    if (field.is_required) required.push_back(field.name);
  }
  auto out = Json::object({{"type", "object"}, {"properties", std::move(properties)}});
  if (!required.as_array()->empty()) out.set("required", std::move(required));
  return out;
}

Json media(Json schema) { return Json::object({{std::string(kJson), Json::object({{"schema", std::move(schema)}})}}); }

/// {"status": "success", <member>: …}
Json success(std::string_view member, Json schema) {
  return Json::object(
      {{"type", "object"},
       {"properties", Json::object({{"status", Json::object({{"const", "success"}})}, {std::string(member), std::move(schema)}})},
       {"required", Json::array({"status", member})}});
}

/// {"status": "success", …}: the members beside `status`.
Json older_success(const Answer& answer) {
  auto schema = object_schema(answer.fields);
  auto properties = *schema.find("properties");
  return described(schema.set("properties", properties.set("status", Json::object({{"type", "string"}}))), answer.doc);
}

Json answer_schema(const Answer& answer) {
  switch (answer.shape) {
    case Answer::Shape::Data: return success("data", described(object_schema(answer.fields), answer.doc));
    case Answer::Shape::List: return success("data", described(schema(Kind::Texts), answer.doc));
    case Answer::Shape::Message: return success("message", described(schema(Kind::Text), answer.doc));
    case Answer::Shape::Raw: return described(schema(Kind::Text), answer.doc);
    case Answer::Shape::Document: break;
  }
  return described(schema(Kind::Object), answer.doc);
}

Json responses(const Route& route) {
  const auto error =
      Json::object({{"description", "The error, in words."}, {"content", media(Json::object({{"$ref", kErrorRef}}))}});
  const auto& answer = *route.answer;
  const bool is_flat = route.where == Where::Older && answer.shape == Answer::Shape::Data;
  const auto content = Json::object(
      {{std::string(answer.media_type), Json::object({{"schema", is_flat ? older_success(answer) : answer_schema(answer)}})}});
  return Json::object({{"200", Json::object({{"description", answer.doc}, {"content", content}})}, {"default", error}});
}

/// "get_api_v1_profiles_name": one for each path, as the standard wants it.
std::string operation_id(std::string_view method, std::string_view path) {
  auto id = base::to_lower_ascii(method);
  for (const char c : path) {
    if (c == '/') id += '_';
    if (c == '.' || c == '_') id += '_';
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) id += c;
  }
  return id;
}

bool needs_body(const Route& route) {
  for (const auto& field : route.fields->body) {
    if (field.is_required) return true;
  }
  return false;
}

Json operation(const Route& route, std::string_view path) {
  auto out = Json::object({{"operationId", operation_id(route.method, path)}, {"summary", route.doc}});
  auto all = Json::array();
  for (const auto& name : parameters(path)) all.push_back(parameter(name, "path", true, schema(Kind::Text)));
  for (const auto& field : route.fields->query) {
    auto one = parameter(field.name, "query", field.is_required, schema(field.kind));
    all.push_back(one.set("description", field.doc));
  }
  if (!all.as_array()->empty()) out.set("parameters", std::move(all));
  if (!route.fields->body.empty()) {
    out.set("requestBody",
            Json::object({{"required", needs_body(route)}, {"content", media(object_schema(route.fields->body))}}));
  }
  out.set("responses", responses(route));
  auto security = Json::array();
  if (route.caller != Caller::Anybody) security.push_back(Json::object({{std::string(kScheme), Json::array()}}));
  return out.set("security", std::move(security));
}

Json error_schema() {
  auto words = Json::array();
  for (const auto& word : error_words()) words.push_back(word);
  return Json::object({{"type", "object"},
                       {"properties", Json::object({{"status", Json::object({{"const", "error"}})},
                                                    {"message", described(schema(Kind::Text), "one line for people")},
                                                    {"code", Json::object({{"type", "string"}, {"enum", std::move(words)}})}})},
                       {"required", Json::array({"status", "message", "code"})}});
}

Json components() {
  const auto scheme =
      Json::object({{"type", "mutualTLS"},
                    {"description", "A certificate of the realm, or the headers of a proxy that the listener trusts."}});
  return Json::object({{"schemas", Json::object({{"Error", error_schema()}})},
                       {"securitySchemes", Json::object({{std::string(kScheme), scheme}})}});
}

}  // namespace

Json openapi_document(const std::string& server) {
  auto paths = Json::object();
  for (const auto& route : routes()) {
    for (const auto& path : spellings(route)) {
      const auto* known = paths.find(path);
      auto item = known == nullptr ? Json::object() : *known;
      paths.set(path, item.set(base::to_lower_ascii(route.method), operation(route, path)));
    }
  }
  return Json::object({{"openapi", "3.1.0"},
                       {"info", Json::object({{"title", "Chancery: REST API of uPKI's RA"}, {"version", CHANCERY_VERSION}})},
                       {"servers", Json::array({Json::object({{"url", server}})})},
                       {"paths", std::move(paths)},
                       {"components", components()}});
}

}  // namespace chancery::api
