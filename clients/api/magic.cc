#include "clients/api/magic.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/x509/general_name.h"
#include "server/x509/name.h"

namespace chancery::api {
namespace {

constexpr std::string_view kUsualDomain = "example.com";

/// RSA and EC take a size; `option` comes before it.
struct KeyRow {
  std::string_view type;  ///< keyType
  std::string_view algorithm;
  std::string_view option;
};
constexpr std::array kKeys{
    KeyRow{"rsa", "RSA", "rsa_keygen_bits:"},
    KeyRow{"ec", "EC", "ec_paramgen_curve:P-"},
    KeyRow{"ed25519", "ED25519", ""},
};

/// One word of a shell's line, whatever is in it.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

Result<std::string> key_command(const Json& profile, const std::string& file) {
  const auto type = base::to_lower_ascii(profile.text("keyType"));
  const auto row = std::ranges::find(kKeys, type, &KeyRow::type);
  if (row == kKeys.end()) return Error(Code::Unsupported, "key type " + base::printable(type, 20) + " has no command");
  auto line = "openssl genpkey -algorithm " + std::string(row->algorithm);
  if (!row->option.empty()) line += " -pkeyopt " + std::string(row->option) + std::to_string(profile.integer("keyLen"));
  return line + " -out " + file;
}

/// The profile's subject in a certificate's order, with the common name last.
Result<x509::Name> subject_of(const Json& profile, const std::string& cn) {
  x509::Name name;
  const auto* subject = profile.find("subject");
  const auto* members = subject == nullptr ? nullptr : subject->as_object();
  for (const auto& [type, value] : members == nullptr ? Json::Object() : *members) {
    if (type != "CN" && value.is_string() && !value.as_string()->empty()) name.attributes.push_back({type, *value.as_string()});
  }
  name.attributes.push_back({"CN", cn});
  PKI_TRY_VOID(name.check());
  return name;
}

Result<std::string> alternative_names(const Json& profile, const std::string& cn, std::vector<std::string> sans) {
  if (sans.empty() && profile.boolean("altnames", true) && cn.find(' ') == std::string::npos && cn.find('.') != std::string::npos)
    sans.push_back(cn);
  std::vector<std::string> texts;
  for (const auto& one : sans) {
    PKI_TRY(const auto name, x509::GeneralName::parse(one));
    auto text = name.to_text();
    if (text.starts_with("EMAIL:")) text = "email:" + text.substr(sizeof "EMAIL:" - 1);  // OpenSSL's spelling
    if (text.find(',') != std::string::npos) return Error(Code::Malformed, "a comma in the name " + base::printable(text, 80));
    texts.push_back(std::move(text));
  }
  return base::join(texts, ",");
}

}  // namespace

Result<Commands> commands_for(const Json& profile, const std::string& cn, const std::vector<std::string>& sans) {
  const auto domain = profile.text("domain").empty() ? std::string(kUsualDomain) : profile.text("domain");
  const auto common_name = cn.empty() ? "host." + domain : cn;
  PKI_TRY(const auto key, key_command(profile, "private.key"));
  PKI_TRY(const auto subject, subject_of(profile, common_name));
  PKI_TRY(const auto names, alternative_names(profile, common_name, sans));
  auto csr = "openssl req -new -utf8 -key private.key -subj " + quoted(subject.to_slash());
  if (!names.empty()) csr += " -addext " + quoted("subjectAltName=" + names);
  return Commands{key, csr + " -out request.csr"};
}

}  // namespace chancery::api
