#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chancery::x509 {

/// One row of the table of attribute types: X.520 names, RFC 5280 A.1 upper bounds.
struct AttributeType {
  std::string_view type;   ///< empty for a dotted OID outside the table
  std::string_view alias;  ///< another spelling that is read, or empty
  std::string oid;
  std::size_t max_characters;
  std::uint8_t string_tag;
};

/// By type, alias (any case) or dotted OID; a dotted OID outside the table is UTF8String.
std::optional<AttributeType> attribute_type(std::string_view type);

}  // namespace chancery::x509
