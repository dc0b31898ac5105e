#pragma once

#include <string>
#include <string_view>

#include "server/base/bytes.h"

/// Passwords as they are kept: scrypt (RFC 7914) with its parameters and salt beside the hash, so that each stays good when the
/// parameters for new ones change.
namespace chancery::crypto {

inline constexpr std::size_t kMostPasswordOctets = 1024;
inline constexpr int kLeastScryptCost = 10;
inline constexpr int kMostScryptCost = 20;  ///< 1 GiB

/// "$scrypt$ln=15,r=8,p=1$SALT$HASH", both base64url. @param cost  log2 of N
/// @errors InvalidParams: empty, too long, or another cost.
Result<std::string> hash_password(const SecretBytes& password, int cost);
/// @return whether it is that one; the comparison takes the same time in any case. @errors Corrupt: no text of hash_password.
Result<bool> is_password(const SecretBytes& password, std::string_view kept);
/// "scrypt ln=15 r=8 p=1"; empty: no text of hash_password.
std::string cost_of(std::string_view kept);
/// A text like those of hash_password that is nobody's: what is compared with where there is no password.
std::string nobodys_password(int cost);

}  // namespace chancery::crypto
