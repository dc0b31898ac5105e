#include "server/base/week_window.h"

#include <gtest/gtest.h>

namespace chancery::base {
namespace {

/// 2026-06-01 is a Monday.
Seconds at(const char* text) { return from_rfc3339(text).value(); }

TEST(WeekWindow, HoldsItsHoursOfItsDays) {
  const auto office = WeekWindow::parse("mon-fri 08:00-18:00").value();
  EXPECT_TRUE(office.contains(at("2026-06-01T08:00:00Z")));
  EXPECT_TRUE(office.contains(at("2026-06-05T17:59:59Z")));
  EXPECT_FALSE(office.contains(at("2026-06-01T07:59:59Z")));
  EXPECT_FALSE(office.contains(at("2026-06-01T18:00:00Z")));
  EXPECT_FALSE(office.contains(at("2026-06-06T12:00:00Z")));
  EXPECT_FALSE(office.contains(at("2026-06-07T12:00:00Z")));
  const auto saturday = WeekWindow::parse("sat 10:30-24:00").value();
  EXPECT_TRUE(saturday.contains(at("2026-06-06T23:59:59Z")));
  EXPECT_FALSE(saturday.contains(at("2026-06-07T00:00:00Z")));
  EXPECT_FALSE(saturday.contains(at("2026-06-06T10:29:59Z")));
  EXPECT_TRUE(WeekWindow::parse("daily 00:00-24:00").value().contains(at("1970-01-01T00:00:00Z")));
}

TEST(WeekWindow, RefusesWhatIsNone) {
  for (const auto* text : {"", "mon", "mon 08:00", "fri-mon 08:00-18:00", "mon-fri 18:00-08:00", "mon 08:00-08:00",
                           "mon 8:00-18:00", "mon 08:00-24:01", "mon 08:60-18:00", "Mon 08:00-18:00", "mon,tue 08:00-18:00",
                           "mon  08:00-18:00", "mon 08:00-18:00 ", "daily 08:00-1a:00", "mon-tue-wed 08:00-18:00"}) {
    EXPECT_FALSE(WeekWindow::parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace chancery::base
