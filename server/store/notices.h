#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/clock.h"

namespace chancery::store {

inline constexpr std::string_view kNoticeWaiting = "waiting";
inline constexpr std::string_view kNoticeSent = "sent";
inline constexpr std::string_view kNoticeDropped = "dropped";

/// A notice that a certificate ends, to one addressee by one way.
struct Notice {
  std::string id{};  ///< follows from the next five: the same notice has the same everywhere
  std::string ca{};
  std::string serial{};
  std::int64_t ahead = 0;  ///< seconds before the end
  std::string channel{};   ///< mail, webhook, program
  std::string recipient{};
  Seconds not_after{};
  std::string state{};
  Seconds turn{};       ///< of a waiting one: from when it may be claimed; else when it was done
  std::string token{};  ///< of the claim in force
  std::int64_t attempts = 0;
  std::string problem{};
};

/// What becomes of a claimed notice.
struct NoticeOutcome {
  std::string id;
  std::string token;  ///< of the claim; empty: none was made
  std::string_view state;
  Seconds turn{};
  std::string problem{};
};

}  // namespace chancery::store
