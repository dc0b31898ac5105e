#pragma once

#include <string_view>

namespace chancery::base {

/// Whether the text is a CURVE key, public or secret: 32 octets in Z85, 40 characters (RFC 26 and RFC 32 of the ZeroMQ project).
/// Five characters that say more than four octets can hold are none.
bool is_curve_key(std::string_view text);

}  // namespace chancery::base
