#pragma once

#include <string>
#include <string_view>

namespace chancery::base {

/// Whether a text is LOCAL@DOMAIN as it may stand on an SMTP command line and in a header without quotes (RFC 5321 4.1.2,
/// Dot-string
/// "@" Domain): ASCII, at most 254 octets, of the local part at most 64. Anything quoted, bracketed or beyond ASCII is not taken.
bool is_mail_address(std::string_view text);

/// What follows the '@', in lower case. @pre is_mail_address(text)
std::string mail_domain(std::string_view text);

}  // namespace chancery::base
