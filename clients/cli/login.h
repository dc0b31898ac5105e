#pragma once

#include <string>

#include "clients/lib/client.h"

/// Who runs a command of `chancery`, by a login stack. Secrets come from a terminal, a file or the environment, never from the
/// command line, which everybody on the machine sees.
namespace chancery::cli {

struct LoginOptions {
  std::string stack;  ///< empty: nobody logs in
  std::string user;
  std::string secret_file;  ///< of the password, or of the token without a user; "-" is standard input; empty: asked for
};

/// @errors those of session.login; Unavailable: there is no terminal to ask at.
Status log_in(client::Client& client, const LoginOptions& options);

/// The first line of a file without its end; "-" is standard input. @errors Io, NotFound, TooLarge; InvalidParams: it is empty.
Result<std::string> read_secret(const std::string& file);

}  // namespace chancery::cli
