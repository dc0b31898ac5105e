#include "server/crypto/spki.h"

#include <algorithm>
#include <array>

namespace chancery::crypto {
namespace {

constexpr std::uint8_t kInteger = 0x02, kBitString = 0x03, kSequence = 0x30;
constexpr std::uint8_t kUncompressed = 0x04;  // SEC 1 2.3.3

Error malformed(std::string what) { return Error(Code::Malformed, "public key: " + std::move(what)); }
Error bad(std::string what) { return Error(Code::BadKey, std::move(what)); }

/// RFC 3279 2.3.1, 5480 2.1.1, 8410 3. Whole octets, so that explicit EC parameters, RSASSA-PSS, DSA and others never reach
/// a parser of theirs (PROMISES F32).
constexpr std::array kKinds{
    SpkiKind{"300d06092a864886f70d0101010500", {KeySpec::Kind::Rsa, 0}, 0, nullptr},
    SpkiKind{"301306072a8648ce3d020106082a8648ce3d030107", {KeySpec::Kind::Ec, 256}, 32, "prime256v1"},
    SpkiKind{"301006072a8648ce3d020106052b81040022", {KeySpec::Kind::Ec, 384}, 48, "secp384r1"},
    SpkiKind{"301006072a8648ce3d020106052b81040023", {KeySpec::Kind::Ec, 521}, 66, "secp521r1"},
    SpkiKind{"300506032b6570", {KeySpec::Kind::Ed25519, 256}, 32, nullptr},
};
constexpr const SpkiKind& kRsa = kKinds.front();
constexpr const SpkiKind& kEd25519 = kKinds.back();

// ----- writing

/// Length in the shortest form (X.690 10.1).
Bytes tlv(std::uint8_t tag, ByteView content) {
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

ByteView without_zeros(ByteView magnitude) {
  const auto start = std::ranges::find_if(magnitude, [](std::uint8_t octet) { return octet != 0; });
  return magnitude.subspan(static_cast<std::size_t>(start - magnitude.begin()));
}

Bytes integer(ByteView magnitude) {
  const auto shortest = without_zeros(magnitude);
  Bytes content(shortest.begin(), shortest.end());
  if (content.empty() || content.front() >= 0x80) content.insert(content.begin(), 0);  // a sign octet
  return tlv(kInteger, content);
}

/// RSAPublicKey (RFC 8017 A.1.1).
Bytes rsa_public_key(ByteView modulus, ByteView exponent) {
  auto content = integer(modulus);
  const auto second = integer(exponent);
  content.insert(content.end(), second.begin(), second.end());
  return tlv(kSequence, content);
}

Bytes write_spki(const SpkiKind& kind, ByteView key) {
  Bytes bits{0};
  bits.insert(bits.end(), key.begin(), key.end());
  auto content = base::from_hex(kind.identifier_hex).value();
  const auto bit_string = tlv(kBitString, bits);
  content.insert(content.end(), bit_string.begin(), bit_string.end());
  return tlv(kSequence, content);
}

// ----- reading: bounds are kept here, the shortest form is seen by writing again

struct Element {
  ByteView whole;
  ByteView content;
};

Result<Element> take(ByteView& rest, std::uint8_t tag, std::string_view what) {
  const auto cut = [&] { return malformed("no " + std::string(what) + " where it belongs, or cut short"); };
  if (rest.size() < 2 || rest[0] != tag) return cut();
  const std::size_t length_octets = rest[1] < 0x80 ? 0 : rest[1] - 0x80U;
  if (length_octets > 2 || rest.size() < 2 + length_octets) return cut();
  std::size_t length = length_octets == 0 ? rest[1] : 0;
  for (std::size_t i = 0; i < length_octets; ++i) length = length << 8 | rest[2 + i];
  const auto head = 2 + length_octets;
  if (rest.size() - head < length) return cut();
  const Element out{rest.first(head + length), rest.subspan(head, length)};
  rest = rest.subspan(head + length);
  return out;
}

Status read_rsa(Spki& spki) {
  ByteView rest = spki.key;
  PKI_TRY(const auto sequence, take(rest, kSequence, "RSAPublicKey"));
  ByteView numbers = sequence.content;
  PKI_TRY(const auto modulus, take(numbers, kInteger, "modulus"));
  PKI_TRY(const auto exponent, take(numbers, kInteger, "exponent"));
  spki.modulus = without_zeros(modulus.content);
  spki.exponent = without_zeros(exponent.content);
  if (spki.modulus.empty() || spki.exponent.empty()) return bad("RSA modulus or exponent is zero");
  if (spki.modulus.size() > kMaxRsaBits / 8) {
    return bad("RSA modulus of " + std::to_string(spki.modulus.size()) + " octets, expected at most 1024");
  }
  if (spki.exponent.size() > kMaxExponentOctets) {
    return bad("RSA exponent of " + std::to_string(spki.exponent.size()) + " octets, expected at most 32");
  }
  return {};
}

Status read_key(Spki& spki) {
  const auto octets = spki.kind->coordinate_octets;
  switch (spki.kind->spec.kind) {
    case KeySpec::Kind::Rsa: return read_rsa(spki);
    case KeySpec::Kind::Ed25519:
      if (spki.key.size() != octets) return bad("Ed25519 key of " + std::to_string(spki.key.size()) + " octets, expected 32");
      return {};
    case KeySpec::Kind::Ec:
      // Compressed and hybrid points, and the one octet that is infinity, end here (RFC 5480 2.2).
      if (spki.key.size() != 1 + 2 * octets || spki.key[0] != kUncompressed) {
        return bad("EC point is not in the uncompressed form of its curve");
      }
      return {};
  }
  base::raise_bug(__FILE__, __LINE__, "key kind without a reader");
}

}  // namespace

Result<Spki> read_spki(ByteView der) {
  if (der.size() > kMaxSpkiBytes) return bad("public key of " + std::to_string(der.size()) + " octets, expected at most 4096");
  ByteView rest = der;
  PKI_TRY(const auto outer, take(rest, kSequence, "SubjectPublicKeyInfo"));
  if (!rest.empty()) return malformed("trailing octets after the SubjectPublicKeyInfo");
  ByteView inner = outer.content;
  PKI_TRY(const auto identifier, take(inner, kSequence, "algorithm"));
  PKI_TRY(const auto bits, take(inner, kBitString, "BIT STRING"));
  if (!inner.empty() || bits.content.empty() || bits.content[0] != 0)
    return malformed("the key is no BIT STRING of whole octets");
  const auto hex = base::to_hex(identifier.whole);
  const auto kind = std::ranges::find(kKinds, hex, &SpkiKind::identifier_hex);
  if (kind == kKinds.end()) {
    return bad("key kind or parameters " + hex.substr(0, 80) + ", expected RSA, EC on P-256, P-384 or P-521 by name, or Ed25519");
  }
  Spki out{&*kind, bits.content.subspan(1), {}, {}};
  PKI_TRY_VOID(read_key(out));
  const auto again =
      out.modulus.empty() ? write_spki(*kind, out.key) : write_spki(*kind, rsa_public_key(out.modulus, out.exponent));
  if (!std::ranges::equal(again, der)) return malformed("the SubjectPublicKeyInfo is not DER");
  return out;
}

Bytes write_rsa_spki(ByteView modulus, ByteView exponent) { return write_spki(kRsa, rsa_public_key(modulus, exponent)); }

Result<Bytes> write_ec_spki(int bits, ByteView x, ByteView y) {
  const auto kind = std::ranges::find(kKinds, KeySpec{KeySpec::Kind::Ec, bits}, &SpkiKind::spec);
  if (kind == kKinds.end()) return bad("EC curve of " + std::to_string(bits) + " bits, expected 256, 384 or 521");
  if (x.size() != kind->coordinate_octets || y.size() != kind->coordinate_octets)
    return bad("EC coordinates of the wrong length");
  Bytes point{kUncompressed};
  point.insert(point.end(), x.begin(), x.end());
  point.insert(point.end(), y.begin(), y.end());
  return write_spki(*kind, point);
}

Result<Bytes> write_ed25519_spki(ByteView x) {
  if (x.size() != kEd25519.coordinate_octets) return bad("Ed25519 key of " + std::to_string(x.size()) + " octets, expected 32");
  return write_spki(kEd25519, x);
}

}  // namespace chancery::crypto
