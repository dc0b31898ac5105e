#include "server/master/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/base/fd.h"

namespace chancery::master {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// One datagram to $NOTIFY_SOCKET, a path or, after '@', an abstract name. A service manager that is gone or deaf is no reason to
/// stop, so the outcome is not looked at.
void tell(const std::string& lines) {
  const auto path = variable("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if ((!path.starts_with('/') && !path.starts_with('@')) || path.size() >= sizeof(address.sun_path)) return;
  path.copy(static_cast<char*>(address.sun_path), path.size());
  if (path.starts_with('@')) address.sun_path[0] = '\0';
  const base::UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  (void)::sendto(socket.get(), lines.data(), lines.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
}

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
  const auto microseconds = number(variable("WATCHDOG_USEC"));
  const auto pid = variable("WATCHDOG_PID");
  const bool is_ours = pid.empty() || number(pid) == static_cast<std::uint64_t>(::getpid());
  if (!microseconds || *microseconds == 0 || !is_ours) return std::nullopt;
  // Half of the limit, as sd_watchdog_enabled(3) recommends.
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(*microseconds / 2));
}

}  // namespace chancery::master
