#include "server/signer/upki_records.h"

#include <gtest/gtest.h>

namespace chancery::signer {
namespace {

std::vector<UpkiRecord> records(std::string_view json) { return upki_records(wire::parse_json(json).value()); }

TEST(UpkiRecords, OfEachShape) {
  constexpr std::string_view kRecord = R"({"serial": 2571, "dn": "CN=a.example.com,O=Company", "cn": "a.example.com"})";
  const std::string text(kRecord);
  for (const auto& shape : {R"({"_default": {"1": )" + text + "}}", R"({"nodes": {"1": )" + text + R"(}, "empty": {}})",
                            "[" + text + "]", R"({"1": )" + text + "}", R"({"nodes": [)" + text + "]}"}) {
    const auto found = records(shape);
    ASSERT_EQ(found.size(), 1U) << shape;
    EXPECT_EQ(found[0].serial, Serial::from_hex("0a0b").value());
    EXPECT_EQ(found[0].dn, "/O=Company/CN=a.example.com");
    EXPECT_FALSE(found[0].revoked);
  }
}

struct Case {
  const char* name;
  const char* record;
  bool revoked;
  const char* reason;
  const char* at;  ///< empty: unknown
};
const Case kCases[] = {
    {"newer", R"({"revoked": true, "revoke_date": "2026-11-20T19:59:45.958962+00:00", "revoke_reason": "keyCompromise"})", true,
     "keyCompromise", "2026-11-20T19:59:45Z"},
    {"without an offset", R"({"revoked": true, "revoke_date": "2026-11-20T19:59:45.9", "revoke_reason": "KEYCOMPROMISE"})", true,
     "keyCompromise", "2026-11-20T19:59:45Z"},
    {"older", R"({"State": "Revoked", "Revoke_Date": "20261120195945Z", "Reason": "superseded"})", true, "superseded",
     "2026-11-20T19:59:45Z"},
    {"seconds", R"({"state": "revoked", "revoke_date": 1795204785})", true, "", "2026-11-20T19:59:45Z"},
    {"deleted", R"({"deleted": true, "delete_date": "2026-11-20T19:59:45+00:00"})", true, "cessationOfOperation",
     "2026-11-20T19:59:45Z"},
    {"a text for a truth value", R"({"revoked": "True"})", true, "", ""},
    {"no date that is one", R"({"revoked": true, "revoke_date": "yesterday"})", true, "", ""},
    {"a reason of its own", R"({"revoked": true, "revoke_reason": "he left"})", true, "", ""},
    {"not revoked", R"({"revoked": false, "revoke_reason": "", "state": "active"})", false, "", ""},
    {"nothing", "{}", false, "", ""},
};

TEST(UpkiRecords, Revocations) {
  for (const auto& one : kCases) {
    const auto found = records("[" + std::string(one.record) + "]");
    ASSERT_EQ(found.size(), 1U) << one.name;
    EXPECT_EQ(found[0].revoked, one.revoked) << one.name;
    EXPECT_EQ(found[0].reason, one.reason) << one.name;
    EXPECT_EQ(found[0].revoked_at ? base::to_rfc3339(*found[0].revoked_at) : "", one.at) << one.name;
  }
}

TEST(UpkiRecords, Serials) {
  const std::pair<const char*, const char*> cases[] = {
      {"497800169520955033516576454320879695289832660353", "573221b1c690f36677f113201b57099cb9cf5d81"},
      {R"("2571")", "0a0b"},
      {R"("0a:0b")", "0a0b"},
      {R"("0x0a0b")", "0a0b"}};
  for (const auto& [written, hex] : cases) {
    const auto found = records(R"([{"serial": )" + std::string(written) + "}]");
    ASSERT_TRUE(found[0].serial) << written;
    EXPECT_EQ(found[0].serial->decimal(), Serial::from_hex(hex).value().decimal()) << written;
  }
  for (const auto* none : {"-1", "0", "null", "1.5", "true", "[]", R"("")", R"("zz")", R"("../x")"})
    EXPECT_FALSE(records(R"([{"serial": )" + std::string(none) + "}]")[0].serial) << none;
}

TEST(UpkiRecords, OtherValuesArePassedOver) {
  for (const auto* text : {"[]", "{}", "null", "3", R"("text")", "[1, null, []]", R"({"_default": {}})", R"({"a": 1, "b": [2]})"})
    EXPECT_TRUE(records(text).empty()) << text;
}

}  // namespace
}  // namespace chancery::signer
