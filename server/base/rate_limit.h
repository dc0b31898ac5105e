#pragma once

#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// How a refusal says that as many came within a while as may, and when there is room again: for people, and for doors that have
/// a word of their own for it (RFC 6585 4: 429 with Retry-After).
namespace chancery::base {

inline constexpr std::string_view kRateLimited = "rate limited: ";  ///< what its message begins with
inline constexpr std::string_view kWaitFor = "try again in ";       ///< what its hint begins with, seconds behind it

inline std::string wait_hint(std::chrono::seconds wait, std::string_view else_what) {
  return std::string(kWaitFor) + std::to_string(wait.count()) + " s" + std::string(else_what);
}

/// @return how long to wait; none: the hint does not say.
inline std::optional<std::chrono::seconds> wait_in(std::string_view hint) {
  if (!hint.starts_with(kWaitFor)) return std::nullopt;
  hint.remove_prefix(kWaitFor.size());
  long long seconds = 0;
  const auto [end, failure] = std::from_chars(hint.data(), hint.data() + hint.size(), seconds);
  if (failure != std::errc() || seconds < 0 || !std::string_view(end, hint.data() + hint.size()).starts_with(" s"))
    return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace chancery::base
