#include "server/realm/assemble.h"

namespace chancery::realm {

x509::TbsSpec assemble(const config::RealmConfig& realm, const config::Profile& profile, const Authority& authority, const Grant& grant) {
  const auto as_octets = [](ByteView view) { return Bytes(view.begin(), view.end()); };
  return x509::TbsSpec{
      .serial = grant.serial,
      .algorithm = authority.algorithm,
      .issuer_der = as_octets(authority.certificate.subject_der()),  // byte for byte (PROMISES B8)
      .not_before = grant.not_before,
      .not_after = grant.not_after,
      .subject = grant.subject,
      .spki = grant.spki,
      .is_ca = profile.is_ca,
      .path_length = profile.path_length,
      .key_usage = profile.key_usage,
      .extended_key_usage = profile.extended_key_usage,
      .authority_key_id = as_octets(authority.certificate.subject_key_id()),
      .sans = grant.sans,
      .crl_urls = realm.crl_urls,
      .ca_issuer_urls = realm.ca_issuer_urls,
      .ocsp_urls = realm.ocsp_urls,
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
