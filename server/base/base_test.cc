#include <gtest/gtest.h>

#include <array>
#include <string>

#include "server/base/bytes.h"
#include "server/base/calendar.h"
#include "server/base/clock.h"
#include "server/base/key_spec.h"
#include "server/base/names.h"
#include "server/base/role.h"
#include "server/base/text.h"

namespace chancery::base {
namespace {

TEST(Bytes, Base64FollowsRfc4648) {
  const std::pair<std::string, std::string> vectors[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, encoded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(text)), encoded);
    EXPECT_EQ(as_text(*from_base64(encoded)), text);
  }
}

TEST(Bytes, RefusesBadBase64) {
  for (const char* text : {"Zg", "Zg=", "Z===", "Zm9v\n", "Zm 9", "Zh==", "_-__"}) EXPECT_FALSE(from_base64(text).ok()) << text;
  for (const char* text : {"Zg==", "Zm9v+", "Zm9v/", "Z", "Zh", " Zg"}) EXPECT_FALSE(from_base64url(text).ok()) << text;
}

TEST(Bytes, RefusesBadHex) {
  for (const char* text : {"0", "0g", "0x00", " 00"}) EXPECT_FALSE(from_hex(text).ok()) << text;
  EXPECT_EQ(to_hex(*from_hex("00FFa5")), "00ffa5");
}

TEST(Bytes, F55_EqualOnlyWhenEqual) {
  EXPECT_TRUE(equal_in_constant_time(as_bytes("seed"), as_bytes("seed")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("seed"), as_bytes("seef")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("seed"), as_bytes("see")));
}

TEST(Serial, B1_HasNineteenOctetsAndIsPositive) {
  for (int i = 0; i < 1000; ++i) {
    const auto octets = Serial::random().octets();
    ASSERT_EQ(octets.size(), 19U);
    ASSERT_TRUE(octets[0] >= 1 && octets[0] <= 0x7f);
  }
}

TEST(Serial, I1_EachBitOfTheRandomOctetsIsSetHalfTheTime) {
  constexpr int kSerials = 20000;
  constexpr int kOctets = 18;
  std::array<int, kOctets * 8> set{};
  for (int i = 0; i < kSerials; ++i) {
    const auto octets = Serial::random().octets();
    for (int bit = 0; bit < kOctets * 8; ++bit) {
      set.at(static_cast<std::size_t>(bit)) += octets.at(1 + static_cast<std::size_t>(bit) / 8) >> (bit % 8) & 1;
    }
  }
  // Seven standard deviations: 0.5 * sqrt(20000) = 71.
  for (const int count : set) EXPECT_NEAR(count, 0.5 * kSerials, 500);
}

TEST(Serial, I11_SurvivesEveryFormAtEveryLengthAndHighBit) {
  for (std::size_t length = 1; length <= 20; ++length) {
    for (const std::uint8_t lead : {0x01, 0x7f, 0x80, 0xff}) {
      if (length == 20 && lead >= 0x80) continue;
      Bytes octets(length, 0xa5);
      octets[0] = lead;
      const auto serial = Serial::from_octets(octets);
      ASSERT_TRUE(serial.ok());
      EXPECT_EQ(serial->octets(), octets);
      EXPECT_EQ(*Serial::from_hex(serial->hex()), *serial);
      EXPECT_EQ(*Serial::from_decimal(serial->decimal()), *serial);
    }
  }
  EXPECT_EQ(Serial::from_decimal("497800169520955033516576454320879695289832660353")->decimal(),
            "497800169520955033516576454320879695289832660353");
  EXPECT_EQ(Serial::from_hex("54:22")->hex(), "5422");
}

TEST(Serial, RefusesZeroAndTooMuch) {
  for (const char* text : {"", "0", "00", "xyz", "-1", "0x1", "80000000000000000000000000000000000000000",
                           "8000000000000000000000000000000000000000"}) {
    EXPECT_FALSE(Serial::from_hex(text).ok()) << text;
  }
  for (const char* text : {"", "0", "-1", "1a", "1.0", "9999999999999999999999999999999999999999999999999"})
    EXPECT_FALSE(Serial::from_decimal(text).ok()) << text;
}

TEST(Names, F50_RefusesTricks) {
  for (const char* text : {"", ".", "..", "../x", "/abs", "Default", "a.b", "a b", "a%2fb", "-a", "_a", "caf\xc3\xa9", "a\n"}) {
    EXPECT_FALSE(RealmName::parse(text).ok()) << text;
  }
  EXPECT_FALSE(RealmName::parse(std::string(64, 'a')).ok());
  EXPECT_TRUE(RealmName::parse(std::string(63, 'a')).ok());
}

TEST(Span, IsSaidInWords) {
  using std::chrono::seconds;
  const std::pair<std::int64_t, const char*> cases[] = {{0, "0 seconds"},
                                                        {1, "1 second"},
                                                        {59, "59 seconds"},
                                                        {300, "5 minutes"},
                                                        {5400, "1 hour 30 minutes"},
                                                        {86400, "1 day"},
                                                        {60 * 86400, "60 days"},
                                                        {60 * 86400 + 1, "60 days 1 second"}};
  for (const auto& [span, words] : cases) EXPECT_EQ(in_words(seconds{span}), words);
}

