#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/base/fd.h"
#include "server/config/server_config.h"

/// A worker can start no process. Where a realm has a login stack or a look-up by program, one that can stands beside it, forked
/// before the worker read its first octet: it runs the programs that the configuration names, of one realm, and nothing else.
namespace chancery::worker {

/// @return the worker's end; an invalid one: no realm has such a stack or look-up. @errors Io.
Result<base::UniqueFd> start_login_runner(const std::shared_ptr<const config::Snapshot>& snapshot);

/// What a program said.
struct ProgramAnswer {
  bool yes = false;
  std::vector<std::string> groups;
};

/// @param runner  the worker's end
/// @errors Timeout: it did not end in time; Unavailable: it could not be run, ended otherwise than by 0 or 1, or said what it
/// should not.
Result<ProgramAnswer> ask_program(int runner, const std::string& realm, const std::string& stack, const std::string& user,
                                  const SecretBytes& password);

/// What a look-up's program said. @param input  what it reads, without NUL. @errors as ask_program.
Result<bool> ask_program_about(int runner, const std::string& realm, const std::string& look_up, const std::string& input);

/// What the program printed: "group NAME" lines. @errors Malformed.
Result<std::vector<std::string>> groups_in(std::string_view output);

}  // namespace chancery::worker
