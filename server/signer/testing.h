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

/// What the signer's tests share.
namespace chancery::signer {

inline const Seconds kNow = base::from_rfc3339("2027-01-15T08:00:00Z").value();

/// A realm "default" in a directory of its own, and its issuer. Who derives from it says how the realm is made.
class TestRealm {
 public:
  TestRealm() {
    std::string name = (std::filesystem::temp_directory_path() / "signer-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) directory_ = name;
  }
  TestRealm(const TestRealm&) = delete;
  TestRealm& operator=(const TestRealm&) = delete;
  ~TestRealm() {
    issuer.reset();
    std::filesystem::remove_all(directory_);
  }

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
  std::filesystem::path in(const std::string& file) const { return directory_ / "realm" / file; }
  std::string read(const std::string& file) const { return base::read_file(in(file), 65536).value(); }
  void write(const std::string& file, std::string_view text, unsigned mode = 0600) const {
    EXPECT_TRUE(base::replace_file(in(file), base::as_bytes(text), mode).ok()) << file;
  }

  std::shared_ptr<const config::RealmConfig> realm;
  std::unique_ptr<Issuer> issuer;

 protected:
  /// Where the realm will be made. @param subject of its CA; empty: as the realm is named
  Creation creation(const std::string& subject = {}) const {
    Creation out{.realm = "default", .directory = directory_ / "realm"};
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
  std::filesystem::path around(const std::string& file) const { return directory_ / file; }

 private:
  std::filesystem::path directory_;
};

}  // namespace chancery::signer
