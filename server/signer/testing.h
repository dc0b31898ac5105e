#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "server/base/file.h"
#include "server/config/load.h"
#include "server/signer/create.h"
#include "server/signer/issuer.h"
#include "server/x509/csr.h"

/// What the signer's tests share.
namespace chancery::signer {

inline const Seconds kNow = base::from_rfc3339("2027-01-15T08:00:00Z").value();

/// A directory of a test's own.
class TestDirectory {
 public:
  TestDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "signer-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path = name;
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory() { std::filesystem::remove_all(path); }

  std::filesystem::path path;
};

/// Of whoever has certificates made.
inline const crypto::PrivateKey& leaf_key() {
  static const auto kKey = crypto::PrivateKey::generate(base::parse_key_spec("ec:P-256").value()).value();
  return kKey;
}

/// A request that the server profile allows. @param number  the last octet of its serial number
inline SignRequest leaf_request(int number = 1, std::chrono::hours life = std::chrono::days{30}) {
  Bytes serial(19, 0x22);
  serial.back() = static_cast<std::uint8_t>(number);
  const auto subject = x509::Name::from_slash("/CN=www.example.com").value();
  const auto half = leaf_key().public_key();
  return SignRequest{.serial = Serial::from_octets(serial).value(),
                     .profile = ProfileName::parse("server").value(),
                     .subject = subject,
                     .sans = {x509::GeneralName::parse("DNS:www.example.com").value()},
                     .spki = Bytes(half.spki().begin(), half.spki().end()),
                     .not_before = kNow,
                     .not_after = kNow + life,
                     .csr = x509::make_csr(leaf_key(), subject, {}).value(),
                     .renews = {},
                     .requester = "unix:alice",
                     .front_end = {},
                     .rule = "ra-operator",
                     .evidence = "csr",
                     .idempotency_key = {}};
}

/// A realm "default" in a directory of its own, and its issuer. Who derives from it says how the realm is made.
class TestRealm {
 public:
  void open(Seconds now = kNow) {
    const auto opened = try_open(now);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
  }
  Status try_open(Seconds now = kNow) {
    issuer.reset();
    std::vector<config::Finding> findings;
    realm = config::load_realm(RealmName::parse("default").value(), in(""), findings);
    if (realm == nullptr) return Error(Code::BadConfig, config::to_line(findings.front()));
    PKI_TRY(issuer, Issuer::open(realm, now));
    return {};
  }
  /// A path in the realm's directory.
  std::filesystem::path in(const std::string& file) const { return directory_.path / "realm" / file; }
  std::string read(const std::string& file) const { return base::read_file(in(file), 65536).value(); }
  void write(const std::string& file, std::string_view text, unsigned mode = 0600) const {
    EXPECT_TRUE(base::replace_file(in(file), base::as_bytes(text), mode).ok()) << file;
  }

 private:
  TestDirectory directory_;  ///< outlives the issuer

 public:
  std::shared_ptr<const config::RealmConfig> realm;
  std::unique_ptr<Issuer> issuer;

 protected:
  /// Where the realm will be made. @param subject of its CA; empty: as the realm is named
  Creation creation(const std::string& subject = {}) const {
    Creation out{.realm = "default", .directory = directory_.path / "realm"};
    out.subject = subject;
    return out;
  }
  void create(const Creation& creation) const {
    const auto made = create_realm(creation, kNow);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message());
  }
  void create_unencrypted(const std::string& subject = {}) const {
    auto plain = creation(subject);
    plain.unencrypted = true;
    create(plain);
  }
  /// Beside the realm's directory.
  std::filesystem::path around(const std::string& file) const { return directory_.path / file; }
};

}  // namespace chancery::signer
