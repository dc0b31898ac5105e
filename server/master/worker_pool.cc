#include "server/master/worker_pool.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/user.h"
#include "server/master/spawn.h"
#include "server/worker/start.h"

namespace chancery::master {
namespace {

std::size_t count(int setting) { return static_cast<std::size_t>(setting); }

}  // namespace

WorkerPool::WorkerPool(base::Scoreboard& board, int life, base::SignerPasses& passes, base::SignerPasses& key_passes,
                       const Account* worker, std::shared_ptr<const config::Snapshot> snapshot)
    : board_(board),
      life_(life),
      passes_(passes),
      key_passes_(key_passes),
      worker_(worker),
      known_users_{{0, base::user_name(0)}, {::geteuid(), base::user_name(::geteuid())}},
      own_uid_(::geteuid()),
      snapshot_(std::move(snapshot)),
      admission_(board.worker_slots(), count(snapshot_->server.limits.max_workers_per_uid)) {}

void WorkerPool::use(std::shared_ptr<const config::Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  admission_.set_max_per_uid(count(snapshot_->server.limits.max_workers_per_uid));
}

Status WorkerPool::serve(base::UniqueFd client, const base::PeerCredentials& peer, std::optional<Kind> kind) {
  const pid_t front_end = kind == Kind::FrontEnd ? peer.pid : 0;
  const bool is_upkeep = kind == Kind::Upkeep;
  const bool is_administrator = is_upkeep || (front_end == 0 && (peer.uid == 0 || peer.uid == own_uid_));
  const auto slot = admission_.admit({.uid = peer.uid, .front_end = front_end, .administrator = is_administrator});
  if (!slot.ok()) {
    refuse(std::move(client), slot.error());
    return {};
  }
  board_.occupy(*slot, peer.uid, base::SystemClock().now());
  const int keep[] = {client.get(), life_};
  const auto known = known_users_.find(peer.uid);
  const auto pid = fork_child(keep, worker_, [&] {
    return worker::run_worker({.client = std::move(client),
                               .life = base::UniqueFd(life_),
                               .snapshot = snapshot_,
                               .generation = board_.generation(),
                               .board = &board_,
                               .slot = *slot,
                               .passes = &passes_,
                               .key_passes = &key_passes_,
                               .peer = peer,
                               .peer_name = known == known_users_.end() ? "" : known->second,
                               .from_upkeep = is_upkeep});
  });
  if (!pid.ok()) {
    admission_.leave(*slot);
    board_.release(*slot);
    refuse(std::move(client), Error(Code::Busy, "the server has no room for another worker", "retry in some seconds"));
    return pid.error();
  }
  board_.set_pid(*slot, *pid);
  board_.count_accepted();
  slots_.emplace(*pid, *slot);
  return {};
}

void WorkerPool::refuse(base::UniqueFd client, const Error& why) {
  board_.count_refused();
  refusals_.warn("connection refused: " + why.message());
  const auto line = worker::refusal_line(why.code(), why.message());
  // A fresh socket's buffer takes the line; a client that filled it in the meantime learns nothing.
  (void)::send(client.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool WorkerPool::reaped(pid_t pid, int wait_status) {
  const auto found = slots_.find(pid);
  if (found == slots_.end()) return false;
  admission_.leave(found->second);
  board_.release(found->second);
  slots_.erase(found);
  const bool is_clean = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == base::to_int(base::Exit::Ok);
  if (!is_clean) base::log_warning("worker process " + std::to_string(pid) + " ended: " + base::describe_exit(wait_status));
  return true;
}

void WorkerPool::signal_all(int number) const {
  for (const auto& [pid, slot] : slots_) ::kill(pid, number);
}

}  // namespace chancery::master
