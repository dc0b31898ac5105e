#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/bytes.h"

namespace chancery::x509 {

inline constexpr std::size_t kMaxAttributes = 32;
inline constexpr std::size_t kMaxNameBytes = 8192;

/// One AttributeTypeAndValue (RFC 5280 4.1.2.4).
struct Attribute {
  std::string type;   ///< "CN", "O", "OU", "C", "ST", "L", "emailAddress", … or a dotted OID
  std::string value;  ///< UTF-8
  bool operator==(const Attribute&) const = default;
};

/// A distinguished name, one attribute per RDN, in the order of the certificate (country first). Values that break a
/// bound or hold a control character are refused, never cut (PROMISES C14, F33).
class Name {
 public:
  std::vector<Attribute> attributes;

  /// "/C=FR/O=Company/CN=a.example.com"; '\' escapes '/', '\' and '='. An empty text is the empty name. @errors Malformed.
  static Result<Name> from_slash(std::string_view text);
  /// RFC 4514: "CN=a.example.com,O=Company,C=FR", the last RDN first. @errors Malformed.
  static Result<Name> from_comma(std::string_view text);
  /// A text that begins with '/' is read by from_slash, others by from_comma.
  static Result<Name> parse_any(std::string_view text);
  /// A Name as DER; RDNs of several attributes are refused. @errors Malformed, Unsupported.
  static Result<Name> from_der(ByteView der);

  std::string to_slash() const;
  std::string to_comma() const;
  /// The last CN, the most specific one.
  std::optional<std::string> common_name() const;
  bool empty() const { return attributes.empty(); }
  /// Checks again, then encodes: PrintableString or IA5String where X.520 wants it, UTF8String else. @errors Malformed.
  Result<Bytes> der() const;
  /// Every attribute against the table of types. @errors Malformed.
  Status check() const;

  bool operator==(const Name&) const = default;
};

/// UTF-8 without NUL, control characters, and those that change the direction of text. @errors Malformed.
Status check_text(std::string_view text);

}  // namespace chancery::x509