TEST(Clock, ReadsAndWritesRfc3339) {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2028-02-29T23:59:59Z", "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}) {
    EXPECT_EQ(to_rfc3339(*from_rfc3339(text)), text);
  }
  EXPECT_EQ(to_rfc3339(*from_rfc3339("2026-11-20T21:00:00.75+01:00")), "2026-11-20T20:00:00Z");
}

TEST(Clock, TakesTimesOfFourDigitsYears) {
  for (const auto* text : {"0000-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"}) {
    const auto time = from_rfc3339(text).value();
    EXPECT_EQ(time_from_epoch(to_epoch(time)).value(), time) << text;
    EXPECT_EQ(to_rfc3339(time), text);
  }
  for (const auto* text : {"0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"})
    EXPECT_FALSE(from_rfc3339(text).ok()) << text;
  for (const std::int64_t seconds : {INT64_MIN, -62'167'219'201, 253'402'300'800, INT64_MAX})
    EXPECT_EQ(time_from_epoch(seconds).error().code(), Code::Malformed) << seconds;
}

TEST(Clock, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "tomorrow", "2026-11-20", "2026-11-20T20:00:00", "2026-13-01T00:00:00Z", "2027-02-29T00:00:00Z",
        "2026-11-20T24:00:00Z", "2026-11-20T20:60:00Z", "2026-11-20T20:00:00+25:00", "2026-11-20T20:00:00Zx"}) {
    EXPECT_FALSE(from_rfc3339(text).ok()) << text;
  }
}

TEST(KeySpec, B2_TakesWhatIsStrongEnough) {
  for (const char* text : {"ec:P-256", "ec:P-384", "ec:P-521", "ed25519", "rsa:2048", "rsa:3072", "rsa:8192"})
    EXPECT_EQ(to_text(*parse_key_spec(text)), text);
  for (const char* text :
       {"", "rsa", "rsa:", "rsa:1024", "rsa:2047", "rsa:2052", "rsa:16384", "rsa:3072x", "dsa:2048", "ec:secp192r1"}) {
    EXPECT_FALSE(parse_key_spec(text).ok()) << text;
  }
}

TEST(Roles, ContainWhatTheirRowsSay) {
  EXPECT_TRUE(Roles{Role::Admin}.allow(Role::RaOperator));
  EXPECT_TRUE(Roles{Role::CaOperator}.allow(Role::RaOperator));
  EXPECT_FALSE(Roles{Role::RaOperator}.allow(Role::CaOperator));
  EXPECT_FALSE(Roles{Role::Frontend}.allow(Role::RaOperator));
  EXPECT_FALSE(Roles{Role::Auditor}.allow(Role::RaOperator));
  EXPECT_FALSE(Roles{}.allow(Role::Anonymous));
}

TEST(Roles, NarrowToWhatBothAllow) {
  const auto both = Roles{Role::Admin}.narrowed_to(Roles{Role::RaOperator});
  EXPECT_TRUE(both.allow(Role::RaOperator));
  EXPECT_FALSE(both.allow(Role::CaOperator));
  EXPECT_FALSE((Roles{Role::Frontend}.narrowed_to(Roles{Role::RaOperator}).allow(Role::RaOperator)));
  EXPECT_EQ(both, Roles{Role::RaOperator});
  EXPECT_EQ(Roles{Role::Admin}.narrowed_to(Roles{Role::Admin}), Roles{Role::Admin});
  EXPECT_EQ((Roles{Role::Admin}.narrowed_to({Role::Frontend, Role::RaOperator})), (Roles{Role::Frontend, Role::RaOperator}));
  EXPECT_EQ((Roles{Role::RaOperator}.narrowed_to(Roles{Role::Frontend})), Roles{Role::User});
  EXPECT_TRUE((Roles{}.narrowed_to(Roles{Role::Admin})).empty());
}

TEST(Text, D41_ForeignTextStaysOnOneLine) {
  EXPECT_EQ(printable("a\nb"), "a\\x0ab");
  EXPECT_EQ(printable("a\x1b[31m"), "a\\x1b[31m");
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // right-to-left override
  EXPECT_EQ(printable("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(printable(std::string(20, 'a'), 10), "aaaaaaaaaa...");
}

TEST(Text, KnowsUtf8) {
  for (const char* text : {"\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf8\x88\x80\x80\x80"})
    EXPECT_FALSE(is_utf8(text));
  for (const char* text : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x91"}) EXPECT_TRUE(is_utf8(text));
}

TEST(Text, DidYouMean) {
  const std::string_view words[] = {"server", "user", "laptop"};
  EXPECT_EQ(did_you_mean("sever", words), "server");
  EXPECT_EQ(did_you_mean("latpop", words), "laptop");
  EXPECT_EQ(did_you_mean("certificate", words), "");
}

TEST(Error, TheVocabularyIsUnambiguous) {
  const auto [rows, count] = all_codes();
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(code_from_text(rows[i].text), rows[i].code);
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(rows[i].number, rows[j].number) << rows[i].name;
  }
  EXPECT_FALSE(code_from_text("no such word").has_value());
}

TEST(Result, IsNotReadWithoutAValue) {
  const Result<int> refused = Error(Code::NotFound, "nothing");
  EXPECT_THROW((void)refused.value(), Bug);
  EXPECT_THROW((void)Result<int>(1).error(), Bug);
}

}  // namespace
}  // namespace chancery::base
