#pragma once

#include <string>
#include <string_view>

namespace chancery::base {

/// A text as one file name. Names are never raw paths (PROMISES F34): what is not a-z 0-9 . - becomes %XX, as a leading dot does,
/// so that different texts stay different and none leaves the directory.
std::string file_name_of(std::string_view text);

}  // namespace chancery::base
