#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::days;
using std::chrono::hours;
using Serials = std::vector<std::string>;

/// Six certificates, issued an hour apart, newest last:
/// 01 web1 server alice, 02 web2 server bob (revoked), 03 mail user alice (held), 04 web3 server alice (expired by kNow),
/// 05 Webmaster user bob, 06 mail server alice; 0x80… serials sort after.
class Search : public Contract {
 protected:
  Search() {
    add("01", "web1.example.com", "server", "unix:alice", days(90));
    add("02", "web2.example.com", "server", "unix:bob", days(30));
    add("03", "mail.example.com", "user", "unix:alice", days(60));
    add("04", "web3.example.com", "server", "unix:alice", days(-1));
    add("05", "Webmaster", "user", "unix:bob", days(365));
    add("8006", "mail.example.com", "server", "unix:alice", days(10));
    EXPECT_OK(store_.revoke({serial_of("02"), "keyCompromise", kNow}));
    EXPECT_OK(store_.revoke({serial_of("03"), "certificateHold", kNow}));
  }

  void add(const std::string& serial, const std::string& cn, const std::string& profile, const std::string& who, days end) {
    auto given = certificate_of(serial);
    given.cn = cn;
    given.sans = {"DNS:" + cn, "DNS:shared.example.com"};
    given.profile = profile;
    given.requester = who;
    given.issued_at = kNow + hours(++issued_);
    given.not_after = kNow + end;
    EXPECT_OK(store_.add_certificate(given));
  }

  /// The serials of all pages.
  Serials find(CertificateFilter filter, std::size_t limit = 100) {
    filter.now = kNow;
    Serials serials;
    std::string after;
    do {
      const auto page = store_.search(filter, limit, after).value();
      EXPECT_LE(page.items.size(), limit);
      for (const auto& record : page.items) serials.push_back(record.serial.hex());
      after = page.next;
    } while (!after.empty());
    return serials;
  }

 private:
  int issued_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Store, Search, testing::ValuesIn(all_backends()), backend_name);

TEST_P(Search, FiltersNarrowAndNewestComesFirst) {
  struct Case {
    const char* name;
    CertificateFilter filter;
    Serials want;
  };
  const Case kCases[] = {
      {"all", {}, {"8006", "05", "04", "03", "02", "01"}},
      {"common name prefix", {.cn_prefix = "web"}, {"04", "02", "01"}},
      {"whole common name", {.cn_prefix = "mail.example.com"}, {"8006", "03"}},
      {"prefix of nothing", {.cn_prefix = "zz"}, {}},
      {"san", {.san = "DNS:web2.example.com"}, {"02"}},
      {"shared san", {.san = "DNS:shared.example.com"}, {"8006", "05", "04", "03", "02", "01"}},
      {"san is exact", {.san = "DNS:web"}, {}},
      {"serial", {.serial = serial_of("03")}, {"03"}},
      {"serial and another profile", {.serial = serial_of("03"), .profile = "server"}, {}},
      {"unknown serial", {.serial = serial_of("77")}, {}},
      {"profile", {.profile = "user"}, {"05", "03"}},
      {"valid", {.state = "valid"}, {"8006", "05", "01"}},
      {"revoked", {.state = "revoked"}, {"02"}},
      {"held", {.state = "held"}, {"03"}},
      {"expired", {.state = "expired"}, {"04"}},
      {"requester", {.requester = "unix:bob"}, {"05", "02"}},
      {"requester and profile", {.profile = "server", .requester = "unix:alice"}, {"8006", "04", "01"}},
      {"expires before", {.expires_before = kNow + days(30)}, {"8006", "04"}},
      {"expires after", {.expires_after = kNow + days(30)}, {"05", "03", "02", "01"}},
      {"expires between", {.expires_before = kNow + days(60), .expires_after = kNow}, {"8006", "02"}},
      {"issued before", {.issued_before = kNow + hours(3)}, {"02", "01"}},
      {"issued after", {.issued_after = kNow + hours(5)}, {"8006", "05"}},
      {"issued between", {.issued_before = kNow + hours(5), .issued_after = kNow + hours(2)}, {"04", "03", "02"}},
      {"issued before, by name", {.cn_prefix = "web", .issued_before = kNow + hours(2)}, {"01"}},
      {"everything at once",
       {.cn_prefix = "mail",
        .san = "DNS:shared.example.com",
        .profile = "server",
        .state = "valid",
        .requester = "unix:alice",
        .expires_before = kNow + days(11),
        .issued_after = kNow},
       {"8006"}},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(find(c.filter), c.want) << c.name;
    EXPECT_EQ(find(c.filter, 1), c.want) << c.name << ", one a page";
    EXPECT_EQ(find(c.filter, 2), c.want) << c.name << ", two a page";
  }
}

