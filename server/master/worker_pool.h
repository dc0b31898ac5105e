#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "server/base/fd.h"
#include "server/base/scoreboard.h"
#include "server/config/server_config.h"
#include "server/master/admission.h"
#include "server/master/kinds.h"
#include "server/master/occasional.h"
#include "server/master/pass_window.h"
#include "server/master/recipes.h"

namespace chancery::master {

/// The workers: one for each connection, forked with what it needs and nothing else. Those that run stay on the
/// configuration they were born with.
class WorkerPool {
 public:
  WorkerPool(Loop& loop, const Shared& shared, std::shared_ptr<const config::Snapshot> snapshot);

  void use(std::shared_ptr<const config::Snapshot> snapshot);

  /// Gives the connection a worker, or tells its client why it gets none.
  /// @param kind_of  says which supervised child a pid is, if any
  /// @errors Io: the kernel refused to fork; the client was told.
  template <class KindOf>
  Status serve(base::UniqueFd client, KindOf kind_of) {
    const auto peer = base::peer_credentials(client.get());
    if (!peer.ok()) return {};  // it is gone
    return serve(std::move(client), *peer, kind_of(peer->pid));
  }

  /// Turns a client away: one line, as far as it fits without waiting, and the end of the connection.
  void refuse(base::UniqueFd client, const Error& why);

  /// A child of the master ended. @return whether it is one of these.
  bool reaped(pid_t pid, int wait_status);

  void signal_all(int number) const;
  bool empty() const { return running_.empty(); }

 private:
  Status serve(base::UniqueFd client, const base::PeerCredentials& peer, std::optional<Kind> kind);
  /// @param client  stays the caller's. @errors Io: no descriptor or no process.
  Status start(base::UniqueFd& client, const base::PeerCredentials& peer, std::size_t slot, bool is_upkeep);

  /// A worker that runs.
  struct Running {
    std::size_t slot;
    std::unique_ptr<PassWindow> passes;
  };

  Loop& loop_;
  base::Scoreboard& board_;
  const Shared shared_;
  std::unordered_map<uid_t, std::string> known_users_;  ///< whose names need not be asked for at each connection
  uid_t own_uid_;
  std::shared_ptr<const config::Snapshot> snapshot_;
  Admission admission_;
  std::unordered_map<pid_t, Running> running_;
  Occasional refusals_;
};

}  // namespace chancery::master
