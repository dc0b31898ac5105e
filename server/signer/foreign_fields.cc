#include "server/signer/foreign_fields.h"

#include "server/base/text.h"

namespace chancery::signer {

const Json* field(const Json& record, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    for (const auto& [key, value] : *record.as_object()) {
      if (!value.is_null() && base::to_lower_ascii(key) == name) return &value;
    }
  }
  return nullptr;
}

std::string text_of(const Json* value) {
  if (value == nullptr) return {};
  if (const auto* text = value->as_string()) return *text;
  if (const auto* number = value->as_integer()) return std::to_string(*number);
  if (const auto* big = value->as_big_integer()) return big->digits;
  return {};
}

}  // namespace chancery::signer
