#pragma once

#include <string>

#include "clients/lib/client.h"
#include "server/wire/json.h"

/// The verbs that a secret passes through. It comes from the terminal or standard input, never from the command line, which every
/// process on the machine can read.
namespace chancery::cli {

inline constexpr std::string_view kEnterCommand = "secret.enter";

/// Asks for the passphrase or a share, whichever the realm waits for, and enters it. @return as secret.status.
/// @errors Conflict: the key is open already; those of secret.enter.
Result<Json> unlock(const client::Options& server, const std::string& realm, const std::string& front_end);

struct SplitOrder {
  std::string passphrase_file;  ///< empty: it is asked for
  int shares = 0;
  int threshold = 0;
  std::string directory;
};
/// @return {set, files, configuration}: the lines for ca.config.yml. @errors those of split_secret and write_share_files;
/// InvalidParams: no realm.
Result<Json> split_passphrase(const std::string& realm, const SplitOrder& order);

}  // namespace chancery::cli
