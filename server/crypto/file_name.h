#pragma once

#include <string>
#include <string_view>

namespace chancery::crypto {

inline constexpr std::size_t kMaxFileName = 255;  ///< octets (NAME_MAX of every file system that Linux has)

/// A text as one file name. Names are never raw paths (PROMISES F34): what is not a-z 0-9 . - becomes %xx, as a leading dot does,
/// so that different texts stay different and none leaves the directory. A name that would be longer than kMaxFileName is cut,
/// and ends in "~" and the SHA-256 of the text in hex: no short name has a "~", and no two texts have one digest.
std::string file_name_of(std::string_view text);

}  // namespace chancery::crypto
