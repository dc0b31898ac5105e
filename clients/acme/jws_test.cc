#include "clients/acme/jws.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "clients/acme/jwk.h"
#include "clients/acme/problems.h"
#include "server/crypto/signature.h"

namespace chancery::acme {
namespace {

using crypto::PrivateKey;
using crypto::SignatureAlgorithm;

std::string type_of(const Error& error) { return std::string(to_problem(error).type); }

std::string b64(std::string_view text) { return base::to_base64url(base::as_bytes(text)); }

// ----- keys made here, and their JWKs cut out of the SubjectPublicKeyInfo

struct TestKey {
  std::string algorithm;
  SignatureAlgorithm sign;
  PrivateKey key;
  Json jwk;
};

Json ec_jwk(const PrivateKey& key, const std::string& curve, std::size_t octets) {
  const auto public_key = key.public_key();
  const auto point = public_key.spki().last(2 * octets);
  return Json::object({{"crv", curve},
                       {"kty", "EC"},
                       {"x", base::to_base64url(point.first(octets))},
                       {"y", base::to_base64url(point.last(octets))}});
}

/// A SubjectPublicKeyInfo of 2048 bits ends with INTEGER n (256 octets) and INTEGER 65537 (5 octets with its head).
Json rsa_jwk(const PrivateKey& key) {
  const auto public_key = key.public_key();
  const auto n = public_key.spki().last(256 + 5).first(256);
  return Json::object({{"e", "AQAB"}, {"kty", "RSA"}, {"n", base::to_base64url(n)}});
}

Json okp_jwk(const PrivateKey& key) {
  const auto public_key = key.public_key();
  return Json::object({{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", base::to_base64url(public_key.spki().last(32))}});
}

std::vector<TestKey> make_keys() {
  const auto make = [](const char* spec) { return PrivateKey::generate(base::parse_key_spec(spec).value()).value(); };
  std::vector<TestKey> keys;
  keys.push_back({"ES256", SignatureAlgorithm::EcdsaSha256, make("ec:P-256"), {}});
  keys.push_back({"ES384", SignatureAlgorithm::EcdsaSha384, make("ec:P-384"), {}});
  keys.push_back({"ES512", SignatureAlgorithm::EcdsaSha512, make("ec:P-521"), {}});
  keys.push_back({"RS256", SignatureAlgorithm::RsaSha256, make("rsa:2048"), {}});
  keys.push_back({"EdDSA", SignatureAlgorithm::Ed25519, make("ed25519"), {}});
  keys[0].jwk = ec_jwk(keys[0].key, "P-256", 32);
  keys[1].jwk = ec_jwk(keys[1].key, "P-384", 48);
  keys[2].jwk = ec_jwk(keys[2].key, "P-521", 66);
  keys[3].jwk = rsa_jwk(keys[3].key);
  keys[4].jwk = okp_jwk(keys[4].key);
  return keys;
}

const std::vector<TestKey>& keys() {
  static const auto kKeys = make_keys();
  return kKeys;
}

constexpr std::array kRawOctets{64, 96, 132};

/// The JWS signature of a text: ECDSA's as r and s (RFC 7518 3.4).
Bytes sign(const TestKey& key, const std::string& text) {
  auto signature = key.key.sign(key.sign, base::as_bytes(text)).value();
  for (std::size_t i = 0; i < kRawOctets.size(); ++i) {
    if (&key == &keys()[i]) return crypto::ecdsa_der_to_raw(signature, static_cast<std::size_t>(kRawOctets[i])).value();
  }
  return signature;
}

Json good_header(const TestKey& key) {
  return Json::object({{"alg", key.algorithm}, {"nonce", "n1"}, {"url", "https://localhost/x"}, {"jwk", key.jwk}});
}

Json make_jws(const TestKey& key, const Json& header, const std::string& payload = "{}") {
  const auto protected_text = b64(wire::to_text(header));
  const auto signature = sign(key, protected_text + "." + b64(payload));
  return Json::object({{"protected", protected_text}, {"payload", b64(payload)}, {"signature", base::to_base64url(signature)}});
}

// ----- what is taken

TEST(Jws, TakesEachAlgorithm) {
  for (const auto& key : keys()) {
    const auto jws = parse_jws(wire::to_text(make_jws(key, good_header(key))), JwsPlace::Request);
    ASSERT_TRUE(jws.ok()) << key.algorithm << " " << jws.error().message();
    const auto jwk = read_jwk(*jws->jwk);
    ASSERT_TRUE(jwk.ok()) << key.algorithm << " " << jwk.error().message();
    EXPECT_EQ(jwk->key.spki_sha256_hex(), key.key.public_key().spki_sha256_hex()) << key.algorithm;
    const auto verified = verify(*jws, jwk->key);
    EXPECT_TRUE(verified.ok()) << key.algorithm << " " << verified.error().message();
    EXPECT_EQ(jws->payload, "{}");
    EXPECT_EQ(jws->nonce, "n1");
  }
}

TEST(Jws, AnEmptyPayloadIsPostAsGet) {
  const auto& key = keys()[0];
  const auto jws = read_jws(make_jws(key, good_header(key), ""), JwsPlace::Request);
  ASSERT_TRUE(jws.ok());
  EXPECT_EQ(jws->payload, "");
}

TEST(Jws, ReadsTheInnerOneOfAKeyChange) {
  const auto& key = keys()[0];
  const auto header = Json::object({{"alg", "ES256"}, {"url", "u"}, {"jwk", key.jwk}});
  EXPECT_TRUE(read_jws(make_jws(key, header), JwsPlace::KeyChange).ok());
  EXPECT_FALSE(read_jws(make_jws(key, header), JwsPlace::Request).ok());
  EXPECT_FALSE(read_jws(make_jws(key, good_header(key)), JwsPlace::KeyChange).ok());
  const auto by_kid = Json::object({{"alg", "ES256"}, {"url", "u"}, {"kid", "k"}});
  EXPECT_FALSE(read_jws(make_jws(key, by_kid), JwsPlace::KeyChange).ok());
}

// ----- what is refused (PROMISES F39)

struct HeaderCase {
  const char* name;
  std::function<void(Json&)> change;
  const char* type = "malformed";
};

Json without(const Json& object, std::string_view member) {
  Json copy = Json::object();
  for (const auto& [name, value] : *object.as_object()) {
    if (name != member) copy.set(name, value);
  }
  return copy;
}

const HeaderCase kHeaderCases[] = {
    {"alg none", [](Json& h) { h.set("alg", "none"); }, "badSignatureAlgorithm"},
    {"alg HS256", [](Json& h) { h.set("alg", "HS256"); }, "badSignatureAlgorithm"},
    {"alg RS1", [](Json& h) { h.set("alg", "RS1"); }, "badSignatureAlgorithm"},
    {"alg RS512", [](Json& h) { h.set("alg", "RS512"); }, "badSignatureAlgorithm"},
    {"alg PS256", [](Json& h) { h.set("alg", "PS256"); }, "badSignatureAlgorithm"},
    {"alg ES256K", [](Json& h) { h.set("alg", "ES256K"); }, "badSignatureAlgorithm"},
    {"alg es256", [](Json& h) { h.set("alg", "es256"); }, "badSignatureAlgorithm"},
    {"alg empty", [](Json& h) { h.set("alg", ""); }, "badSignatureAlgorithm"},
    {"alg number", [](Json& h) { h.set("alg", 256); }},
    {"no alg", [](Json& h) { h = without(h, "alg"); }},
    {"no nonce", [](Json& h) { h = without(h, "nonce"); }, "badNonce"},
    {"nonce number", [](Json& h) { h.set("nonce", 1); }},
    {"no url", [](Json& h) { h = without(h, "url"); }},
    {"url array", [](Json& h) { h.set("url", Json::array()); }},
    {"jwk and kid", [](Json& h) { h.set("kid", "https://localhost/acme/account/x"); }},
    {"neither jwk nor kid", [](Json& h) { h = without(h, "jwk"); }},
    {"kid number", [](Json& h) { h = without(h, "jwk"), h.set("kid", 7); }},
    {"crit", [](Json& h) { h.set("crit", Json::array({"exp"})); }},
    {"b64 false", [](Json& h) { h.set("b64", false); }},
    {"b64 true", [](Json& h) { h.set("b64", true); }},
    {"x5c", [](Json& h) { h.set("x5c", Json::array()); }},
    {"header is an array", [](Json& h) { h = Json::array(); }},
    {"header is a text", [](Json& h) { h = Json("x"); }},
};

TEST(Jws, F39_RefusesProtectedHeaders) {
  const auto& key = keys()[0];
  for (const auto& one : kHeaderCases) {
    auto header = good_header(key);
    one.change(header);
    const auto jws = read_jws(make_jws(key, header), JwsPlace::Request);
    ASSERT_FALSE(jws.ok()) << one.name;
    EXPECT_EQ(type_of(jws.error()), one.type) << one.name;
  }
}

TEST(Jws, F39_AnUnsignedOneIsRefusedForItsAlgorithm) {
  const auto& key = keys()[0];
  auto header = good_header(key);
  header.set("alg", "none");
  auto unsigned_one = make_jws(key, header);
  unsigned_one.set("signature", "");
  for (const auto place : {JwsPlace::Request, JwsPlace::KeyChange}) {
    const auto jws = read_jws(unsigned_one, place);
    ASSERT_FALSE(jws.ok());
    EXPECT_EQ(type_of(jws.error()), "badSignatureAlgorithm");
  }
}

TEST(Jws, F39_RefusesOtherForms) {
  const auto& key = keys()[0];
  const auto good = make_jws(key, good_header(key));
  const auto changed = [&](std::string_view member, Json value) {
    auto copy = good;
    copy.set(member, std::move(value));
    return wire::to_text(copy);
  };
  const auto text = wire::to_text(good);
  const std::pair<const char*, std::string> cases[] = {
      {"empty body", ""},
      {"no JSON", "x"},
      {"compact form", good.text("protected") + "." + good.text("payload") + "." + good.text("signature")},
      {"array", "[" + text + "]"},
      {"trailing data", text + "{}"},
      {"unprotected header", changed("header", Json::object({{"alg", "ES256"}}))},
      {"signatures of none", changed("signatures", Json::array())},
      {"general form",
       wire::to_text(Json::object({{"payload", good.text("payload")},
                                   {"signatures", Json::array({without(good, "payload"), without(good, "payload")})}}))},
      {"unknown member", changed("extra", 1)},
      {"no protected", wire::to_text(without(good, "protected"))},
      {"detached payload", wire::to_text(without(good, "payload"))},
      {"no signature", wire::to_text(without(good, "signature"))},
      {"payload null", changed("payload", nullptr)},
      {"payload object", changed("payload", Json::object())},
      {"empty signature", changed("signature", "")},
      {"padded signature", changed("signature", good.text("signature") + "==")},
      {"standard base64", changed("payload", "+/+/")},
      {"white space", changed("protected", good.text("protected") + "\n")},
      {"empty protected", changed("protected", "")},
      {"protected no JSON", changed("protected", b64("x"))},
      {"duplicate member", "{\"payload\":\"\"," + text.substr(1)},
      {"duplicate in the header", changed("protected", b64(R"({"alg":"none","alg":"ES256","nonce":"n","url":"u","kid":"k"})"))},
  };
  for (const auto& [name, body] : cases) {
    const auto jws = parse_jws(body, JwsPlace::Request);
    ASSERT_FALSE(jws.ok()) << name;
    EXPECT_EQ(type_of(jws.error()), "malformed") << name;
  }
}

TEST(Jws, F39_TheAlgorithmIsThatOfTheKey) {
  for (const auto& signer : keys()) {
    const auto jws = read_jws(make_jws(signer, good_header(signer)), JwsPlace::Request).value();
    for (const auto& other : keys()) {
      if (&other == &signer) continue;
      const auto verified = verify(jws, other.key.public_key());
      ASSERT_FALSE(verified.ok()) << signer.algorithm << " " << other.algorithm;
      EXPECT_EQ(type_of(verified.error()), "badSignatureAlgorithm") << signer.algorithm << " " << other.algorithm;
    }
  }
}

struct SignatureCase {
  const char* name;
  std::function<Bytes(const TestKey&, const std::string&)> make;
};

TEST(Jws, F39_RefusesBadSignatures) {
  const auto& key = keys()[0];
  const SignatureCase cases[] = {
      {"DER instead of raw",
       [](const TestKey& k, const std::string& text) { return k.key.sign(k.sign, base::as_bytes(text)).value(); }},
      {"r is zero",
       [](const TestKey& k, const std::string& text) {
         auto s = sign(k, text);
         std::fill_n(s.begin(), 32, 0);
         return s;
       }},
      {"s is zero",
       [](const TestKey& k, const std::string& text) {
         auto s = sign(k, text);
         std::fill_n(s.begin() + 32, 32, 0);
         return s;
       }},
      {"all zero", [](const TestKey&, const std::string&) { return Bytes(64); }},
      {"one octet short",
       [](const TestKey& k, const std::string& text) {
         auto s = sign(k, text);
         s.erase(s.begin());
         return s;
       }},
      {"one octet long",
       [](const TestKey& k, const std::string& text) {
         auto s = sign(k, text);
         s.insert(s.begin(), 0);
         return s;
       }},
      {"one octet", [](const TestKey&, const std::string&) { return Bytes(1); }},
      {"bit flipped",
       [](const TestKey& k, const std::string& text) {
         auto s = sign(k, text);
         s[40] ^= 1;
         return s;
       }},
      {"of another text", [](const TestKey& k, const std::string& text) { return sign(k, text + "x"); }},
      {"r above the order",
       [](const TestKey& k, const std::string& text) {
         auto s = sign(k, text);
         std::fill_n(s.begin(), 32, 0xff);
         return s;
       }},
  };
  for (const auto& one : cases) {
    auto json = make_jws(key, good_header(key));
    json.set("signature", base::to_base64url(one.make(key, json.text("protected") + "." + json.text("payload"))));
    const auto jws = read_jws(json, JwsPlace::Request);
    ASSERT_TRUE(jws.ok()) << one.name;
    const auto verified = verify(*jws, key.key.public_key());
    ASSERT_FALSE(verified.ok()) << one.name;
    EXPECT_EQ(type_of(verified.error()), "malformed") << one.name;
  }
}

TEST(Jws, F39_RefusesAChangedPayloadOrHeader) {
  const auto& key = keys()[0];
  auto json = make_jws(key, good_header(key));
  json.set("payload", b64(R"({"a":1})"));
  EXPECT_FALSE(verify(read_jws(json, JwsPlace::Request).value(), key.key.public_key()).ok());
  json = make_jws(key, good_header(key));
  auto header = good_header(key);
  header.set("url", "https://localhost/y");
  json.set("protected", b64(wire::to_text(header)));
  EXPECT_FALSE(verify(read_jws(json, JwsPlace::Request).value(), key.key.public_key()).ok());
}

// ----- keys

TEST(Jwk, ThumbprintOfTheRfcsExample) {  // RFC 7638 3.1
  const auto json = wire::parse_json(
      R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})");
  const auto jwk = read_jwk(*json);
  ASSERT_TRUE(jwk.ok()) << jwk.error().message();
  EXPECT_EQ(jwk->thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(Jwk, ThumbprintOfAnEd25519Key) {  // RFC 8037 appendix A.3
  const auto jwk =
      read_jwk(*wire::parse_json(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"));
  ASSERT_TRUE(jwk.ok()) << jwk.error().message();
  EXPECT_EQ(jwk->thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(Jwk, KeepsTheRequiredMembersOnly) {
  auto json = keys()[0].jwk;
  json.set("use", "sig").set("kid", "mine");
  const auto jwk = read_jwk(json);
  ASSERT_TRUE(jwk.ok());
  EXPECT_EQ(jwk->json, keys()[0].jwk);
}

TEST(Jwk, F40_RefusesBadKeys) {
  const auto& ec = keys()[0].jwk;
  const auto& rsa = keys()[3].jwk;
  const auto& okp = keys()[4].jwk;
  const auto changed = [](Json json, std::string_view member, Json value) { return json.set(member, std::move(value)); };
  struct Case {
    const char* name;
    Json json;
    const char* type;
  };
  const std::string zeros32 = base::to_base64url(Bytes(32));
  const std::string weak_modulus = base::to_base64url(Bytes(128, 0xff));
  const Case cases[] = {
      {"text", Json("x"), "malformed"},
      {"no kty", without(ec, "kty"), "badPublicKey"},
      {"symmetric", Json::object({{"kty", "oct"}, {"k", "AAAA"}}), "malformed"},
      {"private EC", changed(ec, "d", "AAAA"), "malformed"},
      {"private RSA", changed(rsa, "p", "AAAA"), "malformed"},
      {"unknown kty", changed(ec, "kty", "XX"), "badPublicKey"},
      {"P-192", changed(ec, "crv", "P-192"), "badPublicKey"},
      {"secp256k1", changed(ec, "crv", "secp256k1"), "badPublicKey"},
      {"other curve's size", changed(ec, "crv", "P-384"), "malformed"},
      {"no y", without(ec, "y"), "malformed"},
      {"y short", changed(ec, "y", base::to_base64url(Bytes(31, 1))), "malformed"},
      {"y number", changed(ec, "y", 7), "malformed"},
      {"not on the curve", changed(ec, "y", ec.text("x")), "badPublicKey"},
      {"all zero point", changed(changed(ec, "x", zeros32), "y", zeros32), "badPublicKey"},
      {"x padded", changed(ec, "x", ec.text("x") + "="), "malformed"},
      {"RSA 1024", changed(rsa, "n", weak_modulus), "badPublicKey"},
      {"RSA leading zero", changed(rsa, "n", base::to_base64url(Bytes(257, 0))), "malformed"},
      {"RSA exponent 1", changed(rsa, "e", "AQ"), "badPublicKey"},
      {"RSA exponent 3", changed(rsa, "e", "Aw"), "badPublicKey"},
      {"RSA exponent even", changed(rsa, "e", "AQAA"), "badPublicKey"},
      {"RSA too large", changed(rsa, "n", base::to_base64url(Bytes(1025, 0xff))), "malformed"},
      {"RSA even modulus", changed(rsa, "n", base::to_base64url(Bytes(256, 0xfe))), "badPublicKey"},
      {"Ed448", changed(okp, "crv", "Ed448"), "badPublicKey"},
      {"X25519", changed(okp, "crv", "X25519"), "badPublicKey"},
      {"Ed25519 short", changed(okp, "x", base::to_base64url(Bytes(31, 1))), "malformed"},
  };
  for (const auto& one : cases) {
    const auto jwk = read_jwk(one.json);
    ASSERT_FALSE(jwk.ok()) << one.name;
    EXPECT_EQ(type_of(jwk.error()), one.type) << one.name << ": " << jwk.error().message();
  }
}

}  // namespace
}  // namespace chancery::acme
