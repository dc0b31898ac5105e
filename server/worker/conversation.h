#pragma once

#include <string>

#include "server/base/fd.h"
#include "server/wire/json.h"

namespace chancery::worker {

/// What processes of the server's own have with it: one conversation over its socket, as any client's.
class Conversation {
 public:
  /// @errors those of connect_unix.
  static Result<Conversation> begin(const std::string& socket);
  /// @errors what the daemon answers; when it has answered nothing, is_broken().
  Result<Json> call(const std::string& method, Json params);
  bool is_broken() const { return is_broken_; }

 private:
  explicit Conversation(base::UniqueFd fd) : fd_(std::move(fd)) {}
  base::UniqueFd fd_;
  int last_id_ = 0;
  bool is_broken_ = false;
};

}  // namespace chancery::worker
