#include "server/realm/assemble.h"

#include "server/realm/generations.h"

namespace chancery::realm {

x509::TbsSpec assemble(const config::RealmConfig& realm, const config::Profile& profile, const Authority& authority,
                       const Grant& grant) {
  const auto as_octets = [](ByteView view) { return Bytes(view.begin(), view.end()); };
  x509::TbsSpec spec{.serial = grant.serial};
  spec.algorithm = authority.algorithm;
  spec.issuer_der = as_octets(authority.certificate.subject_der());  // byte for byte (PROMISES B8)
  spec.not_before = grant.not_before;
  spec.not_after = grant.not_after;
  spec.subject = grant.subject;
  spec.spki = grant.spki;
  spec.is_ca = profile.is_ca;
  spec.path_length = profile.path_length;
  spec.key_usage = profile.key_usage;
  spec.extended_key_usage = profile.extended_key_usage;
  spec.authority_key_id = authority.certificate.key_id();
  spec.sans = grant.sans;
  spec.crl_urls = crl_urls(realm, authority);
  if (profile.freshest_crl) spec.crl_delta_urls = crl_delta_urls(realm, authority);
  spec.ca_issuer_urls = ca_issuer_urls(realm, authority);
  spec.ocsp_urls = realm.ocsp_urls;
  spec.ocsp_no_check = profile.ocsp_no_check;
  return spec;
}

x509::LintContext lint_context(const config::Profile& profile, const Authority& authority) {
  return x509::LintContext{
      .issuer = authority.certificate,
      .above = authority.above,
      .max_validity = profile.validity,
      .key_usage = profile.key_usage,
      .extended_key_usage = profile.extended_key_usage,
      .is_ca = profile.is_ca,
      .path_length = profile.path_length,
      .ocsp_no_check = profile.ocsp_no_check,
  };
}

Check lint_check(const config::RealmConfig& realm, const config::Profile& profile, const Authority& authority,
                 const Grant& grant) {
  constexpr const char* kName = "lint";
  auto tbs = x509::build_tbs(assemble(realm, profile, authority, grant));
  if (!tbs.ok()) return {kName, false, tbs.error().message()};
  const auto linted = x509::lint_certificate(std::move(*tbs), authority.algorithm, lint_context(profile, authority));
  if (!linted.ok()) return {kName, false, linted.error().message()};
  std::string warnings;
  for (const auto& warning : linted->warnings()) warnings += "; warning: " + x509::to_text(warning);
  return {kName, true, "no rule is broken" + warnings};
}

}  // namespace chancery::realm
