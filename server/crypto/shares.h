#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/bytes.h"

/// A secret in n shares, of which any k give it back and fewer say nothing but its length (A. Shamir, How to Share a Secret,
/// 1979): octet by octet, a polynomial of degree k-1 over GF(2^8) whose value at 0 is the octet. The field is that of
/// x^8+x^4+x^3+x^2+1, as libgfshare has it, so that Debian's gfcombine puts shares together, too (doc/keys.md). No branch and no
/// address depends on a secret.
namespace chancery::crypto {

inline constexpr std::size_t kMaxSharedOctets = 128;
inline constexpr std::size_t kMaxShareText = 512;

/// One share: the polynomials' values at `index`.
struct Share {
  std::string realm;  ///< for which it is
  std::string set;    ///< id of the set, eight hexadecimal digits
  int index = 0;      ///< 1 to 255
  int threshold = 0;
  SecretBytes values;
};

/// @param threshold  2 to shares. @param shares  at most 255
/// @errors InvalidParams: numbers; an empty secret, or one of more than kMaxSharedOctets.
Result<std::vector<Share>> split_secret(const SecretBytes& secret, std::string_view realm, int shares, int threshold);

/// @errors InvalidParams: fewer than their threshold, an index twice, or shares of several sets.
Result<SecretBytes> combine_shares(const std::vector<const Share*>& shares);

/// "chs1:REALM:SET:INDEX:THRESHOLD:abcd-efgh-…": version, fields, then the values and the first five octets of the SHA-256 of all
/// that stands before them, in base32 (RFC 4648 6) of small letters, in groups of four.
SecretBytes share_text(const Share& share);
/// White space is passed over, hyphens too, and letters may be capitals. @errors Malformed: says what does not fit: no share, or
/// a typing error that the checksum shows.
Result<Share> parse_share(ByteView text);

}  // namespace chancery::crypto
