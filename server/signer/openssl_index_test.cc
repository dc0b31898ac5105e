#include "server/signer/openssl_index.h"

#include <gtest/gtest.h>

#include "server/signer/openssl_config.h"

namespace chancery::signer {
namespace {

using std::string_literals::operator""s;

std::string line(const std::string& state, const std::string& end, const std::string& revoked, const std::string& serial,
                 const std::string& subject = "/CN=a.example.com") {
  return state + "\t" + end + "\t" + revoked + "\t" + serial + "\tunknown\t" + subject + "\n";
}

struct Good {
  const char* name;
  std::string text;
  char state;
  const char* serial;  ///< empty: none of today
  const char* not_after;
  const char* revoked_at;  ///< empty: not revoked
  const char* reason;
  const char* extra;
};
const Good kGood[] = {
    {"valid", line("V", "270101120000Z", "", "01"), 'V', "01", "2027-01-01T12:00:00Z", "", "", ""},
    {"expired", line("E", "20270101120000Z", "", "0A0B"), 'E', "0a0b", "2027-01-01T12:00:00Z", "", "", ""},
    {"the last year of UTCTime", line("V", "491231235959Z", "", "1000"), 'V', "1000", "2049-12-31T23:59:59Z", "", "", ""},
    {"the first one", line("V", "500101000000Z", "", "1000"), 'V', "1000", "1950-01-01T00:00:00Z", "", "", ""},
    {"revoked without a reason", line("R", "270101120000Z", "260102030405Z", "02"), 'R', "02", "2027-01-01T12:00:00Z",
     "2026-01-02T03:04:05Z", "unspecified", ""},
    {"in capitals", line("R", "270101120000Z", "260102030405Z,CACompromise", "02"), 'R', "02", "2027-01-01T12:00:00Z",
     "2026-01-02T03:04:05Z", "cACompromise", ""},
    {"a hold with its instruction", line("R", "270101120000Z", "260102030405Z,holdInstruction,1.2.840.10040.2.3", "02"), 'R',
     "02", "2027-01-01T12:00:00Z", "2026-01-02T03:04:05Z", "certificateHold", "1.2.840.10040.2.3"},
    {"a CA key's time", line("R", "270101120000Z", "260102030405Z,CAkeyTime,20251231000000Z", "02"), 'R', "02",
     "2027-01-01T12:00:00Z", "2026-01-02T03:04:05Z", "cACompromise", "20251231000000Z"},
    {"a key's time", line("R", "270101120000Z", "260102030405Z,keyTime,20251231000000Z", "02"), 'R', "02", "2027-01-01T12:00:00Z",
     "2026-01-02T03:04:05Z", "keyCompromise", "20251231000000Z"},
    {"a reason that is none", line("R", "270101120000Z", "260102030405Z,bad\x1bluck", "02"), 'R', "02", "2027-01-01T12:00:00Z",
     "2026-01-02T03:04:05Z", "", "bad\\x1bluck"},
    {"twenty octets", line("V", "270101120000Z", "", std::string(40, '7')), 'V', "7777777777777777777777777777777777777777",
     "2027-01-01T12:00:00Z", "", "", ""},
    {"above twenty octets", line("V", "270101120000Z", "", std::string(42, '7')), 'V', "", "2027-01-01T12:00:00Z", "", "", ""},
    {"negative", line("V", "270101120000Z", "", "-01"), 'V', "", "2027-01-01T12:00:00Z", "", "", ""},
    {"zero", line("V", "270101120000Z", "", "00"), 'V', "", "2027-01-01T12:00:00Z", "", "", ""},
    {"an end of DOS", "V\t270101120000Z\t\t03\tunknown\t/CN=a.example.com\r\n", 'V', "03", "2027-01-01T12:00:00Z", "", "", ""},
    {"no end", "V\t270101120000Z\t\t03\tunknown\t/CN=a.example.com", 'V', "03", "2027-01-01T12:00:00Z", "", "", ""},
};

TEST(OpensslIndex, LinesOfEachState) {
  for (const auto& one : kGood) {
    const auto rows = parse_index(one.text);
    ASSERT_TRUE(rows.ok()) << one.name << ": " << rows.error().message();
    ASSERT_EQ(rows->size(), 1U) << one.name;
    const auto& row = rows->front();
    EXPECT_EQ(row.state, one.state) << one.name;
    EXPECT_EQ(row.serial ? row.serial->hex() : "", one.serial) << one.name;
    EXPECT_EQ(base::to_rfc3339(row.not_after), one.not_after) << one.name;
    EXPECT_EQ(row.revoked_at ? base::to_rfc3339(*row.revoked_at) : "", one.revoked_at) << one.name;
    EXPECT_EQ(row.reason, one.reason) << one.name;
    EXPECT_EQ(row.extra, one.extra) << one.name;
    EXPECT_EQ(row.cn, "a.example.com") << one.name;
  }
}

struct Bad {
  const char* name;
  std::string text;
  const char* said;
};
const Bad kBad[] = {
    {"no columns", "V 270101120000Z 01\n", "line 1: found 1 columns"},
    {"one too few", "V\t270101120000Z\t\t01\t/CN=a\n", "found 5 columns, expected 6"},
    {"one too many", "V\t270101120000Z\t\t01\tunknown\t/CN=a\tb\n", "found 7 columns"},
    {"an unknown state", line("X", "270101120000Z", "", "01"), "found the state \"X\", expected V, R or E"},
    {"two states", line("VR", "270101120000Z", "", "01"), "found the state \"VR\""},
    {"no state", line("", "270101120000Z", "", "01"), "found the state \"\""},
    {"a NUL", "V\t270101120000Z\t\t01\tunknown\t/CN=a\0b\n"s, "found a NUL"},
    {"no end of life", line("V", "", "", "01"), "found the date \"\""},
    {"no Z", line("V", "270101120000", "", "01"), "found the date"},
    {"an offset", line("V", "270101120000+0100", "", "01"), "found the date"},
    {"a day that is none", line("V", "270230120000Z", "", "01"), "found the date"},
    {"an hour that is none", line("V", "270101240000Z", "", "01"), "found the date"},
    {"eleven digits", line("V", "2701011200Z", "", "01"), "found the date"},
    {"revoked without a date", line("R", "270101120000Z", "", "01"), "found the date \"\""},
    {"a reason without a date", line("R", "270101120000Z", ",keyCompromise", "01"), "found the date \"\""},
    {"valid with a date of revocation", line("V", "270101120000Z", "260101120000Z", "01"), "in state V, expected state R"},
    {"no serial", line("V", "270101120000Z", "", ""), "found the serial \"\""},
    {"a minus alone", line("V", "270101120000Z", "", "-"), "found the serial \"-\""},
    {"a serial that is no number", line("V", "270101120000Z", "", "0x01"), "found the serial \"0x01\""},
    {"a serial with a terminal's words", line("V", "270101120000Z", "", "\x1b[2J"), "found the serial \"\\x1b[2J\""},
    {"a line above the limit", line("V", "270101120000Z", "", "01", "/CN=" + std::string(70000, 'x')),
     "octets, expected 64 KiB at most"},
    {"the second line", line("V", "270101120000Z", "", "01") + "nonsense\n", "line 2: found 1 columns"},
};

TEST(OpensslIndex, RefusesLinesThatItCannotRead) {
  for (const auto& one : kBad) {
    const auto rows = parse_index(one.text);
    ASSERT_FALSE(rows.ok()) << one.name;
    EXPECT_EQ(rows.error().code(), Code::Malformed) << one.name;
    EXPECT_NE(rows.error().message().find(one.said), std::string::npos) << one.name << ": " << rows.error().message();
  }
}

TEST(OpensslIndex, TellsOfTenLinesAtMost) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "nonsense\n";
  const auto rows = parse_index(text);
  ASSERT_FALSE(rows.ok());
  EXPECT_NE(rows.error().message().find("line 10:"), std::string::npos);
  EXPECT_EQ(rows.error().message().find("line 11:"), std::string::npos);
}

TEST(OpensslIndex, ATabBehindABackslashStaysInItsColumn) {
  const auto rows = parse_index("V\t270101120000Z\t\t01\tunknown\t/CN=a\\\tb\n# a comment\n\n");
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().subject, "/CN=a\\x09b");  // no name of ours, so shown and not taken
  EXPECT_EQ(rows->front().cn, "");
}

