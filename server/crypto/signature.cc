#include "server/crypto/signature.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/crypto/algorithms.h"

namespace chancery::crypto {

const AlgorithmRow& describe(SignatureAlgorithm algorithm) {
  const auto row = std::ranges::find(kAlgorithms, algorithm, &AlgorithmRow::algorithm);
  PKI_CHECK(row != kAlgorithms.end());
  return *row;
}

const EVP_MD* digest_of(const AlgorithmRow& row) {
  // Fetched once: what EVP_get_digestbyname gives is looked for again at each use.
  static const auto kFetched = [] {
    std::array<const EVP_MD*, kAlgorithms.size()> all{};
    std::ranges::transform(kAlgorithms, all.begin(), [](const AlgorithmRow& one) -> const EVP_MD* {
      return one.digest.empty() ? nullptr : EVP_MD_fetch(nullptr, std::string(one.digest).c_str(), nullptr);
    });
    return all;
  }();
  const auto* digest = kFetched.at(static_cast<std::size_t>(&row - kAlgorithms.data()));
  PKI_CHECK(digest != nullptr || row.digest.empty());
  return digest;
}

Result<SignatureAlgorithm> algorithm_for(const KeySpec& spec, std::string_view digest) {
  const auto wanted = base::to_lower_ascii(digest);
  if (wanted != "sha256" && wanted != "sha384" && wanted != "sha512") {
    return Error(Code::Malformed, "digest \"" + base::printable(digest, 20) + "\", expected sha256, sha384 or sha512");
  }
  for (const auto& row : kAlgorithms) {
    if (row.kind == spec.kind && (row.digest.empty() || base::to_lower_ascii(row.digest) == wanted)) return row.algorithm;
  }
  base::raise_bug(__FILE__, __LINE__, "key kind without a row of algorithms");
}

Bytes algorithm_identifier(SignatureAlgorithm algorithm) { return base::from_hex(describe(algorithm).identifier_hex).value(); }

namespace {

/// "1.3.101.113 (ED448)", with OpenSSL's names.
std::string shown(ByteView der) {
  const unsigned char* cursor = der.data();
  const AlgorithmPtr identifier(d2i_X509_ALGOR(nullptr, &cursor, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!identifier) return "that cannot be read";
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, identifier.get());
  std::array<char, 128> dotted{};
  OBJ_obj2txt(dotted.data(), static_cast<int>(dotted.size()), oid, 1);
  const int nid = OBJ_obj2nid(oid);
  return std::string(dotted.data()) + (nid == NID_undef ? "" : " (" + std::string(OBJ_nid2ln(nid)) + ")");
}

}  // namespace

Result<SignatureAlgorithm> algorithm_from_identifier(ByteView der) {
  const auto hex = base::to_hex(der);
  const auto row = std::ranges::find(kAlgorithms, hex, &AlgorithmRow::identifier_hex);
  if (row != kAlgorithms.end()) return row->algorithm;
  return Error(Code::Unsupported, "signature algorithm " + shown(der) + " is not taken",
               "ECDSA or RSA (PKCS #1 v1.5) with SHA-256, SHA-384 or SHA-512, or Ed25519");
}

std::string_view to_text(SignatureAlgorithm algorithm) { return describe(algorithm).text; }

Result<Bytes> ecdsa_raw_to_der(ByteView raw) {
  if (raw.size() != 64 && raw.size() != 96 && raw.size() != 132) {
    return Error(Code::Malformed, "ECDSA signature of " + std::to_string(raw.size()) + " octets, expected 64, 96 or 132");
  }
  const auto half = static_cast<int>(raw.size() / 2);
  BignumPtr r(BN_bin2bn(raw.data(), half, nullptr));
  BignumPtr s(BN_bin2bn(raw.data() + half, half, nullptr));
  EcdsaSigPtr signature(ECDSA_SIG_new());
  PKI_CHECK(r && s && signature);
  PKI_CHECK(ECDSA_SIG_set0(signature.get(), r.release(), s.release()) == 1);  // both now belong to the signature
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &der);
  const MemoryPtr owner(der);
  PKI_CHECK(length > 0);
  return Bytes(der, der + length);
}

Result<Bytes> ecdsa_der_to_raw(ByteView der, std::size_t octets) {
  const unsigned char* cursor = der.data();
  const EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  if (!signature || cursor != der.data() + der.size()) return Error(Code::Malformed, "no ECDSA-Sig-Value");
  const auto half = static_cast<int>(octets / 2);
  Bytes raw(octets);
  const bool fits = BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), half) == half &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + half, half) == half;
  if (!fits) return Error(Code::Malformed, "ECDSA signature of another curve");
  return raw;
}

}  // namespace chancery::crypto
