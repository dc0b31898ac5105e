#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/base/result.h"
#include "server/config/enrolment.h"

/// Others who are asked about a request: programs, directories, services and databases. They say yes or no; whoever says neither
/// in time has not said yes, and the request is refused.
namespace chancery::worker {

class Session;

/// Answers of a session that are still good, by look-up and question.
struct LookUpCache {
  std::map<std::string, std::pair<Seconds, bool>> answers;
};

/// A value for each of config::kLookUpVariables.
using LookUpValues = std::vector<std::pair<std::string, std::string>>;

/// @errors Unavailable: it says neither yes nor no, the log says why; PolicyRefused: a value with a control character, which is
/// put into no question.
Result<bool> ask_look_up(Session& session, const std::string& name, const LookUpValues& values);

// ----- the kinds. @errors Unavailable: with what the log is to say.

Result<bool> ask_program_look_up(Session& session, const std::string& name, const config::LookUp& one,
                                 const LookUpValues& values);
Result<bool> ask_directory(const config::LookUp& one, const LookUpValues& values);
Result<bool> ask_service(const config::LookUp& one, const LookUpValues& values);
Result<bool> ask_database(const config::LookUp& one, const LookUpValues& values);

/// A text with the values, each as `put` writes it, in place of the variables in braces. What is put in is not looked at again.
std::string fill_in(std::string_view text, const LookUpValues& values, std::string (*put)(std::string_view));
/// Everything but unreserved characters as %XX (RFC 3986 2.3).
std::string percent_encoded(std::string_view value);

}  // namespace chancery::worker
