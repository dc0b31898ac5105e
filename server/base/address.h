#pragma once

#include <optional>
#include <string_view>

#include "server/base/bytes.h"

namespace chancery::base {

/// The 4 or 16 octets of an IPv4 or IPv6 literal, without brackets. inet_pton(3) takes what stands before a NUL; this does not.
std::optional<Bytes> octets_of_address(std::string_view text);

/// Whether an IPv4 or IPv6 literal, without brackets, is of this machine's loopback interface: 127.0.0.0/8 (RFC 1122 3.2.1.3),
/// ::1 (RFC 4291 2.5.3), or the former mapped into IPv6 (RFC 4291 2.5.5.2). Of a name: never.
bool is_loopback(std::string_view address);

/// Whether a name means this machine wherever it is looked up: localhost and what lies below it, in small letters (RFC 6761 6.3).
bool is_localhost(std::string_view name);

}  // namespace chancery::base
