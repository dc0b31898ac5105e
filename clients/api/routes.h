#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/wire/json.h"

/// The REST API of uPKI's RA: what there is, as one table. Dispatch, the OpenAPI description and doc/api.md come from it.
namespace chancery::api {

/// The least that a caller must be.
enum class Caller : std::uint8_t {
  Anybody,
  Holder,  ///< has a valid certificate of the realm
  Ra,      ///< that of a registered RA or of an administrator
  Admin    ///< one whose DN is on the realm's list of administrators
};

/// Under which prefixes a path is served. Older is none: the paths of uPKI's older generation (UPKI.md 5.3, end), whose answers
/// have no `data` but its members beside `status`, and whose errors are 200, or 403 where it is about who asks.
enum class Where : std::uint8_t { Open, Private, Client, Older };

/// What a value must be. Null is as good as absent.
enum class Kind : std::uint8_t {
  Text,
  Pem,
  Texts,   ///< array of texts
  Number,  ///< integer
  Serial,  ///< integer of up to 159 bits, or text: decimal or hexadecimal digits
  Reason,  ///< CRLReason: its name, or its number as integer or text
  Sans,    ///< array of texts "DNS:a.example.com" or "a.example.com", or of objects {type, value}
  Flag,    ///< true or false
  Object,
  Objects  ///< array of objects
};

struct Field {
  std::string_view name;
  Kind kind;
  bool is_required = false;
  std::string_view doc;
  std::int64_t least = 0;  ///< of a Number; with most
  std::int64_t most = 0;   ///< 0: any number
};

/// What a request may say beside its path.
struct Fields {
  std::span<const Field> query;
  std::span<const Field> body;
};

/// What `data` holds, or that there is a `message` instead, that the document is the answer itself, or that the one text of
/// `data` is.
struct Answer {
  enum class Shape : std::uint8_t { Data, List, Message, Document, Raw };
  Shape shape = Shape::Data;
  std::span<const Field> fields;  ///< of Data
  std::string_view doc;
  std::string_view media_type = "application/json";
};

struct Route {
  std::string_view method;  ///< GET, POST, DELETE
  std::string_view path;    ///< without prefix
  Where where;
  Caller caller;
  const Fields* fields;
  const Answer* answer;
  std::string_view handler;
  std::string_view doc;
};

std::span<const Route> routes();

/// The paths of a route, the first one the code of uPKI's RA has: "/api/v1/private/nodes", "/api/v1/nodes".
std::vector<std::string> spellings(const Route& route);

/// "anybody", "certificate", "RA", "administrator".
std::string_view to_text(Caller caller);

/// Whether a value of a body is of that kind.
bool fits(Kind kind, const Json& value);
/// "a text", for messages.
std::string_view expectation(Kind kind);
/// As JSON Schema (2020-12).
Json schema(Kind kind);
/// With the bounds of a number.
Json schema(const Field& field);

/// The names in braces of a path.
std::vector<std::string> parameters(std::string_view path);

/// The whole table, for documents.
Json describe_routes();

}  // namespace chancery::api
