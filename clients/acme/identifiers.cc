#include "clients/acme/identifiers.h"

#include "clients/acme/problems.h"
#include "clients/acme/service.h"

namespace chancery::acme {

Result<Json> read_identifier(const Json& json) {
  const Json* type = json.find("type");
  const Json* value = json.find("value");
  if (type == nullptr || value == nullptr || !type->is_string() || !value->is_string())
    return acme_error("malformed", "an identifier is no object with the texts type and value");
  return Json::object({{"type", *type}, {"value", *value}});
}

Result<Json> read_identifier_of(const Json& payload) {
  PKI_TRY(const Json* identifier, optional_member(payload, "identifier", "an object"));
  if (identifier == nullptr) return acme_error("malformed", "member identifier is missing");
  return read_identifier(*identifier);
}

Result<Json> read_identifiers_of(const Json& payload) {
  PKI_TRY(const Json* identifiers, optional_member(payload, "identifiers", "an array"));
  if (identifiers == nullptr || identifiers->as_array()->empty()) return acme_error("malformed", "the order has no identifiers");
  Json list = Json::array();
  for (const auto& one : *identifiers->as_array()) {
    PKI_TRY(auto identifier, read_identifier(one));
    list.push_back(std::move(identifier));
  }
  return list;
}

}  // namespace chancery::acme
