#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "server/signer/journal.h"

/// What the tests of the journal share: one that goes with the test, and what is written there.
namespace chancery::signer::testing {

inline Genesis owner() { return {RealmName::parse("default").value(), std::string(64, 'a'), base::from_epoch(1'800'000'000)}; }

inline Intent intent(int number, const std::string& idempotency_key = {}) {
  Bytes octets(19, 0x11);
  octets.back() = static_cast<std::uint8_t>(number);
  return Intent{.serial = Serial::from_octets(octets).value(),
                .profile = "server",
                .digest = "digest-" + std::to_string(number),
                .tbs = Bytes(40, static_cast<std::uint8_t>(number)),
                .spki_sha256 = "key-" + std::to_string(number),
                .requester = "unix:alice",
                .front_end = {},
                .rule = "ra-operator",
                .evidence = "csr",
                .idempotency_key = idempotency_key,
                .at = base::from_epoch(1'800'000'000)};
}
inline Bytes signature(int number) { return Bytes(64, static_cast<std::uint8_t>(number)); }

/// A journal's directory that goes with the test.
class Place {
 public:
  Place() {
    std::string name = (std::filesystem::temp_directory_path() / "journal-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) directory_ = name;
    EXPECT_TRUE(Journal::create(directory_, owner()).ok());
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { std::filesystem::remove_all(directory_); }

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path file() const { return directory_ / "journal.log"; }
  std::unique_ptr<Journal> open() const { return Journal::open(directory_, owner()).value(); }
  Result<std::unique_ptr<Journal>> try_open() const { return Journal::open(directory_, owner()); }

  std::string content() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& content) const { std::ofstream(file(), std::ios::binary) << content; }

  /// Three certificates, the last one without its signature, and a CRL.
  void fill() const {
    const auto journal = open();
    for (int number = 1; number <= 3; ++number) {
      ASSERT_TRUE(journal->begin(intent(number)).ok());
      if (number == 3) break;
      ASSERT_TRUE(journal->finish(intent(number).serial, signature(number)).ok());
    }
    ASSERT_TRUE(journal->begin_crl({1, base::from_epoch(1'800'000'000), "digest", "upkeep", {}}).ok());
  }

 private:
  std::filesystem::path directory_;
};

}  // namespace chancery::signer::testing
