#include "server/master/notify.h"

#include <systemd/sd-daemon.h>

namespace chancery::master {
namespace {

// A service manager that is gone or deaf is no reason to stop, so the outcome of a message is not looked at.
void tell(const std::string& lines) { ::sd_notify(0, lines.c_str()); }

}  // namespace

void notify_status(const std::string& status) { tell("STATUS=" + status); }
void notify_ready(const std::string& status) { tell("READY=1\nSTATUS=" + status); }
void notify_stopping() { tell("STOPPING=1\nSTATUS=stopping"); }
void notify_alive() { tell("WATCHDOG=1"); }

void notify_reloading() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) + "\nSTATUS=reloading");
}

std::optional<std::chrono::milliseconds> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  // Half of the limit, as sd_watchdog_enabled(3) recommends.
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(microseconds / 2));
}

}  // namespace chancery::master
