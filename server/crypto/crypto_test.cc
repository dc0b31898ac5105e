#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "server/crypto/block_list.h"
#include "server/crypto/digest.h"
#include "server/crypto/hmac.h"
#include "server/crypto/signature.h"

namespace chancery::crypto {
namespace {

using base::as_bytes;

PrivateKey make(const char* spec) { return PrivateKey::generate(base::parse_key_spec(spec).value()).value(); }

Code code_of(const Result<PublicKey>& key) {
  if (!key.ok()) return key.error().code();
  const auto status = check_public_key(*key);
  return status.ok() ? Code::Internal : status.error().code();
}

// A key that openssl made, and what openssl rsa -modulus | sha1sum says of it.
constexpr std::string_view kRsaSpki =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAx175BiHSllEU2m13cg0oHmnJn1+nwaX6IhSN5TeEvXvb9+UEJJwggWAiN63VtkEVBFEZYag3"
    "MnwZQD2zIBQSWzjuV0FXQJfNfdf2wGRmnHi7Sz50SNVJU780houaswAqvp8aMuD0IbrYsMg5bJUlYrAvKec8Vc8tcz0VkjMA9dsR5FzWGSVnRANz2nLR"
    "8FyJRCqxcY1fkVdg5GGs/z3t4nX0ttlhZHcZd/k3ANEHlBwYweGWypDuaAFbbPZh2sNlR9hGcZm8gTqJsf+C/xzc/7Nqi8V61qN+OhOiU4alduiGYVR1"
    "06bV/UAIfGutYjxGmxpkw0NKFKQQLAWhz2PMRQIDAQAB";
constexpr std::string_view kRsaSpkiDebianHash = "32766c509dad64d5f5af";

TEST(Digest, KnownAnswers) {
  EXPECT_EQ(sha256_hex(as_bytes("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha384({}).size(), 48U);
  EXPECT_EQ(sha512({}).size(), 64U);
  // RFC 4231 4.3
  EXPECT_EQ(base::to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(base::to_hex(hmac_sha384(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
  EXPECT_EQ(base::to_hex(hmac_sha512(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e"
            "070a38bce737");
  EXPECT_EQ(hmac_sha256({}, {}).size(), 32U);
  const HmacSha256 keyed(as_bytes("Jefe"));
  for (const std::string_view data : {"what do ya want for nothing?", "", "what do ya want for nothing?"})
    EXPECT_EQ(keyed(as_bytes(data)), hmac_sha256(as_bytes("Jefe"), as_bytes(data)));
  EXPECT_NE(HmacSha256(as_bytes("Jeff"))(as_bytes("x")), HmacSha256(as_bytes("Jefe"))(as_bytes("x")));
}

TEST(Key, B2_EveryKindSignsAndVerifies) {
  for (const char* spec : {"ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048", "ed25519"}) {
    const auto key = make(spec);
    const auto half = key.public_key();
    EXPECT_EQ(base::to_text(half.spec()), spec);
    EXPECT_TRUE(check_public_key(half).ok()) << spec;
    const auto algorithm = algorithm_for(half.spec(), "SHA384").value();
    auto signature = key.sign(algorithm, as_bytes("text")).value();
    EXPECT_TRUE(half.verify(algorithm, as_bytes("text"), signature).ok()) << spec;
    EXPECT_FALSE(half.verify(algorithm, as_bytes("texT"), signature).ok()) << spec;
    signature[signature.size() / 2] ^= 1;
    EXPECT_EQ(half.verify(algorithm, as_bytes("text"), signature).error().code(), Code::BadProof) << spec;
    EXPECT_EQ(PublicKey::from_spki(half.spki())->spki_sha256_hex(), half.spki_sha256_hex());
  }
}

TEST(Key, RefusesAlgorithmsOfOtherKeys) {
  const auto key = make("ec:P-256");
  EXPECT_EQ(key.sign(SignatureAlgorithm::RsaSha256, {}).error().code(), Code::BadKey);
  EXPECT_EQ(key.public_key().verify(SignatureAlgorithm::Ed25519, {}, {}).error().code(), Code::BadProof);
  EXPECT_EQ(PublicKey().verify(SignatureAlgorithm::Ed25519, {}, {}).error().code(), Code::BadProof);
  for (const char* digest : {"sha1", "md5", "", "sha3-256"}) EXPECT_FALSE(algorithm_for({}, digest).ok()) << digest;
}

TEST(Key, D36_PemThereAndBack) {
  const auto key = make("ec:P-256");
  const auto plain = key.to_pem();
  EXPECT_TRUE(base::as_text(plain.view()).starts_with("-----BEGIN PRIVATE KEY-----"));
  EXPECT_EQ(PrivateKey::from_pem(plain.view(), nullptr)->public_key().spki_sha256_hex(), key.public_key().spki_sha256_hex());
  const SecretBytes words(std::string_view("open sesame"));
  const auto sealed = key.to_encrypted_pem(words).value();
  EXPECT_TRUE(sealed.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  EXPECT_TRUE(PrivateKey::from_pem(as_bytes(sealed), &words).ok());
  const SecretBytes wrong(std::string_view("open barley"));
  EXPECT_EQ(PrivateKey::from_pem(as_bytes(sealed), &wrong).error().code(), Code::AuthFailed);
  EXPECT_EQ(PrivateKey::from_pem(as_bytes(sealed), nullptr).error().code(), Code::AuthFailed);
  EXPECT_EQ(PrivateKey::from_pem(as_bytes("no key"), nullptr).error().code(), Code::Malformed);
  EXPECT_FALSE(key.to_encrypted_pem(SecretBytes()).ok());
}

TEST(Key, F32_B3_RefusesWeakRsa) {
  const auto good = make("rsa:2048").public_key();
  const auto n = good.spki().last(256 + 5).first(256);
  const Bytes modulus(n.begin(), n.end());
  const Bytes f4{1, 0, 1};
  EXPECT_EQ(code_of(PublicKey::from_rsa(modulus, f4)), Code::Internal);
  for (const Bytes& e : {Bytes{1}, Bytes{3}, Bytes{1, 0, 0}, Bytes{1, 0, 2}, Bytes(33, 0xff)}) {
    EXPECT_EQ(code_of(PublicKey::from_rsa(modulus, e)), Code::BadKey) << base::to_hex(e);
  }
  auto even = modulus;
  even.back() &= 0xfe;
  EXPECT_EQ(code_of(PublicKey::from_rsa(even, f4)), Code::BadKey);
  EXPECT_EQ(code_of(PublicKey::from_rsa(Bytes(modulus.begin(), modulus.begin() + 128), f4)), Code::BadKey);
  EXPECT_EQ(code_of(PublicKey::from_rsa(Bytes(1025, 0xff), f4)), Code::BadKey);
  auto odd_bits = modulus;
  odd_bits.front() = 0x40;
  EXPECT_EQ(code_of(PublicKey::from_rsa(odd_bits, f4)), Code::BadKey);
  EXPECT_EQ(code_of(PublicKey::from_rsa({}, {})), Code::BadKey);
}

TEST(Key, B3_B4_RefusesModuliThatFactorEasily) {
  struct Case {
    const char* name;
    const char* modulus;
  };
  const Case cases[] = {
#include "server/crypto/weak_moduli.inc"
  };
  for (const auto& one : cases) {
    const auto modulus = base::from_hex(one.modulus).value();
    EXPECT_EQ(code_of(PublicKey::from_rsa(modulus, Bytes{1, 0, 1})), Code::BadKey) << one.name;
  }
}

/// A list in a file of its own.
class ListFile {
 public:
  explicit ListFile(const std::string& content)
      : path_(std::filesystem::temp_directory_path() / ("block-list-" + std::to_string(::getpid()))) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ListFile(const ListFile&) = delete;
  ListFile& operator=(const ListFile&) = delete;
  ~ListFile() { std::filesystem::remove(path_); }
  Result<BlockList> open() const { return BlockList::open(path_); }

 private:
  std::filesystem::path path_;
};

TEST(BlockList, B4_FindsEveryLineAndNothingBetween) {
  std::vector<PublicKey> keys;
  std::vector<std::string> lines;
  for (int i = 0; i < 9; ++i) {
    keys.push_back(make("ec:P-256").public_key());
    lines.push_back(keys.back().spki_sha256_hex());
  }
  const auto stranger = make("ec:P-256").public_key();
  for (const std::size_t width : {24U, 40U, 64U}) {
    for (std::size_t count = 0; count <= lines.size(); ++count) {
      std::vector<std::string> listed;
      for (std::size_t i = 0; i < count; ++i) listed.push_back(lines[i].substr(0, width) + "\n");
      std::ranges::sort(listed);
      std::string content = "# a head\n# of two lines\n";
      for (const auto& line : listed) content += line;
      const ListFile file(content);
      const auto list = file.open().value();
      for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(list.has(keys[i]), i < count) << width << " " << count << " " << i;
      EXPECT_FALSE(list.has(stranger));
    }
  }
}

/// openssl rsa -pubin -modulus | sha1sum | cut -c21-40
TEST(BlockList, B4_ReadsDebiansForm) {
  const auto key = PublicKey::from_spki(base::from_base64(kRsaSpki).value()).value();
  const ListFile file("# blacklist\n0123456789abcdef0123\n" + std::string(kRsaSpkiDebianHash) + "\n");
  EXPECT_TRUE(file.open()->has(key));
  EXPECT_FALSE(file.open()->has(make("rsa:2048").public_key()));
  EXPECT_FALSE(file.open()->has(make("ec:P-256").public_key()));
}

TEST(BlockList, RefusesWhatIsNoList) {
  for (const std::string content : {"", "xyz\n", "0123\n", "0123456789abcdef01234567", "0123456789ABCDEF01234567\n",
                                    "0123456789abcdef01234567\n0123\n", "#"}) {
    const auto list = ListFile(content).open();
    EXPECT_FALSE(list.ok() && content != "#") << content;
  }
  EXPECT_EQ(BlockList::open("/nowhere/list").error().code(), Code::NotFound);
  EXPECT_FALSE(BlockList::open("/tmp").ok());
}

TEST(BlockList, C13_TheOneCheckAsksIt) {
  const auto key = make("ec:P-256").public_key();
  ASSERT_TRUE(check_public_key(key).ok());
  const ListFile file(key.spki_sha256_hex() + "\n");
  std::vector<BlockList> lists;
  lists.push_back(file.open().value());
  refuse_listed_keys(std::move(lists));
  EXPECT_EQ(check_public_key(key).error().code(), Code::BadKey);  // also one that passed before
  EXPECT_TRUE(check_public_key(make("ec:P-256").public_key()).ok());
  refuse_listed_keys({});
  EXPECT_TRUE(check_public_key(key).ok());
}

TEST(Key, F32_B2_RefusesBadPoints) {
  const auto good = make("ec:P-256").public_key();
  Bytes spki(good.spki().begin(), good.spki().end());
  auto off_curve = spki;
  off_curve.back() ^= 1;
  EXPECT_EQ(code_of(PublicKey::from_spki(off_curve)), Code::BadKey);
  auto hybrid = spki;
  hybrid[spki.size() - 65] = static_cast<std::uint8_t>(6 + (spki.back() & 1));
  EXPECT_EQ(code_of(PublicKey::from_spki(hybrid)), Code::BadKey);
  auto trailing = spki;
  trailing.push_back(0);
  EXPECT_EQ(code_of(PublicKey::from_spki(trailing)), Code::Malformed);
  const auto infinity = base::from_hex(
                            "301930130607"
                            "2a8648ce3d0201"
                            "06082a8648ce3d030107"
                            "03020000")
                            .value();
  EXPECT_EQ(code_of(PublicKey::from_spki(infinity)), Code::BadKey);
  const auto secp256k1 = base::from_hex(
                             "3018"
                             "301006072a8648ce3d020106052b8104000a"
                             "0304000400"
                             "00")
                             .value();
  EXPECT_NE(code_of(PublicKey::from_spki(secp256k1)), Code::Internal);
  EXPECT_EQ(code_of(PublicKey::from_spki({})), Code::Malformed);
  EXPECT_EQ(code_of(PublicKey::from_ec(256, Bytes(32), Bytes(32))), Code::BadKey);
  EXPECT_EQ(code_of(PublicKey::from_ec(255, Bytes(32), Bytes(32))), Code::BadKey);
  EXPECT_EQ(code_of(PublicKey::from_ec(256, Bytes(31), Bytes(32))), Code::BadKey);
  EXPECT_EQ(code_of(PublicKey::from_ed25519(Bytes(31))), Code::BadKey);
  EXPECT_EQ(code_of(PublicKey()), Code::BadKey);
}

TEST(Signature, RawAndDer) {
  const auto key = make("ec:P-384");
  const auto der = key.sign(SignatureAlgorithm::EcdsaSha384, as_bytes("x")).value();
  const auto raw = ecdsa_der_to_raw(der, 96).value();
  EXPECT_EQ(ecdsa_raw_to_der(raw).value(), der);
  EXPECT_FALSE(ecdsa_raw_to_der(Bytes(95)).ok());
  EXPECT_FALSE(ecdsa_der_to_raw(der, 64).ok());
  EXPECT_FALSE(ecdsa_der_to_raw(Bytes{0x30, 0}, 96).ok());
}

TEST(Signature, F32_B5_RefusesWeakIdentifiers) {
  for (const auto row : {SignatureAlgorithm::EcdsaSha256, SignatureAlgorithm::RsaSha512, SignatureAlgorithm::Ed25519}) {
    EXPECT_EQ(algorithm_from_identifier(algorithm_identifier(row)).value(), row);
  }
  for (const char* hex : {"300d06092a864886f70d0101050500", "300d06092a864886f70d0101040500", "300b06092a864886f70d01010b", ""}) {
    EXPECT_EQ(algorithm_from_identifier(base::from_hex(hex).value()).error().code(), Code::Unsupported) << hex;
  }
}

}  // namespace
}  // namespace chancery::crypto
