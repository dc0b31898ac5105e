#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/bytes.h"

namespace chancery::x509 {

inline constexpr std::size_t kMaxSans = 100;

/// One subject alternative name (RFC 5280 4.2.1.6), in the one form that it has here.
struct GeneralName {
  enum class Type { Dns, Ip, Email, Uri };
  Type type = Type::Dns;
  std::string value;  ///< DNS: lower-case A-labels; IP: canonical text (RFC 5952); URI: without credentials

  /// "DNS:a.example.com", "IP:192.0.2.1", "EMAIL:a@example.com", "URI:https://…", or bare: what it looks like.
  /// '*' stands only as the whole leftmost label, above at least two more. @errors Malformed.
  static Result<GeneralName> parse(std::string_view text);
  std::string to_text() const;
  auto operator<=>(const GeneralName&) const = default;
};

/// An IP address between its text and the 4 or 16 octets of RFC 5280 4.2.1.6. @pre the text is a GeneralName's value.
Bytes ip_octets(const std::string& value);
/// @errors Malformed: neither 4 nor 16 octets.
Result<std::string> ip_text(ByteView octets);

/// GeneralNames as DER. @errors Malformed.
Result<Bytes> encode_general_names(const std::vector<GeneralName>& names);
/// Other kinds than the four are refused. @errors Malformed, TooLarge: above kMaxSans.
Result<std::vector<GeneralName>> decode_general_names(ByteView der);

}  // namespace chancery::x509
