#include "server/realm/assemble.h"

namespace chancery::realm {

x509::TbsSpec assemble(const config::RealmConfig& realm, const config::Profile& profile, const Authority& authority, const Grant& grant) {
  return x509::TbsSpec{
      .serial = grant.serial,
      .issuer_der = authority.certificate.subject_der(),  // byte for byte (PROMISES B8)
      .subject = grant.subject,
      .not_before = grant.not_before,
      .not_after = grant.not_after,
      .spki = grant.spki,
      .sans = grant.sans,
      .key_usage = profile.key_usage,
      .extended_key_usage = profile.extended_key_usage,
      .is_ca = profile.is_ca,
      .path_length = profile.path_length,
      .authority_key_id = authority.certificate.subject_key_id(),
      .crl_urls = realm.crl_urls,
      .ca_issuer_urls = realm.ca_issuer_urls,
      .ocsp_urls = realm.ocsp_urls,
      .algorithm = authority.algorithm,
  };
}

x509::LintContext lint_context(const config::Profile& profile, const Authority& authority) {
  return x509::LintContext{
      .issuer = authority.certificate,
      .max_validity = profile.validity,
      .key_usage = profile.key_usage,
      .extended_key_usage = profile.extended_key_usage,
      .is_ca = profile.is_ca,
      .path_length = profile.path_length,
  };
}

}  // namespace chancery::realm
