#include "server/worker/login_runner.h"
#include "server/worker/look_ups.h"
#include "server/worker/session.h"

namespace chancery::worker {

/// A line "KEY VALUE" for each variable; no value has a line's end in it.
Result<bool> ask_program_look_up(Session& session, const std::string& name, const config::LookUp& /*one*/,
                                 const LookUpValues& values) {
  constexpr std::size_t kMostInput = 7 * 1024;  // fits into one message and into a pipe
  std::string input;
  for (const auto& [variable, value] : values) input += variable + " " + value + "\n";
  if (input.size() > kMostInput) return Error(Code::Unavailable, "the request's names are too long for a program");
  return ask_program_about(session.login_runner(), session.realm().name.text(), name, input);
}

}  // namespace chancery::worker
