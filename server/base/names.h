#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "server/base/bytes.h"

namespace chancery::base {

inline constexpr std::size_t kMaxNameLength = 63;
inline constexpr std::size_t kMaxSerialOctets = 20;  ///< RFC 5280 4.1.2.2

/// A text that followed its rule once and is not mixed up with another kind.
template <class Kind>
class Name {
 public:
  /// @errors Malformed: not what the kind allows; the message names the rule.
  static Result<Name> parse(std::string_view text) {
    PKI_TRY_VOID(Kind::check(text));
    return Name(std::string(text));
  }
  const std::string& text() const { return text_; }
  auto operator<=>(const Name&) const = default;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Names are parts of paths and URLs: lower-case letters, digits, '-' and '_', a letter or digit first, at most
/// kMaxNameLength. So no dot, slash, case or encoding trick can make two of them one (PROMISES F50).
Status check_word(std::string_view text, std::string_view kind);

struct RealmKind {
  static Status check(std::string_view text) { return check_word(text, "realm name"); }
};
struct ProfileKind {
  static Status check(std::string_view text) { return check_word(text, "profile name"); }
};
struct CaKind {
  static Status check(std::string_view text) { return check_word(text, "CA name"); }
};

using RealmName = Name<RealmKind>;
using ProfileName = Name<ProfileKind>;
using CaName = Name<CaKind>;

/// A certificate's serial number: 1 to 20 octets, positive, minimal (RFC 5280 4.1.2.2). The text form is lower-case hex
/// with an even number of digits, as in DER without a sign octet.
class Serial {
 public:
  /// Reads 1 to 40 hexadecimal digits of any case, colons between octets allowed. @errors Malformed.
  static Result<Serial> from_hex(std::string_view hex);
  /// Big-endian magnitude; leading zeros are dropped. @errors Malformed: zero or above 20 octets.
  static Result<Serial> from_octets(ByteView octets);
  /// Decimal digits, as uPKI writes serials in JSON. @errors Malformed.
  static Result<Serial> from_decimal(std::string_view digits);
  /// 19 octets: a lead octet 0x01..0x7f and 18 random ones (PROMISES B1: at least 120 random bits, < 2^159).
  static Serial random();

  const std::string& hex() const { return hex_; }
  std::string decimal() const;
  Bytes octets() const;
  auto operator<=>(const Serial&) const = default;

 private:
  explicit Serial(std::string hex) : hex_(std::move(hex)) {}
  std::string hex_;
};

}  // namespace chancery::base

namespace chancery {
using base::CaName;
using base::ProfileName;
using base::RealmName;
using base::Serial;
}  // namespace chancery
