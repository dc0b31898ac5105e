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

WorkerPool::WorkerPool(Loop& loop, const Shared& shared, std::shared_ptr<const config::Snapshot> snapshot)
    : loop_(loop),
      board_(*shared.board),
      shared_(shared),
      known_users_{{0, base::user_name(0)}, {::geteuid(), base::user_name(::geteuid())}},
      own_uid_(::geteuid()),
      snapshot_(std::move(snapshot)),
      admission_(board_.worker_slots(), count(snapshot_->server.limits.max_workers_per_uid)) {}

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
  const auto started = start(client, peer, *slot, is_upkeep);
  if (started.ok()) return {};
  admission_.leave(*slot);
  board_.release(*slot);
  refuse(std::move(client), Error(Code::Busy, "the server has no room for another worker", "retry in some seconds"));
  return started;
}

Status WorkerPool::start(base::UniqueFd& client, const base::PeerCredentials& peer, std::size_t slot, bool is_upkeep) {
  PKI_TRY(auto passes, PassWindow::open());
  const int keep[] = {client.get(), shared_.life, passes.worker.get()};
  const auto known = known_users_.find(peer.uid);
  PKI_TRY(const pid_t pid, fork_child(keep, shared_.worker, [&] {
            return worker::run_worker({.client = std::move(client),
                                       .life = base::UniqueFd(shared_.life),
                                       .passes = std::move(passes.worker),
                                       .snapshot = snapshot_,
                                       .generation = board_.generation(),
                                       .board = &board_,
                                       .slot = slot,
                                       .peer = peer,
                                       .peer_name = known == known_users_.end() ? "" : known->second,
                                       .from_upkeep = is_upkeep});
          }));
  board_.set_pid(slot, pid);
  board_.count_accepted();
  running_.emplace(pid,
                   Running{slot, std::make_unique<PassWindow>(loop_, std::move(passes.master), pid, snapshot_, *shared_.passes)});
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
  const auto found = running_.find(pid);
  if (found == running_.end()) return false;
  admission_.leave(found->second.slot);
  board_.release(found->second.slot);
  running_.erase(found);
  const bool is_clean = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == base::to_int(base::Exit::Ok);
  if (!is_clean) base::log_warning("worker process " + std::to_string(pid) + " ended: " + base::describe_exit(wait_status));
  return true;
}

void WorkerPool::signal_all(int number) const {
  for (const auto& [pid, worker] : running_) ::kill(pid, number);
}

}  // namespace chancery::master
