#pragma once

#include <string_view>

/// What a signer says to the master on its ready pipe, a line each: first whether it serves, then whenever that changes.
namespace chancery::base {

inline constexpr std::string_view kReadyWord = "ready";       ///< it serves, and its key signs
inline constexpr std::string_view kUnreadyWord = "unready ";  ///< and why: it serves, but nothing that takes the key
inline constexpr std::string_view kFailedWord = "failed ";    ///< and why: it ends
/// How the reason of an unready one begins: when people have to enter a secret, and when it is the token's.
inline constexpr std::string_view kLockedWord = "locked: ";
inline constexpr std::string_view kTokenWord = "token: ";

/// Whether a signer that is shown as degraded for that reason serves all the same.
constexpr bool serves_although(std::string_view reason) {
  return reason.starts_with(kLockedWord) || reason.starts_with(kTokenWord);
}

}  // namespace chancery::base
