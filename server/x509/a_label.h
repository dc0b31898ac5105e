#pragma once

#include <string_view>

namespace chancery::x509 {

/// Whether a label that begins with "xn--" is an A-label: punycode of a label that IDNA2008 allows, and no other spelling of it
/// (RFC 5890 2.3.2.1, RFC 5891 4.2).
/// @param label  lower case
bool is_a_label(std::string_view label);

}  // namespace chancery::x509
