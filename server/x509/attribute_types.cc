#include "server/x509/attribute_types.h"

#include <array>

#include "server/base/text.h"
#include "server/x509/der.h"

namespace chancery::x509 {
namespace {

struct Row {
  std::string_view type;
  std::string_view alias;
  std::string_view oid;
  std::size_t max_characters;
  std::uint8_t string_tag = der::kUtf8String;
};
constexpr std::array kTypes{
    Row{"CN", "commonName", "2.5.4.3", 64},
    Row{"SN", "surname", "2.5.4.4", 64},
    Row{"serialNumber", "", "2.5.4.5", 64, der::kPrintableString},
    Row{"C", "countryName", "2.5.4.6", 2, der::kPrintableString},
    Row{"L", "localityName", "2.5.4.7", 128},
    Row{"ST", "S", "2.5.4.8", 128},
    Row{"street", "streetAddress", "2.5.4.9", 128},
    Row{"O", "organizationName", "2.5.4.10", 64},
    Row{"OU", "organizationalUnitName", "2.5.4.11", 64},
    Row{"title", "", "2.5.4.12", 64},
    Row{"businessCategory", "", "2.5.4.15", 128},
    Row{"postalCode", "", "2.5.4.17", 40},
    Row{"name", "", "2.5.4.41", 64},
    Row{"GN", "givenName", "2.5.4.42", 64},
    Row{"initials", "", "2.5.4.43", 64},
    Row{"generationQualifier", "", "2.5.4.44", 64},
    Row{"dnQualifier", "", "2.5.4.46", 64, der::kPrintableString},
    Row{"pseudonym", "", "2.5.4.65", 128},
    Row{"organizationIdentifier", "", "2.5.4.97", 256},
    Row{"UID", "userId", "0.9.2342.19200300.100.1.1", 256},
    Row{"DC", "domainComponent", "0.9.2342.19200300.100.1.25", 63, der::kIa5String},
    Row{"emailAddress", "E", "1.2.840.113549.1.9.1", 255, der::kIa5String},
};
constexpr std::size_t kMaxOtherCharacters = 256;

}  // namespace

std::optional<AttributeType> attribute_type(std::string_view type) {
  const auto wanted = base::to_lower_ascii(type);
  for (const auto& row : kTypes) {
    if (row.oid == wanted || base::to_lower_ascii(row.type) == wanted ||
        (!row.alias.empty() && base::to_lower_ascii(row.alias) == wanted)) {
      return AttributeType{row.type, row.alias, std::string(row.oid), row.max_characters, row.string_tag};
    }
  }
  if (!der::oid(type).ok()) return std::nullopt;
  return AttributeType{"", "", std::string(type), kMaxOtherCharacters, der::kUtf8String};
}

}  // namespace chancery::x509
