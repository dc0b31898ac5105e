#pragma once

#include <memory>
#include <optional>

#include "server/config/server_config.h"
#include "server/master/door.h"
#include "server/master/recipes.h"
#include "server/master/worker_pool.h"

namespace chancery::master {

/// What a running server stands on; it outlives the Master.
struct Ground {
  Loop loop;
  RunDirectory directory;
  base::Pipe life;  ///< the children hold the read end; the write end is closed when the master is gone, however it went
  std::unique_ptr<base::Scoreboard> board;
  PassBooks passes;
  std::optional<Account> worker;  ///< whom workers become
  base::UniqueFd background;      ///< where to report that everything is ready; empty in the foreground
};

/// Coordinates a running server: connections to workers, signals to reloads and to an orderly end.
class Master {
 public:
  Master(Ground& ground, base::UniqueFd listener, std::shared_ptr<const config::Snapshot> snapshot);
  Master(const Master&) = delete;
  Master& operator=(const Master&) = delete;
  ~Master() = default;

  /// Until it was told to stop and every child has ended.
  void run();

 private:
  /// Of the end; each begins when the one before has nothing left.
  enum class Ending { No, Clients, Workers, Signers };

  void reap();
  void processes_changed();
  void reload();
  void use(std::shared_ptr<const config::Snapshot> snapshot);
  void close_sockets_of_removed(const config::Snapshot& before);
  void begin_end();
  void end_at_once();
  void advance_end();
  void end_workers();
  void end_signers();
  void watchdog();
  Shared shared() const;

  Ground& ground_;
  std::shared_ptr<const config::Snapshot> snapshot_;
  bool is_announced_ = false;
  Ending ending_ = Ending::No;

  // Signals and changes of several processes that come together are acted upon once.
  WatchPtr change_due_;
  WatchPtr reload_due_;
  WatchPtr clients_limit_;
  WatchPtr grace_limit_;
  WatchPtr signers_limit_;
  WatchPtr watchdog_;

  WorkerPool workers_;
  Supervisor supervisor_;
  std::optional<Door> door_;
  std::vector<WatchPtr> signals_;
};

}  // namespace chancery::master
