#include "clients/api/openapi.h"

#include <array>

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
    properties.set(field.name, described(schema(field), field.doc));
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

bool has_input(const Route& route) {
  return !route.fields->query.empty() || !route.fields->body.empty() || route.path.find('{') != std::string_view::npos;
}
bool has_body(const Route& route) { return !route.fields->body.empty(); }
bool names_something(const Route& route) { return has_input(route) || route.caller != Caller::Anybody; }
bool wants_certificate(const Route& route) { return route.caller != Caller::Anybody; }
bool is_always(const Route& /*route*/) { return true; }

/// A refusal, and which routes give it. The older generation has 403 alone: its other errors are 200 with an error in the body.
struct Refusal {
  std::string_view status;
  std::string_view name;  ///< in components/responses
  std::string_view doc;
  bool (*applies)(const Route& route);
  bool is_older;
};
constexpr std::array kRefusals{
    Refusal{"400", "Invalid", "What was sent does not hold, or the realm's policy does not allow it.", has_input, false},
    Refusal{"401", "NoCertificate", "No client certificate came, or none that is valid in this realm.", wants_certificate, false},
    Refusal{"403", "NotAllowed", "Whoever the certificate names may not do this.", wants_certificate, true},
    Refusal{"404", "NotFound", "The realm has nothing of that name.", names_something, false},
    Refusal{"409", "Conflict", "The state of what is named does not allow this.", wants_certificate, false},
    Refusal{"413", "TooLarge", "The body is too large.", has_body, false},
    Refusal{"415", "NotJson", "The body's media type is not application/json.", has_body, false},
    Refusal{"429", "TooMany", "As many came within a day as may; Retry-After says when there is room again.", wants_certificate,
            false},
    Refusal{"500", "Failed", "The server failed; its log has the details.", is_always, false},
    Refusal{"503", "Unavailable", "The CA cannot be reached or is busy; ask again later.", is_always, false},
};

Json error_response(std::string_view doc) {
  return Json::object({{"description", doc}, {"content", media(Json::object({{"$ref", kErrorRef}}))}});
}

Json reference(std::string_view response) { return Json::object({{"$ref", "#/components/responses/" + std::string(response)}}); }

Json shared_responses() {
  auto out = Json::object({{"Error", error_response("Any other error, in words.")}});
  for (const auto& row : kRefusals) out.set(row.name, error_response(row.doc));
  return out;
}

Json responses(const Route& route) {
  const auto& answer = *route.answer;
  const bool is_flat = route.where == Where::Older && answer.shape == Answer::Shape::Data;
  const auto content = Json::object(
      {{std::string(answer.media_type), Json::object({{"schema", is_flat ? older_success(answer) : answer_schema(answer)}})}});
  auto out = Json::object({{"200", Json::object({{"description", answer.doc}, {"content", content}})}});
  for (const auto& row : kRefusals) {
    if (row.applies(route) && (route.where != Where::Older || row.is_older)) out.set(row.status, reference(row.name));
  }
  return out.set("default", reference("Error"));
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
    auto one = parameter(field.name, "query", field.is_required, schema(field));
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
                       {"responses", shared_responses()},
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
