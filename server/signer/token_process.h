#pragma once

#include <chrono>
#include <string>

#include "server/base/fd.h"
#include "server/config/keys.h"
#include "server/wire/json.h"

namespace chancery::signer {

/// A signer's way to its token. The vendor's code runs in a process of its own, of which the signer believes nothing:
///
///     chancery-signer (key's owner) ── keeper (forks, kills, loads nothing) ── token (the module; no files but its own, no
///     processes)
///
/// The keeper is forked before the signer is confined, and is all that may fork for it. A call that takes longer than the
/// configured time has its token process killed and answered for; the next `open` gets a new one. Answers come in order, one at a
/// time.
class TokenProcess {
 public:
  /// Forks the keeper. Call while the process has one thread. @errors Io.
  static Result<TokenProcess> start(const config::TokenConfig& config);

  /// One call: {"op": "open", "pin"}, "look", and of the key with "label" and "key_id" "ids", "find", "make", "public", "sign"
  /// (token_process.cc). Not for several threads at once.
  /// @errors those of the module; Timeout: it was killed; Closed: it ended, or the keeper did.
  Result<wire::Json> call(wire::Json request);
  /// Whether the keeper itself has ended: nobody here may fork another.
  bool is_lost() const { return is_lost_; }

 private:
  TokenProcess(base::UniqueFd link, std::chrono::milliseconds limit) : link_(std::move(link)), limit_(limit) {}
  base::UniqueFd link_;
  std::chrono::milliseconds limit_;
  std::int64_t last_id_ = 0;
  bool is_lost_ = false;
};

}  // namespace chancery::signer
