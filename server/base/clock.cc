#include "server/base/clock.h"

#include <array>
#include <cstdio>

#include "server/base/calendar.h"

namespace chancery::base {
namespace {

/// Reads exactly `count` decimal digits at `position`, or gives -1.
int digits_at(std::string_view text, std::size_t position, std::size_t count) {
  if (position + count > text.size()) return -1;
  int value = 0;
  for (const char c : text.substr(position, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

Error bad_time(std::string_view text) {
  return {Code::Malformed, "time \"" + std::string(text.substr(0, 40)) + "\" is not RFC 3339, expected as 2026-11-20T20:00:00Z"};
}

Result<std::chrono::seconds> offset_of(std::string_view zone) {
  if (zone == "Z" || zone == "z") return std::chrono::seconds{0};
  const int hours = digits_at(zone, 1, 2);
  const int minutes = digits_at(zone, 4, 2);
  const bool shaped = zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':';
  if (!shaped || hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return bad_time(zone);
  const auto offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  return std::chrono::seconds{zone[0] == '+' ? offset : -offset};
}

}  // namespace

Seconds SystemClock::now() const { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

std::string to_rfc3339(Seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return out.data();
}

Result<Seconds> from_rfc3339(std::string_view text) {
  using namespace std::chrono;
  constexpr std::size_t kDateTimeLength = 19;
  const bool shaped = text.size() > kDateTimeLength && text[4] == '-' && text[7] == '-' &&
                      (text[10] == 'T' || text[10] == 't' || text[10] == ' ') && text[13] == ':' && text[16] == ':';
  if (!shaped) return bad_time(text);
  const int hour = digits_at(text, 11, 2);
  const int minute = digits_at(text, 14, 2);
  const int second = digits_at(text, 17, 2);
  const int year_number = digits_at(text, 0, 4);
  const int month_number = digits_at(text, 5, 2);
  const int day_number = digits_at(text, 8, 2);
  if (year_number < 0 || month_number < 0 || day_number < 0) return bad_time(text);
  const year_month_day date{year{year_number}, month{static_cast<unsigned>(month_number)},
                            day{static_cast<unsigned>(day_number)}};
  if (!date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return bad_time(text);
  std::size_t zone = kDateTimeLength;
  if (text[zone] == '.') {
    for (++zone; zone < text.size() && text[zone] >= '0' && text[zone] <= '9'; ++zone) {
    }
  }
  PKI_TRY(const auto offset, offset_of(text.substr(zone)));
  const auto time = Seconds{sys_days{date}} + hours{hour} + minutes{minute} + seconds{second} - offset;
  return has_text(time) ? Result<Seconds>(time) : bad_time(text);
}

std::string in_words(std::chrono::seconds span) {
  struct Unit {
    std::int64_t length;
    std::string_view name;
  };
  constexpr std::array kUnits{Unit{86400, "day"}, Unit{3600, "hour"}, Unit{60, "minute"}, Unit{1, "second"}};
  std::string out;
  auto left = std::int64_t{span.count()};
  for (const auto& unit : kUnits) {
    const auto count = left / unit.length;
    left %= unit.length;
    if (count == 0) continue;
    out += (out.empty() ? "" : " ") + std::to_string(count) + " " + std::string(unit.name) + (count == 1 ? "" : "s");
  }
  return out.empty() ? "0 seconds" : out;
}

}  // namespace chancery::base
