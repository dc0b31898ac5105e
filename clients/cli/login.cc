#include "clients/cli/login.h"

#include <algorithm>
#include <cstdlib>

#include "clients/cli/arguments.h"
#include "server/base/terminal.h"

namespace chancery::cli {
namespace {

constexpr std::size_t kMaxSecret = 1024;
constexpr const char* kOrByFile = "--secret-file names a file that has it";

Result<std::string> ask(const std::string& user) {
  const auto secret = base::ask_secret_at_terminal("Password of " + user + ": ", kMaxSecret);
  if (!secret.ok()) return Error(secret.error().code(), "password of " + user + ": " + secret.error().message(), kOrByFile);
  return std::string(base::as_text(secret->view()));
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
