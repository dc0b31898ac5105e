#pragma once

#include <string>
#include <string_view>

namespace chancery::worker {

/// A value in a filter (RFC 4515 3): '*', '(', ')', '\', control characters and everything beyond ASCII as \XX.
std::string escape_in_filter(std::string_view value);

/// The filter with {user} and {dn} filled in, escaped. What is put in is not looked at again.
std::string fill_filter(std::string_view filter, std::string_view user, std::string_view dn);

}  // namespace chancery::worker
