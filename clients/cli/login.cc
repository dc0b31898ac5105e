#include "clients/cli/login.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "clients/cli/arguments.h"
#include "server/base/fd.h"

namespace chancery::cli {
namespace {

constexpr std::size_t kMaxSecret = 1024;

/// A terminal that shows nothing of what is typed, for as long as this lives.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal, &before_) != 0) return;
    auto silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_silent_ = ::tcsetattr(terminal, TCSAFLUSH, &silent) == 0;
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (is_silent_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  bool is_silent() const { return is_silent_; }

 private:
  int terminal_;
  bool is_silent_ = false;
  termios before_{};
};

Result<std::string> ask(const std::string& user) {
  const base::UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal)
    return Error(Code::Unavailable, "no terminal to ask for a password at", "--secret-file names a file that has it");
  const Silence silence(terminal.get());
  if (!silence.is_silent()) return Error(Code::Io, "the terminal does not hide what is typed", "--secret-file names a file");
  const auto prompt = "Password of " + user + ": ";
  (void)!::write(terminal.get(), prompt.data(), prompt.size());
  std::string secret;
  for (char c = 0; secret.size() <= kMaxSecret && ::read(terminal.get(), &c, 1) == 1 && c != '\n';) secret.push_back(c);
  (void)!::write(terminal.get(), "\n", 1);
  return secret;
}

/// Without a user and a file: the environment's token, or nothing, for stacks that need no secret.
std::string token_of_environment() {
  const char* token = std::getenv("CHANCERY_TOKEN");
  return token == nullptr ? std::string() : std::string(token);
}

}  // namespace

Result<std::string> read_secret(const std::string& file) {
  PKI_TRY(auto text, read_argument_file(file));
  text.erase(std::min(text.find('\n'), text.size()));
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return Error(Code::InvalidParams, file + ": found no secret in its first line");
  return text;
}

Status log_in(client::Client& client, const LoginOptions& options) {
  if (options.stack.empty() && (!options.user.empty() || !options.secret_file.empty()))
    return Error(Code::InvalidParams, "--user and --secret-file before the command need --login");
  if (options.stack.empty()) return {};
  std::string secret;
  if (!options.secret_file.empty()) {
    PKI_TRY(secret, read_secret(options.secret_file));
  } else if (!options.user.empty()) {
    PKI_TRY(secret, ask(options.user));
  } else {
    secret = token_of_environment();
  }
  const bool is_password = !options.user.empty();
  PKI_TRY([[maybe_unused]] const auto session,
          client.login({.stack = options.stack,
                        .user = options.user,
                        .password = is_password ? std::string_view(secret) : std::string_view(),
                        .token = is_password ? std::string_view() : std::string_view(secret)}));
  return {};
}

}  // namespace chancery::cli
