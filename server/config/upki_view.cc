#include "server/config/upki_view.h"

#include "server/base/text.h"

namespace chancery::config {
namespace {

using Kind = UpkiField::Kind;

UpkiField text(std::string name, std::string value) {
  return {.name = std::move(name), .kind = Kind::Text, .text = std::move(value)};
}
UpkiField integer(std::string name, std::int64_t value) {
  return {.name = std::move(name), .kind = Kind::Integer, .integer = value};
}
UpkiField boolean(std::string name, bool value) { return {.name = std::move(name), .kind = Kind::Boolean, .boolean = value}; }
UpkiField texts(std::string name, std::vector<std::string> value) {
  return {.name = std::move(name), .kind = Kind::Texts, .texts = std::move(value)};
}

std::string key_type(const base::KeySpec& key) {
  switch (key.kind) {
    case base::KeySpec::Kind::Rsa: return "rsa";
    case base::KeySpec::Kind::Ec: return "ec";
    case base::KeySpec::Kind::Ed25519: return "ed25519";
  }
  return {};
}

}  // namespace

std::vector<UpkiField> upki_view(const Profile& profile) {
  std::vector<UpkiField> fields{
      text("keyType", key_type(profile.key)),        integer("keyLen", profile.key.bits),
      integer("duration", profile.validity.count()), text("digest", profile.digest),
      boolean("altnames", profile.altnames),
  };
  if (profile.path_length) fields.push_back(integer("pathLen", *profile.path_length));
  // Of uPKI's own profiles `server` alone has this key, empty as it is.
  if (!profile.domain.empty() || profile.name.text() == "server") fields.push_back(text("domain", profile.domain));
  fields.push_back({.name = "subject", .kind = Kind::Map, .map = profile.subject});
  fields.push_back(texts("keyUsage", profile.key_usage));
  fields.push_back(texts("extendedKeyUsage", profile.extended_key_usage));
  const auto types = base::split(profile.cert_type, ',');
  fields.push_back(types.size() == 1 ? text("certType", types[0]) : texts("certType", types));
  return fields;
}

}  // namespace chancery::config
