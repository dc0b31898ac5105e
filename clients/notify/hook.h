#pragma once

#include <chrono>
#include <string>

#include "server/base/result.h"

namespace chancery::notify {

/// Runs a program with that text on its standard input, without a shell, without arguments, with PATH and LANG alone in its
/// environment and / as its directory. What it writes is thrown away. When it ends, or the time is over, whatever it started in
/// its process group ends with it; and when this process dies, so does the program.
/// @errors Unavailable: it could not be run, ended with another status than 0 or by a signal, or took too long.
Status run_hook(const std::string& program, const std::string& input, std::chrono::seconds limit);

}  // namespace chancery::notify
