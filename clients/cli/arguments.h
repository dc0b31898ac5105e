#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "server/wire/commands.h"

/// The command line `chancery`: every row of the command table is a subcommand.
namespace chancery::cli {

/// The content of a file or pipe; "-" is standard input. Tests bring their own.
using Reader = std::function<Result<std::string>(const std::string& name)>;

/// Reads files and standard input, at most the largest request. @errors Io, NotFound, TooLarge.
Result<std::string> read_argument_file(const std::string& name);

/// The words given for each parameter, by the table's names; a flag's word is "true" or "false".
using Given = std::map<std::string, std::vector<std::string>, std::less<>>;

/// "store_key" is the option "store-key".
std::string option_name(std::string_view parameter);

/// All its names for CLI11; what may be repeated has its singular, too: "--sans,--san".
std::string option_names(const wire::Param& param);

/// Whether the parameter is a secret, which comes from a file: everybody on a machine sees command lines.
bool is_secret(const wire::Param& param);

/// What stands for its value in help, "FILE".
std::string value_name(const wire::Param& param);

/// One parameter's value. @errors InvalidParams: no integer, no JSON, not one word; those of the reader.
Result<Json> argument(const wire::Param& param, const std::vector<std::string>& words, const Reader& read);

/// The params object of one command, held against the table. @errors those of argument and check_params.
Result<Json> arguments(const wire::Command& command, const Given& given, const Reader& read);

}  // namespace chancery::cli
