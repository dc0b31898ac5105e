#include "server/config/builtin_profiles.h"

#include <array>
#include <span>
#include <string_view>

#include "server/base/text.h"

namespace chancery::config {
namespace {

/// UPKI.md section 3, column by column. Everywhere: RSA, SHA-256, the subject of a request, C=FR.
struct BuiltIn {
  std::string_view name;
  int rsa_bits;
  int days;
  bool altnames;
  std::string_view organisation;
  std::string_view unit;
  std::string_view common_name;  ///< empty: the request's
  std::string_view key_usage;
  std::string_view extended_key_usage;
  std::string_view cert_type;
  Role least_role;
};

constexpr std::string_view kServerUsage = "digitalSignature keyEncipherment";
constexpr std::string_view kPersonUsage = "digitalSignature nonRepudiation";

constexpr std::array kBuiltIns{
    BuiltIn{"ca", 4096, 3650, false, "uPKI", "CA", "uPKI Root CA", "keyCertSign cRLSign", "", "sslCA", Role::CaOperator},
    BuiltIn{"ra", 4096, 365, true, "uPKI", "RA", "uPKI RA", kServerUsage, "serverAuth clientAuth", "sslCA", Role::RaOperator},
    BuiltIn{"server", 4096, 60, true, "Company", "Servers", "", kServerUsage, "serverAuth", "server", Role::RaOperator},
    BuiltIn{"webapp", 4096, 60, true, "Company", "WebApps", "", kServerUsage, "serverAuth clientAuth", "server",
            Role::RaOperator},
    BuiltIn{"laptop", 4096, 30, true, "Company", "Users", "", kPersonUsage, "clientAuth emailProtection", "user",
            Role::RaOperator},
    BuiltIn{"user", 2048, 30, true, "Company", "Users", "", kPersonUsage, "clientAuth", "user", Role::RaOperator},
    BuiltIn{"admin", 4096, 365, true, "Company", "Admins", "", kPersonUsage, "clientAuth", "user", Role::RaOperator},
};

std::vector<std::string> words(std::string_view text) {
  return text.empty() ? std::vector<std::string>{} : base::split(text, ' ');
}

Profile to_profile(const BuiltIn& row) {
  Profile profile(ProfileName::parse(row.name).value());
  profile.key = {base::KeySpec::Kind::Rsa, row.rsa_bits};
  profile.validity = std::chrono::days{row.days};
  profile.altnames = row.altnames;
  profile.subject = {
      {"C", "FR"}, {"O", std::string(row.organisation)}, {"OU", std::string(row.unit)}, {"CN", std::string(row.common_name)}};
  profile.key_usage = words(row.key_usage);
  profile.extended_key_usage = words(row.extended_key_usage);
  profile.cert_type = row.cert_type;
  profile.is_ca = row.name == "ca";
  if (profile.is_ca) profile.path_length = 0;
  profile.least_role = row.least_role;
  return profile;
}

}  // namespace

std::map<ProfileName, Profile> builtin_profiles() {
  std::map<ProfileName, Profile> profiles;
  for (const auto& row : kBuiltIns) {
    auto profile = to_profile(row);
    const auto name = profile.name;
    profiles.emplace(name, std::move(profile));
  }
  return profiles;
}

void set_organisation(std::map<ProfileName, Profile>& profiles, const std::string& organisation) {
  for (auto& [name, profile] : profiles) {
    for (auto& [attribute, value] : profile.subject)
      if (attribute == "O") value = organisation;
  }
}

}  // namespace chancery::config