TEST(OpensslIndex, Counters) {
  EXPECT_EQ(parse_counter("0A\n").value(), "a");
  EXPECT_EQ(parse_counter("00\n").value(), "0");
  EXPECT_EQ(parse_counter("1000").value(), "1000");
  for (const auto& bad : {""s, "\n"s, "x"s, "-1"s, "0x10"s, "10 11"s, std::string(65, '1'), "1\0"s})
    EXPECT_FALSE(parse_counter(bad).ok()) << bad;
}

constexpr std::string_view kSample = R"(
HOME = .   # what is in no section
# .include /etc/other.cnf
[ ca ]
default_ca = CA_default

[tsa]
dir = $ENV::TSA
[ CA_default ]
dir		= /srv/$name/ca
name = never
)";

TEST(OpensslConfig, ReadsTheSectionOfTheCa) {
  const auto values = parse_default_ca(
      "base = /srv\n[ca]\ndefault_ca=mine\n[other]\nname = pki\nenv = $ENV::HOME\n[ mine ]\ndir = $base/${other::name}  # where\n"
      "database = $dir/index.txt\r\ncertificate = \"$dir/ca.pem\"\nprivate_key = $(dir)/a\\\n/b\nserial = '$dir'\ncrl = a\\#b\n");
  ASSERT_TRUE(values.ok()) << values.error().message();
  EXPECT_EQ(values->at("dir"), "/srv/pki");
  EXPECT_EQ(values->at("database"), "/srv/pki/index.txt");
  EXPECT_EQ(values->at("certificate"), "/srv/pki/ca.pem");
  EXPECT_EQ(values->at("private_key"), "/srv/pki/a/b");
  EXPECT_EQ(values->at("serial"), "$dir");
  EXPECT_EQ(values->at("crl"), "a#b");
}