TEST_P(Search, PagesCarryNoDerAndKnowTheirEnd) {
  const auto page = store_.search({}, 6, "").value();
  EXPECT_EQ(page.items.size(), 6U);
  EXPECT_EQ(page.next, "");
  for (const auto& record : page.items) EXPECT_TRUE(record.der.empty());
}

TEST_P(Search, SameSecondIsOrderedBySerial) {
  for (const auto* serial : {"a1", "a3", "a2"}) {
    auto given = certificate_of(serial);
    given.profile = "batch";
    EXPECT_OK(store_.add_certificate(given));
  }
  EXPECT_EQ(find({.profile = "batch"}, 1), (Serials{"a3", "a2", "a1"}));
}

TEST_P(Search, BadKeysAndStatesAreRefused) {
  for (const auto* after : {"x", "1", "1;DROP", ".", "1700000000", "99999999999999999999.a"}) {
    EXPECT_EQ(code_of(store_.search({}, 10, after)), Code::InvalidParams) << after;
  }
  EXPECT_EQ(code_of(store_.search({.state = "good"}, 10, "")), Code::InvalidParams);
}

TEST_P(Search, AKeyBeyondTheEndGivesAnEmptyPage) {
  const auto page = store_.search({}, 10, "0.").value();
  EXPECT_TRUE(page.items.empty());
  EXPECT_EQ(page.next, "");
}

/// A filter that nothing matches may look at a bounded number of rows only, and goes on from there (PROMISES F35).
TEST_P(Search, LooksAtABoundedNumberOfRows) {
  constexpr int kMany = 6000;
  for (int i = 0; i < kMany; ++i) {
    auto given = certificate_of("01");
    given.serial = Serial::random();
    given.cn = "bulk";
    given.sans.clear();
    given.issued_at = kNow + hours(100) + std::chrono::seconds(i);
    if (!GetParam().shared) {
      EXPECT_OK(store_.add_certificate(given));
    }
  }
  if (GetParam().shared) GTEST_SKIP() << "the same code over memory is enough, and a hundred times as fast";
  const auto page = store_.search({.profile = "server", .requester = "unix:bob", .now = kNow}, 10, "").value();
  EXPECT_EQ(page.items.size(), 1U);  // by requester: found at once
  const auto rare = store_.search({.cn_prefix = "b", .state = "revoked", .now = kNow}, 10, "").value();
  EXPECT_TRUE(rare.items.empty());  // too many names begin so: by state, which is selective
  EXPECT_EQ(rare.next, "");
  const auto none = store_.search({.cn_prefix = "bulk", .profile = "server", .expires_before = kNow}, 10, "").value();
  EXPECT_TRUE(none.items.empty());
  const auto short_page = store_.search({.profile = "server", .state = "held", .now = kNow}, 10, "").value();
  EXPECT_TRUE(short_page.items.empty());
  EXPECT_NE(short_page.next, "");  // looked at kMaxRowsLooked rows, there are more
  EXPECT_EQ(store_.search({.profile = "server", .state = "held", .now = kNow}, 10, short_page.next)->next, "");
}

}  // namespace
}  // namespace chancery::store
