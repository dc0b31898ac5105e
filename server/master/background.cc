#include "server/master/background.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "server/base/process.h"

namespace chancery::master {
namespace {

constexpr char kReadyMark = '.';

/// The parent's rest of life.
[[noreturn]] void wait_for(pid_t child, base::UniqueFd reports) {
  char mark = 0;
  ssize_t got = 0;
  do got = ::read(reports.get(), &mark, 1);
  while (got < 0 && errno == EINTR);
  if (got == 1) ::_exit(base::to_int(base::Exit::Ok));
  int status = 0;
  ::waitpid(child, &status, 0);
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : base::to_int(base::Exit::Software));
}

}  // namespace

Result<base::UniqueFd> go_to_background() {
  PKI_TRY(auto reports, base::make_pipe());
  const pid_t pid = ::fork();
  if (pid < 0) return base::io_error("fork", errno);
  if (pid > 0) {
    reports.write.reset();
    wait_for(pid, std::move(reports.read));
  }
  ::setsid();
  return std::move(reports.write);
}

void report_ready(base::UniqueFd parent) {
  // A parent that was interrupted meanwhile needs no report.
  if (parent) (void)base::write_all(parent.get(), base::as_bytes(std::string_view(&kReadyMark, 1)));
}

}  // namespace chancery::master