TEST(OpensslConfig, RefusesWhatLeadsElsewhere) {
  const struct {
    const char* name;
    std::string text;
    Code want;
    const char* said;
  } cases[] = {
      {"empty", "", Code::Malformed, "no default_ca"},
      {"a section that misses", "[ca]\ndefault_ca = x\n", Code::Malformed, "no section [x]"},
      {"a variable before its value", std::string(kSample), Code::Malformed, "\"name\", which has no value yet"},
      {"the environment", "[ca]\ndefault_ca=x\n[x]\ndir=$ENV::HOME\n", Code::Unsupported, "of the environment"},
      {"an include", "[ca]\n.include /etc/x\n", Code::Unsupported, ".include"},
      {"a section without its end", "[ca\n", Code::Malformed, "line 1: found a section without its ]"},
      {"a variable without its end", "[ca]\ndefault_ca=x\n[x]\na=1\nb=${a\n", Code::Malformed, "without its end"},
      {"a line that is none", "[ca]\nnonsense\n", Code::Malformed, "line 2: found \"nonsense\""},
      {"a NUL", "[ca]\0\n"s, Code::Malformed, "NUL"},
      {"above the limit", std::string((1 << 20) + 1, '\n'), Code::TooLarge, "1 MiB"},
  };
  for (const auto& one : cases) {
    const auto values = parse_default_ca(one.text);
    ASSERT_FALSE(values.ok()) << one.name;
    EXPECT_EQ(values.error().code(), one.want) << one.name;
    EXPECT_NE(values.error().message().find(one.said), std::string::npos) << one.name << ": " << values.error().message();
  }
}

TEST(OpensslConfig, AVariableOfVariablesStaysSmall) {
  std::string text = "[ca]\ndefault_ca=x\n[x]\na0=" + std::string(1000, 'x') + "\n";
  for (int i = 0; i < 40; ++i) text += "a" + std::to_string(i + 1) + "=$a" + std::to_string(i) + "$a" + std::to_string(i) + "\n";
  EXPECT_EQ(parse_default_ca(text).error().code(), Code::TooLarge);
}

}  // namespace
}  // namespace chancery::signer
