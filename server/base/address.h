#pragma once

#include <string_view>

namespace chancery::base {

/// Whether an IPv4 or IPv6 literal, without brackets, is of this machine's loopback interface: 127.0.0.0/8 (RFC 1122 3.2.1.3),
/// ::1 (RFC 4291 2.5.3), or the former mapped into IPv6 (RFC 4291 2.5.5.2). Of a name: never.
bool is_loopback(std::string_view address);

/// Whether a name means this machine wherever it is looked up: localhost and what lies below it, in small letters (RFC 6761 6.3).
bool is_localhost(std::string_view name);

}  // namespace chancery::base
