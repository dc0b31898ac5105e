#include <openssl/core_names.h>
#include <openssl/err.h>

#include <algorithm>

#include "server/crypto/algorithms.h"
#include "server/crypto/digest.h"
#include "server/crypto/key.h"

namespace chancery::crypto {
namespace {

constexpr int kMaxRsaBits = 8192;  // larger ones are not even looked at: arithmetic on them is what an attacker wants

Error bad(std::string what) {
  ERR_clear_error();
  return Error(Code::BadKey, std::move(what));
}

/// The AlgorithmIdentifiers of the keys that are taken (RFC 3279 2.3.1, 5480 2.1.1, 8410 3). Whole octets, so that explicit
/// EC parameters, RSASSA-PSS, DSA and others never reach a parser of theirs.
struct SpkiRow {
  std::string_view identifier_hex;
  KeySpec spec;
  std::size_t coordinate_octets;  ///< EC only
};
constexpr std::array kSpkis{
    SpkiRow{"300d06092a864886f70d0101010500", {KeySpec::Kind::Rsa, 0}, 0},
    SpkiRow{"301306072a8648ce3d020106082a8648ce3d030107", {KeySpec::Kind::Ec, 256}, 32},
    SpkiRow{"301006072a8648ce3d020106052b81040022", {KeySpec::Kind::Ec, 384}, 48},
    SpkiRow{"301006072a8648ce3d020106052b81040023", {KeySpec::Kind::Ec, 521}, 66},
    SpkiRow{"300506032b6570", {KeySpec::Kind::Ed25519, 256}, 32},
};

/// DER length octets (X.690 8.1.3), shortest form.
Bytes tlv(std::uint8_t tag, Bytes content) {
  Bytes out{tag};
  const auto size = content.size();
  if (size < 0x80) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else if (size < 0x100) {
    out.insert(out.end(), {0x81, static_cast<std::uint8_t>(size)});
  } else {
    out.insert(out.end(), {0x82, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)});
  }
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

/// SubjectPublicKeyInfo ::= SEQUENCE { AlgorithmIdentifier, BIT STRING }
Bytes spki_of(const SpkiRow& row, ByteView key_octets) {
  Bytes content = base::from_hex(row.identifier_hex).value();
  Bytes bits{0};
  bits.insert(bits.end(), key_octets.begin(), key_octets.end());
  const auto bit_string = tlv(0x03, std::move(bits));
  content.insert(content.end(), bit_string.begin(), bit_string.end());
  return tlv(0x30, std::move(content));
}

Bytes integer(ByteView magnitude) {
  Bytes content(std::ranges::find_if(magnitude, [](auto octet) { return octet != 0; }), magnitude.end());
  if (content.empty() || content.front() >= 0x80) content.insert(content.begin(), 0);
  return tlv(0x02, std::move(content));
}

/// The row of an SPKI, and that it holds nothing but a point in the uncompressed form, when on a curve.
Result<const SpkiRow*> row_of(const X509_PUBKEY* holder) {
  X509_ALGOR* algorithm = nullptr;
  const unsigned char* octets = nullptr;
  int length = 0;
  PKI_CHECK(X509_PUBKEY_get0_param(nullptr, &octets, &length, &algorithm, const_cast<X509_PUBKEY*>(holder)) == 1);
  unsigned char* der = nullptr;
  const int der_length = i2d_X509_ALGOR(algorithm, &der);
  const MemoryPtr owner(der);
  PKI_CHECK(der_length > 0);
  const auto hex = base::to_hex(ByteView(der, static_cast<std::size_t>(der_length)));
  const auto row = std::ranges::find(kSpkis, hex, &SpkiRow::identifier_hex);
  if (row == kSpkis.end()) {
    return bad("key kind or parameters " + hex.substr(0, 80) + ", expected RSA, EC on P-256, P-384 or P-521 by name, or Ed25519");
  }
  if (row->spec.kind != KeySpec::Kind::Ec) return &*row;
  const auto wanted = 1 + 2 * row->coordinate_octets;
  if (length < 1 || static_cast<std::size_t>(length) != wanted || octets[0] != 0x04) {
    return bad("EC point is not in the uncompressed form of its curve (RFC 5480 2.2)");
  }
  return &*row;
}

}  // namespace

Result<PublicKey> PublicKey::from_spki(ByteView der) {
  if (der.size() > kMaxSpkiBytes) return bad("public key of " + std::to_string(der.size()) + " octets, expected at most 4096");
  const unsigned char* cursor = der.data();
  const X509PubkeyPtr holder(d2i_X509_PUBKEY(nullptr, &cursor, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!holder) return Error(Code::Malformed, "no SubjectPublicKeyInfo");
  if (cursor != der.data() + der.size()) return Error(Code::Malformed, "trailing octets after the SubjectPublicKeyInfo");
  PKI_TRY(const auto* row, row_of(holder.get()));
  const unsigned char* octets = nullptr;
  int length = 0;
  X509_PUBKEY_get0_param(nullptr, &octets, &length, nullptr, holder.get());
  // Only the shortest encoding gives the same octets again (X.690 10.1).
  if (!std::ranges::equal(spki_of(*row, ByteView(octets, static_cast<std::size_t>(length))), der)) {
    return Error(Code::Malformed, "the SubjectPublicKeyInfo is not DER");
  }
  PublicKey out;
  out.key_.reset(X509_PUBKEY_get(holder.get()), Freer<&EVP_PKEY_free>{});
  if (!out.key_) return bad("the public key does not decode");
  out.spec_ = row->spec;
  if (row->spec.kind == KeySpec::Kind::Rsa) out.spec_.bits = EVP_PKEY_get_bits(out.get());
  if (out.spec_.bits > kMaxRsaBits)
    return bad("RSA modulus of " + std::to_string(out.spec_.bits) + " bits, expected at most 8192");
  out.spki_.assign(der.begin(), der.end());
  return out;
}

Result<PublicKey> PublicKey::from_rsa(ByteView n, ByteView e) {
  if (n.size() > kMaxRsaBits / 8 || e.size() > n.size()) return bad("RSA modulus or exponent is too long");
  auto content = integer(n);
  const auto exponent = integer(e);
  content.insert(content.end(), exponent.begin(), exponent.end());
  return from_spki(spki_of(kSpkis[0], tlv(0x30, std::move(content))));  // RSAPublicKey (RFC 8017 A.1.1)
}

Result<PublicKey> PublicKey::from_ec(int bits, ByteView x, ByteView y) {
  const auto row = std::ranges::find(kSpkis, KeySpec{KeySpec::Kind::Ec, bits}, &SpkiRow::spec);
  if (row == kSpkis.end()) return bad("EC curve of " + std::to_string(bits) + " bits, expected 256, 384 or 521");
  if (x.size() != row->coordinate_octets || y.size() != row->coordinate_octets) return bad("EC coordinates of the wrong length");
  Bytes point{0x04};
  point.insert(point.end(), x.begin(), x.end());
  point.insert(point.end(), y.begin(), y.end());
  return from_spki(spki_of(*row, point));
}

Result<PublicKey> PublicKey::from_ed25519(ByteView x) {
  if (x.size() != kSpkis.back().coordinate_octets) return bad("Ed25519 key of the wrong length");
  return from_spki(spki_of(kSpkis.back(), x));
}

std::string PublicKey::spki_sha256_hex() const { return base::to_hex(sha256(spki_)); }

Status PublicKey::verify(SignatureAlgorithm algorithm, ByteView message, ByteView signature) const {
  const auto& row = describe(algorithm);
  if (empty() || row.kind != spec_.kind) return Error(Code::BadProof, "the signature algorithm is not one of this key");
  const CtxPtr context(EVP_MD_CTX_new());
  PKI_CHECK(context != nullptr);
  const bool verified = EVP_DigestVerifyInit(context.get(), nullptr, digest_of(row), nullptr, get()) == 1 &&
                        EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  ERR_clear_error();
  if (!verified) return Error(Code::BadProof, "the signature does not verify");
  return {};
}

}  // namespace chancery::crypto
