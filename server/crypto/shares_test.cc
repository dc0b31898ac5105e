#include "server/crypto/shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

namespace chancery::crypto {
namespace {

std::string text_of(const SecretBytes& secret) { return std::string(base::as_text(secret.view())); }
std::string line_of(const Share& share) { return text_of(share_text(share)); }

std::vector<Share> made(std::string_view secret, int shares, int threshold) {
  return split_secret(SecretBytes(secret), "default", shares, threshold).value();
}

Share foreign(int index, std::string_view hex) {
  return {"default", "00000000", index, 3, SecretBytes(base::from_hex(hex).value())};
}

/// Made by another implementation: `gfsplit -n 3 -m 5` of libgfshare-bin 2.0.0 (Debian 12), of which any three give it back.
TEST(Shares, PutTogetherWhatGfsplitMade) {
  std::vector<Share> all;
  all.push_back(foreign(105, "a7cb7ed21745359012449043b07ad98e6e4552f02e7789b0098d02d3"));
  all.push_back(foreign(135, "6a18d276bb4de10ecbefa60595f4a5cb480cf9d6c0916f2e16b62094"));
  all.push_back(foreign(160, "7c99eb6fcbcb08b706aa4b7f20de0f22948c8b0e61b7c2fb88265df1"));
  all.push_back(foreign(189, "02b1572ca4aa38211485664be866566ed54ad8934cccc7fbebada115"));
  all.push_back(foreign(190, "38c2299fd1f33405d8a55d073b39aad4ff01b4477810823836821893"));
  for (std::size_t a = 0; a < all.size(); ++a) {
    for (std::size_t b = 0; b < all.size(); ++b) {
      for (std::size_t c = 0; c < all.size(); ++c) {
        if (a == b || b == c || a == c) continue;
        const auto secret = combine_shares({&all[a], &all[b], &all[c]});
        ASSERT_TRUE(secret.ok());
        EXPECT_EQ(text_of(*secret), "correct horse battery staple") << a << b << c;
      }
    }
  }
}

TEST(Shares, AnyThresholdOfThemGiveTheSecretAndFewerDoNot) {
  const std::string secret("\0\xFF a secret", 11);
  const auto shares = made(secret, 5, 3);
  EXPECT_EQ(text_of(*combine_shares({&shares[4], &shares[0], &shares[2]})), secret);
  EXPECT_EQ(text_of(*combine_shares({&shares[0], &shares[1], &shares[2], &shares[3], &shares[4]})), secret);
  EXPECT_EQ(combine_shares({&shares[0], &shares[1]}).error().code(), Code::InvalidParams);
  EXPECT_EQ(combine_shares({}).error().code(), Code::InvalidParams);
  EXPECT_EQ(combine_shares({&shares[0], &shares[1], &shares[0]}).error().code(), Code::InvalidParams);
  const auto others = made(secret, 5, 3);
  EXPECT_EQ(combine_shares({&shares[0], &shares[1], &others[2]}).error().code(), Code::InvalidParams);
}

TEST(Shares, TheMostThatThereMayBe) {
  const auto shares = made("x", 255, 255);
  std::vector<const Share*> all;
  for (const auto& share : shares) all.push_back(&share);
  EXPECT_EQ(text_of(*combine_shares(all)), "x");
}

/// What is below the threshold fits every secret equally: two shares of three and any wished value give a polynomial.
TEST(Shares, FewerThanTheThresholdFitEverySecret) {
  const auto shares = made("s", 3, 3);
  std::vector<bool> seen(256);
  for (int value = 0; value < 256; ++value) {
    Share third{"default", shares[0].set, 3, 3, SecretBytes(Bytes{static_cast<std::uint8_t>(value)})};
    seen[combine_shares({&shares[0], &shares[1], &third})->view()[0]] = true;
  }
  EXPECT_EQ(std::ranges::count(seen, true), 256);
}

TEST(Shares, RefusesNumbersThatMakeNoSense) {
  const SecretBytes secret(std::string_view("x"));
  for (const auto& [shares, threshold] : {std::pair(1, 1), {3, 1}, {3, 4}, {256, 3}, {0, 0}, {-1, -1}})
    EXPECT_EQ(split_secret(secret, "default", shares, threshold).error().code(), Code::InvalidParams) << shares << threshold;
  EXPECT_EQ(split_secret(SecretBytes(), "default", 3, 2).error().code(), Code::InvalidParams);
  EXPECT_EQ(split_secret(SecretBytes(Bytes(kMaxSharedOctets + 1)), "default", 3, 2).error().code(), Code::InvalidParams);
}

TEST(Shares, TextReadsBack) {
  for (const std::size_t length : {1, 2, 3, 4, 5, 31, 32, 128}) {
    const auto shares = made(std::string(length, 'x'), 3, 2);
    for (const auto& share : shares) {
      auto line = line_of(share);
      const auto read = parse_share(base::as_bytes(line));
      ASSERT_TRUE(read.ok()) << line << ": " << read.error().message();
      EXPECT_EQ(read->realm, "default");
      EXPECT_EQ(read->set, share.set);
      EXPECT_EQ(read->index, share.index);
      EXPECT_EQ(read->threshold, 2);
      EXPECT_EQ(text_of(read->values), text_of(share.values));
      std::ranges::transform(line, line.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      std::erase(line, '-');
      EXPECT_TRUE(parse_share(base::as_bytes("  " + line.substr(0, 30) + " \n" + line.substr(30) + "\n")).ok()) << line;
    }
  }
}

/// So that a share of today can be read for ever.
TEST(Shares, TextIsTheDocumentedOne) {
  const Share share{"default", "0a1b2c3d", 2, 3, SecretBytes(std::string_view("foobar"))};
  EXPECT_EQ(line_of(share), "chs1:default:0a1b2c3d:2:3:mzxw-6ytb-ojg4-l3an-ca");
}

TEST(Shares, EverySingleTypingErrorIsFound) {
  const auto line = line_of(made("a passphrase", 3, 2)[1]);
  for (std::size_t at = 0; at < line.size(); ++at) {
    for (const char other : std::string_view("abz27:-019x ")) {
      auto wrong = line;
      if (wrong[at] == other || (wrong[at] == '-' && other == ' ')) continue;
      wrong[at] = other;
      EXPECT_FALSE(parse_share(base::as_bytes(wrong)).ok()) << wrong;
    }
    auto shorter = line;
    if (shorter[at] == '-') continue;
    EXPECT_FALSE(parse_share(base::as_bytes(shorter.erase(at, 1))).ok()) << shorter;
  }
}

TEST(Shares, RefusesWhatIsNoShare) {
  for (const std::string line : {"", "chs1", "chs1:::::", "chs2:default:0a1b2c3d:2:3:aaaa-aaaa-aaaa", "hello",
                                 "chs1:default:0a1b2c3d:0:3:aaaa-aaaa-aaaa", "chs1:default:0a1b2c3d:256:3:aaaa-aaaa-aaaa",
                                 "chs1:../x:0a1b2c3d:1:3:aaaa-aaaa-aaaa", "chs1:default:0a1b2c:1:3:aaaa-aaaa-aaaa",
                                 "chs1:default:0a1b2c3d:1:1:aaaa-aaaa-aaaa", "chs1:default:0a1b2c3d:1:3:", "\xff\xfe"})
    EXPECT_EQ(parse_share(base::as_bytes(line)).error().code(), Code::Malformed) << line;
  EXPECT_EQ(parse_share(Bytes(kMaxShareText + 1, 'a')).error().code(), Code::Malformed);
}

}  // namespace
}  // namespace chancery::crypto
