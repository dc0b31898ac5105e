#pragma once

#include <CLI/CLI.hpp>

#include "server/base/result.h"

/// What the command line says of lines that it does not understand.
namespace chancery::cli {

/// Says an error and its hint on the standard error. @return the exit status of its code.
int complain(const Error& error);

/// Says what is wrong with a line, what was expected, and what may have been meant; or the help that it asked for.
/// @return the exit status.
int usage(const CLI::App& app, const CLI::ParseError& error);

}  // namespace chancery::cli
