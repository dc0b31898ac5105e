#include "server/base/terminal.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "server/base/fd.h"

namespace chancery::base {
namespace {

/// The terminal shows nothing of what is typed while this lives.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal, &before_) != 0) return;
    auto silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ICANON | ECHONL;
    is_changed_ = ::tcsetattr(terminal, TCSAFLUSH, &silent) == 0;
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (is_changed_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  bool holds() const { return is_changed_; }

 private:
  int terminal_;
  termios before_{};
  bool is_changed_ = false;
};

/// Octet by octet, so that nothing behind the line is taken.
Result<SecretBytes> read_line(int fd, std::size_t max_bytes) {
  Bytes line;
  line.reserve(max_bytes + 1);
  for (;;) {
    std::uint8_t octet = 0;
    const auto got = ::read(fd, &octet, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", errno);
    if (got == 0 || octet == '\n') {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      SecretBytes secret(std::move(line));
      if (!secret.empty()) return secret;
      return got == 0 ? Error(Code::Closed, "nothing was entered") : Error(Code::Malformed, "an empty line was entered");
    }
    line.push_back(octet);
    if (line.size() <= max_bytes) continue;
    const SecretBytes wiped(std::move(line));
    return Error(Code::Malformed, "more than " + std::to_string(max_bytes) + " characters were entered");
  }
}

Result<SecretBytes> ask(int from, int to, const std::string& prompt, std::size_t max_bytes) {
  const Silence silence(from);
  if (!silence.holds()) return Error(Code::Io, "this terminal would show what is typed");
  PKI_TRY_VOID(write_all(to, as_bytes(prompt)));
  return read_line(from, max_bytes);
}

}  // namespace

Result<SecretBytes> ask_secret(const std::string& prompt, std::size_t max_bytes) {
  if (::isatty(STDIN_FILENO) != 1) return read_line(STDIN_FILENO, max_bytes);
  return ask(STDIN_FILENO, STDERR_FILENO, prompt, max_bytes);
}

Result<SecretBytes> ask_secret_at_terminal(const std::string& prompt, std::size_t max_bytes) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) return Error(Code::Unavailable, "there is no terminal to ask at");
  return ask(terminal.get(), terminal.get(), prompt, max_bytes);
}

}  // namespace chancery::base
