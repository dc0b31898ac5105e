#include "clients/http/admission.h"

#include <gtest/gtest.h>

namespace chancery::http {
namespace {

using std::chrono::seconds;
constexpr Admission::Time kStart{};

TEST(Admission, D3_AnAddressIsAClientOfOneListener) {
  EXPECT_EQ(Admission::group_of("https", "192.0.2.1"), "https 192.0.2.1");
  EXPECT_NE(Admission::group_of("https", "192.0.2.1"), Admission::group_of("http", "192.0.2.1"));
  EXPECT_NE(Admission::group_of("https", "192.0.2.1"), Admission::group_of("https", "192.0.2.2"));
}

TEST(Admission, D3_IPv6ClientsAreCountedByPrefix) {
  EXPECT_EQ(Admission::group_of("https", "2001:db8:1:2:3:4:5:6"), "https 2001:db8:1:2::/64");
  EXPECT_EQ(Admission::group_of("https", "2001:db8:1:2::1"), Admission::group_of("https", "2001:db8:1:2:ffff::1"));
  EXPECT_NE(Admission::group_of("https", "2001:db8:1:2::1"), Admission::group_of("https", "2001:db8:1:3::1"));
  EXPECT_EQ(Admission::group_of("https", "::1"), "https ::/64");
}

TEST(Admission, D3_FaultsMakeItFewerAndTimeForgives) {
  Admission admission;
  EXPECT_EQ(admission.allowed("a", kStart), kMaxPerAddress);
  admission.charge("a", 100, kStart);
  EXPECT_EQ(admission.allowed("a", kStart), kMaxPerAddress - 100);
  EXPECT_EQ(admission.allowed("b", kStart), kMaxPerAddress);
  EXPECT_GT(admission.allowed("a", kStart + seconds(10)), kMaxPerAddress - 100);
  EXPECT_EQ(admission.allowed("a", kStart + seconds(25)), kMaxPerAddress);
}

TEST(Admission, D3_NobodyIsLeftWithNone) {
  Admission admission;
  for (int i = 0; i < 100'000; ++i) admission.charge("a", 10, kStart);
  EXPECT_EQ(admission.allowed("a", kStart), kLeastPerAddress);
  const auto all_forgiven = seconds(static_cast<int>(Admission::kMostPoints / Admission::kForgivenPerSecond));
  EXPECT_EQ(admission.allowed("a", kStart + all_forgiven), kMaxPerAddress);
}

TEST(Admission, D3_TheTableIsBounded) {
  Admission admission;
  admission.charge("the worst", 900, kStart);
  for (std::size_t i = 0; i < 3 * Admission::kMaxRows; ++i) admission.charge("address " + std::to_string(i), 100, kStart);
  EXPECT_EQ(admission.rows(), Admission::kMaxRows);
  EXPECT_EQ(admission.allowed("the worst", kStart), kLeastPerAddress);
  admission.charge("later", 1, kStart + seconds(200));
  EXPECT_EQ(admission.rows(), 2U);  // the others are forgiven
}

}  // namespace
}  // namespace chancery::http
