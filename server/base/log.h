#pragma once

#include <string>
#include <string_view>

#include "server/base/result.h"

namespace chancery::base {

enum class LogLevel { Trace, Debug, Info, Warning, Error };

/// @errors InvalidParams: not one of trace debug info warning error.
Result<LogLevel> log_level_from_text(std::string_view text);
std::string_view to_text(LogLevel level);

/// Where log lines go: "stderr", "syslog", or a file's path (opened for append, mode 0640).
struct LogTarget {
  std::string destination = "stderr";
  LogLevel level = LogLevel::Info;
};

/// Once per process; its name ("worker", "signer default") and number are on each line. @errors Io.
Status open_log(const LogTarget& target, std::string_view process);
/// After fork, before descriptors are closed: a number that the log library remembers may become somebody else's file.
void detach_log();
/// After fork: goes on with the parent's log, as another process. @errors Io.
Status continue_log(std::string_view process);
void set_log_level(LogLevel level);
LogLevel log_level();

/// What every line of the request in hand carries; empty parts are left out.
struct LogContext {
  std::string realm;
  std::string peer;
  std::string request;
};
void set_log_context(LogContext context);

/// One line. Foreign text in it is escaped (see printable), so a message is always one line.
void log(LogLevel level, std::string_view message);
inline void log_debug(std::string_view message) { log(LogLevel::Debug, message); }
inline void log_info(std::string_view message) { log(LogLevel::Info, message); }
inline void log_warning(std::string_view message) { log(LogLevel::Warning, message); }
inline void log_error(std::string_view message) { log(LogLevel::Error, message); }

}  // namespace chancery::base
