#include "server/base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "server/base/text.h"

namespace chancery::base {
namespace {

struct LevelRow {
  LogLevel level;
  std::string_view text;
  spdlog::level::level_enum spd;
};
constexpr std::array kLevels{
    LevelRow{LogLevel::Trace, "trace", spdlog::level::trace}, LevelRow{LogLevel::Debug, "debug", spdlog::level::debug},
    LevelRow{LogLevel::Info, "info", spdlog::level::info},    LevelRow{LogLevel::Warning, "warning", spdlog::level::warn},
    LevelRow{LogLevel::Error, "error", spdlog::level::err},
};

constexpr std::size_t kMaxLine = 4096;

// Of this process. The line is ours and not spdlog's pattern, so that a forked worker, which lives for a millisecond, need not
// make a logger of its own.
std::string process_name = "chancery";
LogTarget opened;

constexpr std::string_view kSyslog = "syslog";

std::shared_ptr<spdlog::logger>& logger() {
  static std::shared_ptr<spdlog::logger> instance =
      std::make_shared<spdlog::logger>("chancery", std::make_shared<spdlog::sinks::stderr_sink_st>());
  return instance;
}

thread_local LogContext context;

std::shared_ptr<spdlog::sinks::sink> make_sink(const std::string& destination) {
  if (destination == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  if (destination == kSyslog) return std::make_shared<spdlog::sinks::syslog_sink_mt>("chancery", LOG_PID, LOG_DAEMON, true);
  return std::make_shared<spdlog::sinks::basic_file_sink_mt>(destination);
}

}  // namespace

Result<LogLevel> log_level_from_text(std::string_view text) {
  for (const auto& row : kLevels) {
    if (row.text == text) return row.level;
  }
  return Error(Code::InvalidParams,
               "log level \"" + printable(text, 40) + "\", expected one of trace, debug, info, warning, error");
}

std::string_view to_text(LogLevel level) { return kLevels.at(static_cast<std::size_t>(level)).text; }

Status open_log(const LogTarget& target, std::string_view process) {
  try {
    const mode_t before = ::umask(027);
    auto sink = make_sink(target.destination);
    ::umask(before);
    auto fresh = std::make_shared<spdlog::logger>("chancery", std::move(sink));
    fresh->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    fresh->flush_on(spdlog::level::trace);
    logger() = std::move(fresh);
  } catch (const spdlog::spdlog_ex& failure) {
    return Error(Code::Io, std::string("log: ") + failure.what());
  }
  opened = target;
  process_name = process;
  set_log_level(target.level);
  return {};
}

void detach_log() {
  if (opened.destination == kSyslog) ::closelog();
}

Status continue_log(std::string_view process) {
  if (opened.destination == kSyslog) return open_log({opened.destination, log_level()}, process);
  process_name = process;
  return {};
}

void set_log_level(LogLevel level) { logger()->set_level(kLevels.at(static_cast<std::size_t>(level)).spd); }

LogLevel log_level() {
  for (const auto& row : kLevels) {
    if (row.spd == logger()->level()) return row.level;
  }
  return LogLevel::Info;
}

void set_log_context(LogContext fresh) { context = std::move(fresh); }

void log(LogLevel level, std::string_view message) {
  const auto spd = kLevels.at(static_cast<std::size_t>(level)).spd;
  if (!logger()->should_log(spd)) return;
  std::string line = process_name + "[" + std::to_string(::getpid()) + "] ";
  if (!context.realm.empty()) line += "realm=" + context.realm + " ";
  if (!context.peer.empty()) line += "peer=" + printable(context.peer, 128) + " ";
  if (!context.request.empty()) line += "request=" + printable(context.request, 64) + " ";
  line += printable(message, kMaxLine);
  logger()->log(spd, line);
}

}  // namespace chancery::base
