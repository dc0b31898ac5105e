#include "server/signer/openxpki_records.h"

#include <gtest/gtest.h>

namespace chancery::signer {
namespace {

TEST(OpenxpkiRecords, OfEachShape) {
  const std::string row =
      R"({"cert_key": "2571", "subject": "CN=a.example.com,O=Company", "issuer_dn": "CN=CA", "status": "ISSUED", "notafter": 1830000000})";
  for (const auto& text : {"[" + row + "]", R"({"result": [)" + row + "]}", row, row + "\n\n", R"({"data": [)" + row + "]}"}) {
    const auto rows = parse_openxpki(text);
    ASSERT_TRUE(rows.ok()) << text << ": " << rows.error().message();
    ASSERT_EQ(rows->size(), 1U) << text;
    const auto& one = rows->front();
    EXPECT_EQ(one.serial, Serial::from_hex("0a0b").value());
    EXPECT_EQ(one.subject, "/O=Company/CN=a.example.com");
    EXPECT_EQ(one.cn, "a.example.com");
    EXPECT_EQ(one.issuer, "/CN=CA");
    EXPECT_EQ(one.not_after, base::from_epoch(1830000000));
    EXPECT_FALSE(one.revoked);
  }
  EXPECT_EQ(parse_openxpki(row + "\n" + row + "\n")->size(), 2U);
  EXPECT_TRUE(parse_openxpki("[]")->empty());
}

TEST(OpenxpkiRecords, RevokedOrNot) {
  const struct {
    const char* row;
    bool revoked;
    const char* reason;
    const char* at;  ///< empty: unknown
  } cases[] = {
      {R"({"cert_key": 1, "status": "REVOKED", "revocation_time": 1795204785, "reason_code": "keyCompromise"})", true,
       "keyCompromise", "2026-11-20T19:59:45Z"},
      {R"({"CERT_KEY": "1", "STATUS": "REVOKED", "REVOCATION_TIME": "1795204785", "REASON_CODE": "superseded"})", true,
       "superseded", "2026-11-20T19:59:45Z"},
      {R"({"cert_key": "0x01", "status": "CRL_ISSUANCE_PENDING", "revocation_time": "2026-11-20T19:59:45"})", true, "",
       "2026-11-20T19:59:45Z"},
      {R"({"cert_key": 1, "status": "ISSUED", "revocation_time": 1795204785, "reason_code": "no such"})", true, "",
       "2026-11-20T19:59:45Z"},
      {R"({"cert_key": 1, "status": "REVOKED", "revocation_time": null})", true, "", ""},
      {R"({"cert_key": 1, "status": "EXPIRED", "revocation_time": 0})", false, "", ""},
      {R"({"cert_key": 1})", false, "", ""},
  };
  for (const auto& one : cases) {
    const auto rows = parse_openxpki(one.row);
    ASSERT_TRUE(rows.ok()) << one.row << rows.error().message();
    const auto& row = rows->front();
    EXPECT_EQ(row.serial, Serial::from_hex("01").value()) << one.row;
    EXPECT_EQ(row.revoked, one.revoked) << one.row;
    EXPECT_EQ(row.reason, one.reason) << one.row;
    EXPECT_EQ(row.revoked_at ? base::to_rfc3339(*row.revoked_at) : "", one.at) << one.row;
  }
}

TEST(OpenxpkiRecords, RefusesWhatIsNoList) {
  const struct {
    const char* text;
    const char* said;
  } cases[] = {
      {"", ""},
      {"nonsense", ""},
      {"7", "row 1: found a"},
      {"{}", "row 1: found neither data nor cert_key"},
      {R"({"result": 1})", "row 1: found neither data nor cert_key"},
      {"[1]", "row 1: found"},
      {R"([{"status": "ISSUED"}])", "row 1: found neither data nor cert_key"},
      {R"([{"cert_key": 1}, {"cert_key": 2, "status": "LOST"}])", "row 2: found the status \"lost\""},
      {R"([{"cert_key": 1, "revocation_time": "yesterday"}])", "found revocation_time \"yesterday\""},
      {"{\"cert_key\": 1}\nnonsense\n", "line 2"},
  };
  for (const auto& one : cases) {
    const auto rows = parse_openxpki(one.text);
    ASSERT_FALSE(rows.ok()) << one.text;
    EXPECT_NE(rows.error().message().find(one.said), std::string::npos) << one.text << ": " << rows.error().message();
  }
}

TEST(OpenxpkiRecords, ASerialOfNoTodayIsKeptAsText) {
  const auto rows = parse_openxpki(
      R"([{"cert_key": "-5"}, {"cert_key": 1461501637330902918203684832716283019655932542976000000000}, {"cert_key": "\u0000"}])");
  ASSERT_TRUE(rows.ok()) << rows.error().message();
  for (const auto& row : *rows) EXPECT_FALSE(row.serial.has_value());
  EXPECT_EQ(rows->front().serial_text, "-5");
}

}  // namespace
}  // namespace chancery::signer
