#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/names.h"

/// index.txt, the database of `openssl ca` and easy-rsa: a line for each certificate, six columns parted by tabs.
namespace chancery::signer {

/// One line.
struct IndexRow {
  std::size_t line = 0;
  char state = 'V';                ///< V valid, R revoked, E expired, as the last `openssl ca -updatedb` knew
  std::optional<Serial> serial{};  ///< none: it is negative, zero or above 20 octets
  std::string serial_text{};       ///< as it stands
  std::string subject{};           ///< slash form where it can be read, else as it stands, printable
  std::string cn{};
  Seconds not_after{};
  std::optional<Seconds> revoked_at{};
  std::string reason{};  ///< CRLReason name; empty: none, or one that nobody knows
  std::string extra{};   ///< what follows the reason: a hold's instruction, or when the key was compromised
};

/// The whole file. @errors Malformed: a line that is none, NUL, an unknown state, a date or serial that is none, a date of
/// revocation that misses or is too many; the message names the first such lines. TooLarge: above five million lines.
Result<std::vector<IndexRow>> parse_index(std::string_view text);

/// The hexadecimal number in a file like `serial` and `crlnumber`, without leading zeros. @errors Malformed.
Result<std::string> parse_counter(std::string_view text);

}  // namespace chancery::signer
