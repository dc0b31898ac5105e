#include "server/x509/testing.h"

#include "server/x509/der.h"

namespace chancery::x509::testing {

const crypto::PrivateKey& ca_key() {
  static const auto kKey = crypto::PrivateKey::generate(base::KeySpec{}).value();
  return kKey;
}

const crypto::PrivateKey& leaf_key() {
  static const auto kKey = crypto::PrivateKey::generate(base::KeySpec{}).value();
  return kKey;
}

Bytes spki_of(const crypto::PrivateKey& key) {
  const auto half = key.public_key();
  return {half.spki().begin(), half.spki().end()};
}

Seconds at(const char* rfc3339) { return base::from_rfc3339(rfc3339).value(); }
GeneralName san(const char* text) { return GeneralName::parse(text).value(); }

TbsSpec ca_spec() {
  TbsSpec spec{.serial = Serial::random()};
  spec.subject = Name::from_slash("/C=FR/O=x/CN=Root").value();
  spec.not_before = at("2026-01-01T00:00:00Z");
  spec.not_after = at("2055-12-31T23:59:59Z");
  spec.spki = spki_of(ca_key());
  spec.is_ca = true;
  spec.path_length = 0;
  spec.key_usage = {"keyCertSign", "cRLSign"};
  spec.algorithm = kAlgorithm;
  return spec;
}

LintContext ca_context() {
  LintContext context;
  context.max_validity = std::chrono::days{12000};
  context.key_usage = {"keyCertSign", "cRLSign"};
  context.is_ca = true;
  context.path_length = 0;
  return context;
}

const Certificate& ca() {
  static const auto kCa = sign(build_tbs(ca_spec()).value());
  return kCa;
}

TbsSpec leaf_spec() {
  TbsSpec spec{.serial = Serial::random()};
  spec.issuer_der.assign(ca().subject_der().begin(), ca().subject_der().end());
  spec.subject = Name::from_slash("/CN=a.example.com").value();
  spec.not_before = at("2026-01-01T00:00:00Z");
  spec.not_after = at("2026-03-31T23:59:59Z");
  spec.spki = spki_of(leaf_key());
  spec.sans = {san("a.example.com"), san("192.0.2.1")};
  spec.key_usage = {"digitalSignature"};
  spec.extended_key_usage = {"serverAuth"};
  spec.authority_key_id = ca().key_id();
  spec.crl_urls = {"http://ca.example.com/crl"};
  spec.ca_issuer_urls = {"http://ca.example.com/ca"};
  spec.ocsp_urls = {"http://ca.example.com/ocsp"};
  spec.algorithm = kAlgorithm;
  return spec;
}

LintContext leaf_context() {
  LintContext context;
  context.issuer = ca();
  context.max_validity = std::chrono::days{90};
  context.key_usage = {"digitalSignature"};
  context.extended_key_usage = {"serverAuth"};
  return context;
}

Bytes signed_by_ca(ByteView tbs) { return assemble_signed(tbs, kAlgorithm, ca_key().sign(kAlgorithm, tbs).value()).value(); }

Certificate sign(ByteView tbs) { return Certificate::from_der(signed_by_ca(tbs)).value(); }

std::vector<Bytes> elements_of(ByteView sequence) {
  std::vector<Bytes> out;
  const auto outer = der::only(der::kSequence, sequence, "sequence").value();
  for (der::Reader reader(outer.content); !reader.done();) {
    const auto element = reader.any().value();
    out.emplace_back(element.whole.begin(), element.whole.end());
  }
  return out;
}

Bytes sequence_of(const std::vector<Bytes>& elements) {
  Bytes content;
  for (const auto& element : elements) der::append(content, element);
  return der::tlv(der::kSequence, content);
}

}  // namespace chancery::x509::testing
