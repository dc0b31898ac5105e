#include "clients/acme/jwk.h"

#include <algorithm>
#include <array>

#include "clients/acme/problems.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::acme {
namespace {

struct Curve {
  std::string_view name;  ///< RFC 7518 6.2.1.1
  int bits;
  std::size_t octets;  ///< of each coordinate
};
constexpr std::array kCurves{Curve{"P-256", 256, 32}, Curve{"P-384", 384, 48}, Curve{"P-521", 521, 66}};
constexpr std::size_t kEd25519Octets = 32;
constexpr std::size_t kMaxRsaOctets = 1024;  ///< 8192 bits
constexpr std::array<std::string_view, 8> kPrivateMembers{"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

/// A member that holds octets in base64url.
Result<Bytes> octets_of(const Json& json, std::string_view member) {
  const Json* value = json.find(member);
  if (value == nullptr || !value->is_string())
    return acme_error("malformed", "jwk: member " + std::string(member) + " is no text");
  auto octets = base::from_base64url(*value->as_string());
  if (!octets.ok()) return acme_error("malformed", "jwk: member " + std::string(member) + " is no base64url");
  return octets;
}

/// RFC 7518 2: Base64urlUInt, the shortest form.
Result<Bytes> number_of(const Json& json, std::string_view member) {
  PKI_TRY(auto octets, octets_of(json, member));
  if (octets.empty() || octets.front() == 0 || octets.size() > kMaxRsaOctets) {
    return acme_error("malformed", "jwk: member " + std::string(member) + " is no number in its shortest form");
  }
  return octets;
}

Result<Bytes> coordinate_of(const Json& json, std::string_view member, std::size_t size) {
  PKI_TRY(auto octets, octets_of(json, member));
  if (octets.size() != size) {
    return acme_error("malformed", "jwk: member " + std::string(member) + " has " + std::to_string(octets.size()) +
                                       " octets, expected " + std::to_string(size));
  }
  return octets;
}

Jwk finish(crypto::PublicKey key, Json canonical) {
  auto thumbprint = base::to_base64url(crypto::sha256(base::as_bytes(wire::to_text(canonical))));
  return {std::move(key), std::move(canonical), std::move(thumbprint)};
}

/// A key that OpenSSL does not take, or that is weak.
template <class T>
Result<T> or_bad_key(Result<T> result) {
  return result.ok() ? std::move(result) : Result<T>(as_acme(result.error(), "badPublicKey"));
}

Result<Jwk> read_ec(const Json& json) {
  const auto name = json.text("crv");
  const auto curve = std::ranges::find(kCurves, name, &Curve::name);
  if (curve == kCurves.end())
    return acme_error("badPublicKey", "jwk: curve " + base::printable(name, 20) + ", expected P-256, P-384 or P-521");
  PKI_TRY(const auto x, coordinate_of(json, "x", curve->octets));
  PKI_TRY(const auto y, coordinate_of(json, "y", curve->octets));
  PKI_TRY(auto key, or_bad_key(crypto::PublicKey::from_ec(curve->bits, x, y)));
  return finish(std::move(key), Json::object({{"crv", name}, {"kty", "EC"}, {"x", json.text("x")}, {"y", json.text("y")}}));
}

Result<Jwk> read_rsa(const Json& json) {
  PKI_TRY(const auto n, number_of(json, "n"));
  PKI_TRY(const auto e, number_of(json, "e"));
  PKI_TRY(auto key, or_bad_key(crypto::PublicKey::from_rsa(n, e)));
  return finish(std::move(key), Json::object({{"e", json.text("e")}, {"kty", "RSA"}, {"n", json.text("n")}}));
}

/// RFC 8037 2.
Result<Jwk> read_okp(const Json& json) {
  const auto name = json.text("crv");
  if (name != "Ed25519") return acme_error("badPublicKey", "jwk: curve " + base::printable(name, 20) + ", expected Ed25519");
  PKI_TRY(const auto x, coordinate_of(json, "x", kEd25519Octets));
  PKI_TRY(auto key, or_bad_key(crypto::PublicKey::from_ed25519(x)));
  return finish(std::move(key), Json::object({{"crv", name}, {"kty", "OKP"}, {"x", json.text("x")}}));
}

struct Kind {
  std::string_view kty;
  Result<Jwk> (*read)(const Json&);
};
constexpr std::array kKinds{Kind{"EC", read_ec}, Kind{"RSA", read_rsa}, Kind{"OKP", read_okp}};

}  // namespace

Result<Jwk> read_jwk(const Json& json) {
  if (!json.is_object()) return acme_error("malformed", "jwk is no object");
  for (const auto member : kPrivateMembers) {
    if (json.find(member) != nullptr) return acme_error("malformed", "jwk holds private or secret key material");
  }
  const auto kty = json.text("kty");
  const auto kind = std::ranges::find(kKinds, kty, &Kind::kty);
  if (kind == kKinds.end())
    return acme_error("badPublicKey", "jwk: key type " + base::printable(kty, 20) + ", expected EC, RSA or OKP");
  PKI_TRY(auto jwk, kind->read(json));
  if (auto good = crypto::check_public_key(jwk.key); !good.ok()) return as_acme(good.error(), "badPublicKey");
  return jwk;
}

}  // namespace chancery::acme
