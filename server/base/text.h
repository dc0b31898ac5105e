#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chancery::base {

/// Without white space at both ends.
std::string_view trim(std::string_view text);
std::string to_lower_ascii(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string octal(unsigned value);

/// Valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629).
bool is_utf8(std::string_view text);

/// Foreign text for a log line or a terminal: control characters, newlines, invalid UTF-8 and bidirectional controls become
/// escapes like \x0a, so that nobody writes lines of his own into a log (PROMISES D41).
std::string printable(std::string_view text, std::size_t max_length = 512);

/// The candidate nearest to a mistyped word, or an empty text when none is near.
std::string_view did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace chancery::base
