#include "server/x509/certificate.h"

#include <algorithm>

#include "server/crypto/digest.h"
#include "server/x509/der.h"
#include "server/x509/pem.h"
#include "server/x509/tbs.h"

namespace chancery::x509 {

struct Certificate::Parts {
  Bytes der;
  SignedParts outer;  // views into der
  std::optional<Serial> serial;
  ByteView issuer_der;
  ByteView subject_der;
  Name issuer;
  Name subject;
  Seconds not_before{};
  Seconds not_after{};
  crypto::PublicKey key;
  std::vector<Extension> extensions;
  std::vector<GeneralName> sans;
  std::vector<std::string> key_usage;
  std::vector<std::string> extended_key_usage;
  bool is_ca = false;
  std::optional<int> path_length;
  Bytes subject_key_id;
  Bytes authority_key_id;
};

namespace {

constexpr std::uint64_t kVersion3 = 2;
constexpr std::uint64_t kMaxPathLength = 255;

Status read_version(der::Reader& reader) {
  PKI_TRY(const auto tagged, reader.next(der::constructed(0), "version 3"));
  PKI_TRY(const auto element, der::only(der::kInteger, tagged.content, "version"));
  PKI_TRY(const auto version, der::read_number(element));
  if (version != kVersion3) return Error(Code::Malformed, "version is not 3");
  return {};
}

}  // namespace

Status Certificate::read_tbs(Parts& parts) {
  PKI_TRY(const auto tbs, der::only(der::kSequence, parts.outer.tbs, "TBSCertificate"));
  der::Reader reader(tbs.content);
  PKI_TRY_VOID(read_version(reader));
  PKI_TRY(const auto serial, reader.next(der::kInteger, "serial number"));
  PKI_TRY(parts.serial, der::read_serial(serial));
  PKI_TRY(const auto algorithm, reader.next(der::kSequence, "signature algorithm"));
  if (!std::ranges::equal(algorithm.whole, parts.outer.identifier)) {
    return Error(Code::Malformed, "inner and outer signature algorithm differ (RFC 5280 4.1.1.2)");
  }
  PKI_TRY(const auto issuer, reader.next(der::kSequence, "issuer"));
  parts.issuer_der = issuer.whole;
  PKI_TRY(parts.issuer, Name::from_der(issuer.whole));
  PKI_TRY(const auto validity, reader.next(der::kSequence, "validity"));
  der::Reader dates(validity.content);
  PKI_TRY(parts.not_before, der::read_time(dates));
  PKI_TRY(parts.not_after, der::read_time(dates));
  PKI_TRY_VOID(dates.finish("validity"));
  PKI_TRY(const auto subject, reader.next(der::kSequence, "subject"));
  parts.subject_der = subject.whole;
  PKI_TRY(parts.subject, Name::from_der(subject.whole));
  PKI_TRY(const auto spki, reader.next(der::kSequence, "public key"));
  PKI_TRY(parts.key, crypto::PublicKey::from_spki(spki.whole));
  PKI_TRY(const auto tagged, reader.next(der::constructed(3), "extensions"));
  PKI_TRY_VOID(reader.finish("TBSCertificate"));
  PKI_TRY(parts.extensions, read_extensions(tagged.content));
  return {};
}

Status Certificate::read_known_extensions(Parts& parts) {
  const auto value = [&](std::string_view oid) -> const Bytes* {
    const auto* extension = find_extension(parts.extensions, oid);
    return extension == nullptr ? nullptr : &extension->value;
  };
  if (const auto* sans = value(kSubjectAltName)) {
    PKI_TRY(parts.sans, decode_general_names(*sans));
  }
  if (const auto* usage = value(kKeyUsage)) {
    PKI_TRY(parts.key_usage, decode_key_usage(*usage));
  }
  if (const auto* purposes = value(kExtendedKeyUsage)) {
    PKI_TRY(parts.extended_key_usage, decode_extended_key_usage(*purposes));
  }
  if (const auto* authority = value(kAuthorityKeyId)) {
    PKI_TRY(parts.authority_key_id, decode_authority_key_id(*authority));
  }
  if (const auto* own = value(kSubjectKeyId)) {
    PKI_TRY(const auto octets, der::only(der::kOctetString, *own, "subject key identifier"));
    parts.subject_key_id.assign(octets.content.begin(), octets.content.end());
  }
  const auto* constraints = value(kBasicConstraints);
  if (constraints == nullptr) return {};
  PKI_TRY(const auto sequence, der::only(der::kSequence, *constraints, "basic constraints"));
  der::Reader reader(sequence.content);
  if (reader.at(der::kBoolean)) {
    PKI_TRY(const auto flag, reader.any());
    if (flag.content.size() != 1 || flag.content[0] != 0xff) return Error(Code::Malformed, "cA is not TRUE in DER");
    parts.is_ca = true;
  }
  if (!reader.done()) {
    PKI_TRY(const auto element, reader.next(der::kInteger, "path length"));
    PKI_TRY(const auto length, der::read_number(element));
    if (length > kMaxPathLength) return Error(Code::Malformed, "path length above 255");
    parts.path_length = static_cast<int>(length);
  }
  return reader.finish("basic constraints");
}

Result<Certificate> Certificate::from_der(ByteView der) {
  if (der.size() > kMaxCertificateBytes) return Error(Code::TooLarge, "certificate above 64 KiB");
  auto parts = std::make_shared<Parts>();
  parts->der.assign(der.begin(), der.end());
  auto outer = read_signed(parts->der);
  if (!outer.ok()) return outer.error().within("certificate");
  parts->outer = *outer;
  if (auto read = read_tbs(*parts); !read.ok()) return read.error().within("certificate");
  if (auto read = read_known_extensions(*parts); !read.ok()) return read.error().within("certificate");
  return Certificate(std::move(parts));
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  PKI_TRY(const auto der, x509::from_pem(kCertificateLabel, pem));
  return from_der(der);
}

Result<std::vector<Certificate>> Certificate::from_pem_chain(std::string_view pem) {
  return certificates_from_pem(pem, kMaxChain);
}

Result<std::vector<Certificate>> certificates_from_pem(std::string_view text, std::size_t max) {
  PKI_TRY(const auto blocks, all_from_pem(kCertificateLabel, text, max));
  if (blocks.empty()) return Error(Code::Malformed, "no certificate in PEM");
  std::vector<Certificate> out;
  for (const auto& der : blocks) {
    PKI_TRY(auto certificate, Certificate::from_der(der));
    out.push_back(std::move(certificate));
  }
  return out;
}

ByteView Certificate::der() const { return parts_->der; }
std::string Certificate::pem() const { return to_pem(kCertificateLabel, parts_->der); }
ByteView Certificate::tbs() const { return parts_->outer.tbs; }
ByteView Certificate::signature() const { return parts_->outer.signature; }
crypto::SignatureAlgorithm Certificate::algorithm() const { return parts_->outer.algorithm; }
const Serial& Certificate::serial() const { return *parts_->serial; }
const Name& Certificate::subject() const { return parts_->subject; }
const Name& Certificate::issuer() const { return parts_->issuer; }
ByteView Certificate::subject_der() const { return parts_->subject_der; }
ByteView Certificate::issuer_der() const { return parts_->issuer_der; }
Seconds Certificate::not_before() const { return parts_->not_before; }
Seconds Certificate::not_after() const { return parts_->not_after; }
const std::vector<GeneralName>& Certificate::sans() const { return parts_->sans; }
const std::vector<std::string>& Certificate::key_usage() const { return parts_->key_usage; }
const std::vector<std::string>& Certificate::extended_key_usage() const { return parts_->extended_key_usage; }
bool Certificate::is_ca() const { return parts_->is_ca; }
std::optional<int> Certificate::path_length() const { return parts_->path_length; }
ByteView Certificate::subject_key_id() const { return parts_->subject_key_id; }
ByteView Certificate::authority_key_id() const { return parts_->authority_key_id; }
Bytes Certificate::key_id() const {
  return parts_->subject_key_id.empty() ? subject_key_id_of(parts_->key.spki()).value() : parts_->subject_key_id;
}
const crypto::PublicKey& Certificate::public_key() const { return parts_->key; }
const std::vector<Extension>& Certificate::extensions() const { return parts_->extensions; }
std::string Certificate::fingerprint_hex() const { return crypto::sha256_hex(parts_->der); }
bool Certificate::operator==(const Certificate& other) const { return parts_->der == other.parts_->der; }

Status Certificate::verify_signed_by(const Certificate& issuer) const {
  if (!std::ranges::equal(issuer_der(), issuer.subject_der()))
    return Error(Code::BadProof, "issuer is not that certificate's subject");
  return issuer.public_key().verify(algorithm(), tbs(), signature());
}

}  // namespace chancery::x509
