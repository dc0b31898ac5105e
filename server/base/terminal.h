#pragma once

#include <string>

#include "server/base/bytes.h"

namespace chancery::base {

/// One line that is not shown while it is typed: at a terminal after the prompt, else the first line of standard input.
/// @errors Malformed: empty, or more than max_bytes; Closed: none came; Io.
Result<SecretBytes> ask_secret(const std::string& prompt, std::size_t max_bytes);
/// The same at the terminal of this process, whatever its standard input is. @errors Unavailable: it has none.
Result<SecretBytes> ask_secret_at_terminal(const std::string& prompt, std::size_t max_bytes);

}  // namespace chancery::base
