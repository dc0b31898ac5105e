#include "server/master/server_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "server/base/fd.h"
#include "server/base/log.h"

namespace chancery::master {
namespace {

constexpr std::string_view kSyslog = "syslog";
constexpr std::string_view kStandardError = "stderr";

bool is_file(const config::ServerConfig& server) {
  return server.log_destination != kSyslog && server.log_destination != kStandardError;
}

Status become(int target, const std::string& path, int flags) {
  const base::UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0640));
  if (!file) return base::io_error("open " + path, errno);
  if (::dup2(file.get(), target) < 0) return base::io_error("dup2", errno);
  return {};
}

}  // namespace

Status open_server_log(const config::ServerConfig& server, std::string_view process) {
  PKI_TRY(const auto level, base::log_level_from_text(server.log_level));
  if (is_file(server)) PKI_TRY_VOID(become(STDERR_FILENO, server.log_destination, O_WRONLY | O_CREAT | O_APPEND));
  return base::open_log({server.inherited_log(), level}, process);
}

Status leave_terminal(const config::ServerConfig& server) {
  PKI_TRY_VOID(become(STDIN_FILENO, "/dev/null", O_RDONLY));
  PKI_TRY_VOID(become(STDOUT_FILENO, "/dev/null", O_WRONLY));
  return is_file(server) ? Status() : become(STDERR_FILENO, "/dev/null", O_WRONLY);
}

}  // namespace chancery::master
