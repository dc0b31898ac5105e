#include "clients/api/routes.h"

#include <algorithm>

#include "clients/api/route_lists.h"
#include "server/base/text.h"

namespace chancery::api {
namespace {

constexpr std::array kRoutes{
#define ROUTE(method, path, where, who, fields, answer, handler, doc) \
  Route{#method, path, Where::where, Caller::who, &fields, &answer, #handler, doc},
#include "clients/api/routes.def"
#undef ROUTE
};

/// UPKI.md 5.1: the code's spelling, then those of its documents.
struct Prefixes {
  Where where;
  std::array<std::string_view, 2> paths;
  std::size_t count = 2;
};
constexpr std::array kPrefixes{
    Prefixes{Where::Open, {"/api/v1", "/api/v1/public"}},
    Prefixes{Where::Private, {"/api/v1/private", "/api/v1"}},
    Prefixes{Where::Client, {"/api/v1/client", "/api/client"}},
    Prefixes{Where::Older, {"", ""}, 1},
};

constexpr std::array<std::string_view, 4> kCallers{"anybody", "certificate", "RA", "administrator"};

bool is_text(const Json& value) { return value.is_string(); }
bool is_number(const Json& value) { return value.as_integer() != nullptr; }
bool is_text_or_number(const Json& value) {
  return value.is_string() || value.as_integer() != nullptr || value.as_big_integer() != nullptr;
}
bool is_flag(const Json& value) { return value.as_bool() != nullptr; }
bool is_object(const Json& value) { return value.is_object(); }
template <bool (*Fits)(const Json&)>
bool is_array_of(const Json& value) {
  return value.is_array() && std::ranges::all_of(*value.as_array(), Fits);
}
bool is_san(const Json& value) { return value.is_string() || value.is_object(); }

Json type(std::string_view name) { return Json::object({{"type", name}}); }
Json types(std::string_view one, std::string_view other) { return Json::object({{"type", Json::array({one, other})}}); }
Json array_of(Json items) { return Json::object({{"type", "array"}, {"items", std::move(items)}}); }

/// One row a kind, in the order of the enumeration.
struct KindRow {
  Kind kind;
  std::string_view expectation;
  bool (*fits)(const Json&);
  Json (*schema)();
};
constexpr std::array kKinds{
    KindRow{Kind::Text, "a text", is_text, [] { return type("string"); }},
    KindRow{Kind::Pem, "a text of PEM", is_text, [] { return type("string"); }},
    KindRow{Kind::Texts, "an array of texts", is_array_of<is_text>, [] { return array_of(type("string")); }},
    KindRow{Kind::Number, "a whole number", is_number, [] { return type("integer"); }},
    KindRow{Kind::Serial, "a number, or a text of digits", is_text_or_number, [] { return types("integer", "string"); }},
    KindRow{Kind::Reason, "a reason's name or number", is_text_or_number, [] { return types("string", "integer"); }},
    KindRow{Kind::Sans, "an array of texts, or of objects with type and value", is_array_of<is_san>,
            [] { return array_of(types("string", "object")); }},
    KindRow{Kind::Flag, "true or false", is_flag, [] { return type("boolean"); }},
    KindRow{Kind::Object, "an object", is_object, [] { return type("object"); }},
    KindRow{Kind::Objects, "an array of objects", is_array_of<is_object>, [] { return array_of(type("object")); }},
};
static_assert(std::ranges::is_sorted(kKinds, {}, &KindRow::kind));

const KindRow& row_of(Kind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }

Json describe(std::span<const Field> fields) {
  Json rows = Json::array();
  for (const auto& field : fields) {
    rows.push_back(Json::object(
        {{"name", field.name}, {"takes", expectation(field.kind)}, {"required", field.is_required}, {"doc", field.doc}}));
  }
  return rows;
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

std::vector<std::string> spellings(const Route& route) {
  std::vector<std::string> paths;
  const auto& row = kPrefixes.at(static_cast<std::size_t>(route.where));
  for (const auto prefix : std::span(row.paths).first(row.count)) {
    paths.push_back(std::string(prefix) + std::string(route.path));
  }
  return paths;
}

std::string_view to_text(Caller caller) { return kCallers.at(static_cast<std::size_t>(caller)); }

bool fits(Kind kind, const Json& value) { return row_of(kind).fits(value); }
std::string_view expectation(Kind kind) { return row_of(kind).expectation; }
Json schema(Kind kind) { return row_of(kind).schema(); }
Json schema(const Field& field) {
  auto out = schema(field.kind);
  if (field.most != 0) out.set("minimum", field.least).set("maximum", field.most);
  return out;
}

std::vector<std::string> parameters(std::string_view path) {
  std::vector<std::string> names;
  for (const auto& segment : base::split(path, '/')) {
    if (segment.starts_with('{')) names.push_back(segment.substr(1, segment.size() - 2));
  }
  return names;
}

Json describe_routes() {
  Json rows = Json::array();
  for (const auto& route : kRoutes) {
    rows.push_back(Json::object(
        {{"method", route.method},
         {"paths", Json::strings(spellings(route))},
         {"caller", to_text(route.caller)},
         {"is_older", route.where == Where::Older},
         {"media_type", route.answer->media_type},
         {"query", describe(route.fields->query)},
         {"body", describe(route.fields->body)},
         {"answer", describe(route.answer->fields)},
         {"shape", std::array{"data", "list", "message", "document", "raw"}.at(static_cast<std::size_t>(route.answer->shape))},
         {"answer_doc", route.answer->doc},
         {"doc", route.doc}}));
  }
  return rows;
}

}  // namespace chancery::api
