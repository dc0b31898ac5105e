#include "server/master/activation.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "server/base/text.h"

namespace chancery::master {
namespace {

Error refusal(int descriptor, const std::string& found, const std::string& expected) {
  return {Code::BadConfig, "passed descriptor " + std::to_string(descriptor) + ": found " + found + ", expected " + expected};
}

/// An option whose value is an int; -1 when the socket has no such option.
int option(int descriptor, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

std::string bound_path(int descriptor) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  const auto octets = size - std::min<socklen_t>(size, offsetof(sockaddr_un, sun_path));
  return {address.sun_path, ::strnlen(address.sun_path, octets)};
}

constexpr int kFirstPassed = 3;  // sd_listen_fds(3)

int number_of(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return 0;
  const std::string_view digits(text);
  int value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return failure == std::errc() && end == digits.data() + digits.size() ? value : -1;
}

/// How many descriptors the service manager passed to this process; nothing passed to its parent counts.
int passed_descriptors() { return number_of("LISTEN_PID") == ::getpid() ? number_of("LISTEN_FDS") : 0; }

}  // namespace

Status check_listener(int descriptor, const std::filesystem::path& path) {
  struct stat found {};
  if (::fstat(descriptor, &found) != 0) return refusal(descriptor, "no open file", "a socket");
  if (!S_ISSOCK(found.st_mode)) return refusal(descriptor, "a file that is no socket", "a socket");
  const int family = option(descriptor, SO_DOMAIN);
  if (family != AF_UNIX) return refusal(descriptor, "address family " + std::to_string(family), "a Unix socket");
  if (option(descriptor, SO_TYPE) != SOCK_STREAM) return refusal(descriptor, "a socket of another type", "SOCK_STREAM");
  if (option(descriptor, SO_ACCEPTCONN) != 1) return refusal(descriptor, "a socket that does not listen", "one that does");
  const auto bound = bound_path(descriptor);
  if (bound == path.string()) return {};
  return refusal(descriptor, "the path \"" + base::printable(bound) + "\"", path.string());
}

void close_inherited() {
  std::vector<int> keep;
  const int passed = passed_descriptors();
  for (int i = 0; i < passed; ++i) keep.push_back(kFirstPassed + i);
  base::close_all_but(keep);
}

Result<base::UniqueFd> take_activated_socket(const std::filesystem::path& path) {
  const int count = passed_descriptors();
  for (const auto* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  if (count < 0) return Error(Code::BadConfig, "LISTEN_FDS is no number of descriptors");
  if (count == 0) return base::UniqueFd();
  if (count > 1)
    return Error(Code::BadConfig, "found " + std::to_string(count) + " passed descriptors, expected one: " + path.string());
  base::UniqueFd socket(kFirstPassed);
  if (::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0) return base::io_error("F_SETFD", errno);
  PKI_TRY_VOID(check_listener(socket.get(), path));
  return socket;
}

}  // namespace chancery::master
