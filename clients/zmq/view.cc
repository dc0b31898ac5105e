#include "clients/zmq/view.h"

#include <algorithm>
#include <array>

#include "clients/zmq/dialect.h"
#include "server/x509/name.h"

namespace chancery::zmq_gateway {
namespace {

struct LongName {
  std::string_view type;
  std::string_view name;  ///< as X.520 and OpenSSL write it
};
constexpr std::array kLongNames{
    LongName{"C", "countryName"},      LongName{"ST", "stateOrProvinceName"},    LongName{"L", "localityName"},
    LongName{"O", "organizationName"}, LongName{"OU", "organizationalUnitName"}, LongName{"CN", "commonName"},
};

struct Usage {
  std::string_view name;  ///< X.509's
  std::string_view upki;  ///< the key in view's key_usage
};
constexpr std::array kUsages{
    Usage{"digitalSignature", "digital_signature"},
    Usage{"nonRepudiation", "content_commitment"},
    Usage{"keyEncipherment", "key_encipherment"},
    Usage{"dataEncipherment", "data_encipherment"},
    Usage{"keyAgreement", "key_agreement"},
    Usage{"keyCertSign", "key_cert_sign"},
    Usage{"cRLSign", "crl_sign"},
};

Json name_view(const std::string& dn) {
  auto out = Json::object();
  const auto name = x509::Name::from_slash(dn);
  if (!name.ok()) return out;
  for (const auto& attribute : name->attributes) {
    const auto row = std::ranges::find(kLongNames, attribute.type, &LongName::type);
    out.set(row == kLongNames.end() ? attribute.type : row->name, attribute.value);
  }
  return out;
}

/// "DNS:a.example.com" as {"type": "DNS", "value": "a.example.com"}.
Json sans_view(const Json& certificate) {
  Json out = Json::array();
  for (const auto& text : certificate.texts("sans")) {
    const auto colon = text.find(':');
    out.push_back(Json::object({{"type", text.substr(0, colon)}, {"value", text.substr(colon + 1)}}));
  }
  return out;
}

Json usage_view(const Json& certificate) {
  const auto usages = certificate.texts("key_usage");
  auto out = Json::object();
  for (const auto& row : kUsages) out.set(row.upki, std::ranges::find(usages, row.name) != usages.end());
  return out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

Json extensions_view(const Json& certificate) {
  const auto* path_length = certificate.find("path_length");
  auto out = Json::object(
      {{"basicConstraints", std::string("<BasicConstraints(ca=") + (certificate.boolean("is_ca") ? "True" : "False") +
                                ", path_length=" + (path_length == nullptr ? "None" : wire::to_text(*path_length)) + ")>"},
       {"keyUsage", "<KeyUsage(" + joined(certificate.texts("key_usage")) + ")>"}});
  if (!certificate.texts("extended_key_usage").empty())
    out.set("extendedKeyUsage", "<ExtendedKeyUsage(" + joined(certificate.texts("extended_key_usage")) + ")>");
  if (!certificate.texts("sans").empty())
    out.set("subjectAltName", "<SubjectAlternativeName(" + joined(certificate.texts("sans")) + ")>");
  return out;
}

}  // namespace

std::string common_name_of(const std::string& dn) {
  const auto name = x509::Name::from_slash(dn);
  return name.ok() ? name->common_name().value_or("") : "";
}

Json certificate_view(const Json& certificate) {
  const auto state = certificate.text("state");
  const bool revoked = certificate.find("revoked_at") != nullptr;
  const auto* path_length = certificate.find("path_length");
  auto out = Json::object({{"subject", name_view(certificate.text("subject"))},
                           {"issuer", name_view(certificate.text("issuer"))},
                           {"extensions", extensions_view(certificate)},
                           {"sans", sans_view(certificate)},
                           {"key_usage", usage_view(certificate)},
                           {"basic_constraints", Json::object({{"ca", certificate.boolean("is_ca")},
                                                               {"path_length", path_length == nullptr ? Json() : *path_length}})},
                           {"serial_number", serial_number(certificate.text("serial"))},
                           {"fingerprint", certificate.text("fingerprint")},
                           {"not_valid_before", python_time(certificate.text("not_before"))},
                           {"not_valid_after", python_time(certificate.text("not_after"))},
                           {"is_valid", state == "valid"},
                           {"is_revoked", revoked},
                           {"revoke_reason", certificate.text("reason")},
                           {"is_ca", certificate.boolean("is_ca")},
                           {"serial", serial_number(certificate.text("serial"))},
                           {"status", state}});
  if (revoked) out.set("revoked", true).set("revoke_date", python_time(certificate.text("revoked_at")));
  return out;
}

Json node_view(const Json& node) {
  return Json::object({{"dn", node.text("dn")},
                       {"cn", node.text("cn")},
                       {"profile", node.text("profile")},
                       {"state", node.text("state") == "valid" ? "issued" : node.text("state")},
                       {"serial", serial_number(node.text("serial"))}});
}

}  // namespace chancery::zmq_gateway
