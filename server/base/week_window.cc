#include "server/base/week_window.h"

#include <algorithm>
#include <array>
#include <optional>

#include "server/base/text.h"

namespace chancery::base {
namespace {

constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::string_view kDaily = "daily";
constexpr int kMinutesOfHour = 60;
constexpr int kMinutesOfDay = 24 * kMinutesOfHour;

Error unexpected(std::string_view text) {
  return {Code::Malformed, "found \"" + printable(text, 64) + "\", expected hours of days in UTC like mon-fri 08:00-18:00, " +
                               "sat 10:00-12:00 or daily 06:00-24:00"};
}

std::optional<std::size_t> day_of(std::string_view text) {
  const auto* const found = std::ranges::find(kDays, text);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kDays.begin());
}

std::optional<std::bitset<7>> days_of(std::string_view text) {
  std::bitset<7> days;
  if (text == kDaily) return days.set();
  const auto dash = text.find('-');
  const auto first = day_of(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : day_of(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  for (auto day = *first; day <= *last; ++day) days.set(day);
  return days;
}

/// "08:30", up to "24:00".
std::optional<int> minute_of(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const auto i : {0U, 1U, 3U, 4U}) {
    if (!is_digit(text[i])) return std::nullopt;
  }
  const int hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
  const int all = hours * kMinutesOfHour + minutes;
  return minutes < kMinutesOfHour && all <= kMinutesOfDay ? std::optional(all) : std::nullopt;
}

}  // namespace

Result<WeekWindow> WeekWindow::parse(std::string_view text) {
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) return unexpected(text);
  const auto hours = text.substr(blank + 1);
  const auto dash = hours.find('-');
  const auto days = days_of(text.substr(0, blank));
  if (!days || dash == std::string_view::npos) return unexpected(text);
  const auto begin = minute_of(hours.substr(0, dash));
  const auto end = minute_of(hours.substr(dash + 1));
  if (!begin || !end || *begin >= *end) return unexpected(text);
  WeekWindow window;
  window.days_ = *days;
  window.begin_ = *begin;
  window.end_ = *end;
  return window;
}

bool WeekWindow::contains(Seconds time) const {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const auto weekday = std::chrono::weekday(day).iso_encoding() - 1;
  const auto minute = std::chrono::duration_cast<std::chrono::minutes>(time - day).count();
  return days_.test(weekday) && minute >= begin_ && minute < end_;
}

}  // namespace chancery::base
