#include "server/crypto/file_name.h"

#include <gtest/gtest.h>

#include <set>

#include "server/crypto/digest.h"

namespace chancery::crypto {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(FileName, F34_IsNeverAPath) {
  EXPECT_EQ(file_name_of("www.example.com"), "www.example.com");
  EXPECT_EQ(file_name_of("../x/Y"), "%2e.%2fx%2f%59");
  EXPECT_EQ(file_name_of(".hidden"), "%2ehidden");
  EXPECT_EQ(file_name_of("~"), "%7e");
  EXPECT_EQ(file_name_of(""), "");
}

TEST(FileName, StaysWhatItWasUpToTheLimit) {
  EXPECT_EQ(file_name_of(std::string(kMaxFileName, 'a')), std::string(kMaxFileName, 'a'));
  EXPECT_EQ(file_name_of(std::string(85, 'A')), repeated("%41", 85));  // 255 octets
}

TEST(FileName, IsCutAboveItAndEndsInItsDigest) {
  const auto long_text = std::string(86, 'A');
  const auto name = file_name_of(long_text);
  EXPECT_EQ(name, repeated("%41", 63) + "~" + sha256_hex(base::as_bytes(long_text)));
  EXPECT_LE(name.size(), kMaxFileName);
}

TEST(FileName, OfDifferentTextsIsDifferent) {
  const auto euro = repeated("\xe2\x82\xac", 64);  // 64 characters, as a common name may have
  const std::set<std::string> texts{euro,
                                    euro + "a",
                                    euro + "b",
                                    "a" + euro,
                                    std::string(256, 'a'),
                                    std::string(257, 'a'),
                                    std::string(190, 'a') + "~" + sha256_hex(base::as_bytes(std::string(256, 'a')))};
  std::set<std::string> names;
  for (const auto& text : texts) {
    const auto name = file_name_of(text);
    EXPECT_LE(name.size(), kMaxFileName);
    EXPECT_EQ(name.find('/'), std::string::npos);
    names.insert(name);
  }
  EXPECT_EQ(names.size(), texts.size());
}

}  // namespace
}  // namespace chancery::crypto
