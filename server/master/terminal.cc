#include "server/master/terminal.h"

#include <unistd.h>

#include <algorithm>

#include "server/base/log.h"
#include "server/master/spawn.h"
#include "server/worker/prompt.h"

namespace chancery::master {
namespace {

/// Somebody who sees what is asked can answer: a process in the background would be stopped at its first read (tty_ioctl(4)).
bool is_in_foreground() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

}  // namespace

void ask_at_terminal(const std::shared_ptr<const config::Snapshot>& snapshot) {
  const bool is_asked = std::ranges::any_of(snapshot->realms, [](const auto& realm) { return worker::is_asked_for(*realm); });
  if (!is_asked || !is_in_foreground()) return;
  const auto started = fork_child(
      {}, nullptr, [snapshot] { return worker::run_prompt({snapshot}); }, Group::Masters);
  if (!started.ok()) base::log_error("nobody is asked for passphrases: " + base::to_line(started.error()));
}

}  // namespace chancery::master
