#include "server/x509/csr.h"

#include "server/base/text.h"
#include "server/crypto/signature.h"
#include "server/x509/der.h"
#include "server/x509/extension.h"
#include "server/x509/pem.h"
#include "server/x509/tbs.h"

namespace chancery::x509 {
namespace {

constexpr std::string_view kExtensionRequest = "1.2.840.113549.1.9.14";  // RFC 2985 5.4.2
constexpr std::string_view kChallengePassword = "1.2.840.113549.1.9.7";  // RFC 2985 5.4.1
constexpr std::size_t kMostChallengeOctets = 255;                        // pkcs-9-ub-challengePassword
constexpr std::string_view kOlderLabel = "NEW CERTIFICATE REQUEST";      // RFC 7468 7

struct Attribute {
  std::string oid;
  ByteView values;  ///< content of the SET
};

/// One of attributes [0] IMPLICIT SET OF Attribute.
Result<Attribute> next_attribute(der::Reader& reader) {
  PKI_TRY(const auto attribute, reader.next(der::kSequence, "attribute"));
  der::Reader pair(attribute.content);
  PKI_TRY(const auto type, pair.next(der::kOid, "attribute type"));
  PKI_TRY(const auto values, pair.next(der::kSet, "attribute values"));
  PKI_TRY_VOID(pair.finish("attribute"));
  PKI_TRY(auto oid, der::read_oid(type));
  return Attribute{std::move(oid), values.content};
}

/// The names of the one extension request.
Result<std::vector<GeneralName>> read_attributes(ByteView content) {
  std::vector<GeneralName> sans;
  bool has_request = false;
  for (der::Reader reader(content); !reader.done();) {
    PKI_TRY(const auto attribute, next_attribute(reader));
    if (attribute.oid != kExtensionRequest) continue;  // a challenge password and its like say nothing about names
    if (std::exchange(has_request, true)) return Error(Code::Malformed, "two extension requests");
    PKI_TRY(const auto extensions, read_extensions(attribute.values));
    if (const auto* names = find_extension(extensions, kSubjectAltName)) {
      PKI_TRY(sans, decode_general_names(names->value));
    }
  }
  return sans;
}

/// A DirectoryString (RFC 5280 4.1.2.4), or IA5String, which older programs write: octet for octet.
Result<ByteView> read_password(ByteView values) {
  der::Reader reader(values);
  PKI_TRY(const auto value, reader.any());
  PKI_TRY_VOID(reader.finish("challenge password"));
  const bool is_text = value.tag == der::kUtf8String || value.tag == der::kPrintableString || value.tag == der::kIa5String;
  if (is_text && !value.content.empty() && value.content.size() <= kMostChallengeOctets) return value.content;
  return Error(Code::Malformed, "the challenge password is no UTF8String or PrintableString of 1 to 255 octets");
}

/// What stands behind version, subject and key.
Result<ByteView> attributes_in(ByteView request_info) {
  PKI_TRY(const auto info, der::only(der::kSequence, request_info, "CertificationRequestInfo"));
  der::Reader reader(info.content);
  for (int before = 0; before < 3; ++before) {
    PKI_TRY([[maybe_unused]] const auto passed, reader.any());
  }
  PKI_TRY(const auto attributes, reader.next(der::constructed(0), "attributes"));
  return attributes.content;
}

}  // namespace

Result<Csr> Csr::from_pem(std::string_view pem) {
  if (pem.size() > 2 * kMaxRequestBytes) return Error(Code::TooLarge, "csr: above 64 KiB");
  const bool is_older = base::trim(pem).starts_with("-----BEGIN " + std::string(kOlderLabel));
  const auto der = x509::from_pem(is_older ? kOlderLabel : kRequestLabel, pem);
  if (!der.ok()) return der.error().within("csr");
  return from_der(*der);
}

Result<Csr> Csr::from_der(ByteView der) {
  if (der.size() > kMaxRequestBytes) return Error(Code::TooLarge, "csr: above 64 KiB");
  const auto read = [&]() -> Result<Csr> {
    Csr csr;
    csr.der_.assign(der.begin(), der.end());
    PKI_TRY(const auto outer, read_signed(csr.der_));
    csr.info_.assign(outer.tbs.begin(), outer.tbs.end());
    csr.signature_.assign(outer.signature.begin(), outer.signature.end());
    csr.algorithm_ = outer.algorithm;
    PKI_TRY(const auto info, der::only(der::kSequence, csr.info_, "CertificationRequestInfo"));
    der::Reader reader(info.content);
    PKI_TRY(const auto element, reader.next(der::kInteger, "version"));
    PKI_TRY(const auto version, der::read_number(element));
    if (version != 0) return Error(Code::Malformed, "version " + std::to_string(version) + ", expected 0");
    PKI_TRY(const auto subject, reader.next(der::kSequence, "subject"));
    PKI_TRY(csr.subject_, Name::from_der(subject.whole));
    PKI_TRY(const auto spki, reader.next(der::kSequence, "public key"));
    PKI_TRY(csr.key_, crypto::PublicKey::from_spki(spki.whole));
    PKI_TRY(const auto attributes, reader.next(der::constructed(0), "attributes"));
    PKI_TRY_VOID(reader.finish("CertificationRequestInfo"));
    PKI_TRY(csr.sans_, read_attributes(attributes.content));
    return csr;
  };
  auto csr = read();
  if (!csr.ok()) return csr.error().within("csr");
  return csr;
}

Result<SecretBytes> Csr::challenge_password() const {
  SecretBytes password;
  PKI_TRY(const auto attributes, attributes_in(info_));
  for (der::Reader reader(attributes); !reader.done();) {
    PKI_TRY(const auto attribute, next_attribute(reader));
    if (attribute.oid != kChallengePassword) continue;
    if (!password.empty()) return Error(Code::Malformed, "csr: two challenge passwords");
    PKI_TRY(const auto octets, read_password(attribute.values));
    password = SecretBytes(Bytes(octets.begin(), octets.end()));
  }
  return password;
}

Status Csr::verify_possession() const {
  PKI_TRY_VOID(crypto::check_public_key(key_));
  return key_.verify(algorithm_, info_, signature_);
}

Result<Bytes> make_csr(const crypto::PrivateKey& key, const Name& subject, const std::vector<GeneralName>& sans) {
  const auto sign = [&](crypto::SignatureAlgorithm algorithm, ByteView message) { return key.sign(algorithm, message); };
  return make_csr(key.public_key(), sign, subject, sans);
}

Result<Bytes> make_csr(const crypto::PublicKey& half, const SignFunction& sign, const Name& subject,
                       const std::vector<GeneralName>& sans) {
  PKI_TRY(const auto subject_der, subject.der());
  Bytes attributes;
  if (!sans.empty()) {
    PKI_TRY(const auto names, encode_general_names(sans));
    const auto extensions = der::wrap(der::kSequence, {encode_extension(kSubjectAltName, subject.empty(), names)});
    attributes = der::wrap(der::kSequence, {der::oid(kExtensionRequest).value(), der::wrap(der::kSet, {extensions})});
  }
  const auto info =
      der::wrap(der::kSequence, {der::integer(0), subject_der, half.spki(), der::tlv(der::constructed(0), attributes)});
  const auto digest = half.spec().kind == base::KeySpec::Kind::Ec && half.spec().bits > 256 ? "sha384" : "sha256";
  PKI_TRY(const auto algorithm, crypto::algorithm_for(half.spec(), digest));
  PKI_TRY(const auto signature, sign(algorithm, info));
  return assemble_signed(info, algorithm, signature);
}

}  // namespace chancery::x509
