#include "server/master/master.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/config/diff.h"
#include "server/config/load.h"
#include "server/master/background.h"
#include "server/master/configuration.h"
#include "server/master/notify.h"
#include "server/master/reload.h"
#include "server/master/rules_gate.h"
#include "server/master/server_log.h"
#include "server/master/terminal.h"
#include "server/worker/start.h"

namespace chancery::master {
namespace {

const Account* worker_of(const Ground& ground) { return ground.worker ? &*ground.worker : nullptr; }

using std::chrono::milliseconds;

constexpr milliseconds kAtOnce{0};
constexpr milliseconds kSignerLimit{5000};  ///< what signers get to finish a signature and wipe their keys

/// What a reload does is told in full to who sent SIGHUP, and in short where somebody wrote a realm's whole directory anew.
void log_changes(const std::vector<std::string>& changes) {
  constexpr std::size_t kMostTold = 200;
  for (std::size_t i = 0; i < std::min(changes.size(), kMostTold); ++i) base::log_info("changed: " + changes[i]);
  if (changes.size() > kMostTold)
    base::log_info("changed: " + std::to_string(changes.size() - kMostTold) + " more, which chanceryd --check --diff tells");
}

}  // namespace

Master::Master(Ground& ground, base::UniqueFd listener, std::shared_ptr<const config::Snapshot> snapshot)
    : ground_(ground),
      snapshot_(std::move(snapshot)),
      change_due_(ground.loop.timer([this] { processes_changed(); })),
      reload_due_(ground.loop.timer([this] { reload(); })),
      clients_limit_(ground.loop.timer([this] { end_workers(); })),
      grace_limit_(ground.loop.timer([this] { end_at_once(); })),
      signers_limit_(ground.loop.timer([this] { supervisor_.kill(StopPhase::Signers); })),
      watchdog_(ground.loop.timer([this] { watchdog(); })),
      workers_(ground.loop, shared(), snapshot_),
      supervisor_(ground.loop, *ground.board, [this] { change_due_->arm_after(kAtOnce); }) {
  const auto on = [&](int number, Watch::Action action) { signals_.push_back(ground_.loop.signal(number, std::move(action))); };
  on(SIGCHLD, [this] { reap(); });
  on(SIGHUP, [this] { reload_due_->arm_after(kAtOnce); });
  on(SIGTERM, [this] { begin_end(); });
  on(SIGINT, [this] { begin_end(); });
  door_.emplace(
      ground_.loop, std::move(listener),
      [this](base::UniqueFd client) {
        return workers_.serve(std::move(client), [this](pid_t pid) { return supervisor_.kind_of(pid); });
      },
      [this](base::UniqueFd client, const Error& why) { workers_.refuse(std::move(client), why); });
}

Shared Master::shared() const {
  return {&ground_.directory, ground_.board.get(), ground_.life.read.get(), &ground_.passes, worker_of(ground_)};
}

void Master::run() {
  const auto now = base::SystemClock().now();
  ground_.board->start_server(::getpid(), now);
  ground_.board->start_generation(now);
  base::log_info("chanceryd " CHANCERY_VERSION " starts, realms: " + std::to_string(snapshot_->realms.size()));
  supervisor_.want(recipes(snapshot_, shared()));
  watchdog();
  ground_.loop.run();
  base::log_info("stopped");
}

void Master::watchdog() {
  const auto interval = watchdog_interval();
  if (!interval) return;
  notify_alive();
  watchdog_->arm_after(*interval);
}

void Master::reap() {
  // One SIGCHLD may stand for many (PROMISES D15, D19).
  int status = 0;
  while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
    if (pid < 0) break;
    if (!workers_.reaped(pid, status) && !supervisor_.reaped(pid, status)) {
      base::log_debug("process " + std::to_string(pid) + " ended, which nobody knows");
    }
  }
  if (ending_ != Ending::No) advance_end();
}

void Master::processes_changed() {
  if (ending_ != Ending::No) return advance_end();
  const auto summary = supervisor_.summary();
  if (is_announced_) return notify_status(summary);
  if (!supervisor_.is_settled()) return notify_status("starting; " + summary);
  is_announced_ = true;
  base::log_info("ready; " + summary);
  notify_ready(summary);
  report_ready(std::move(ground_.background));
  ask_at_terminal(snapshot_);
}

namespace {

/// The line before it says why; one realm's rules stop the reload of all.
std::string whose_rules(const Error& why) {
  const auto& message = why.message();
  return message.starts_with("realm ") ? "the rules of " + message.substr(0, message.find(':')) : "its rules";
}

}  // namespace

void Master::reload() {
  if (ending_ != Ending::No) return;
  notify_reloading();
  const auto loaded = load_configuration(snapshot_->server.file);
  for (const auto& finding : loaded.findings) {
    const bool is_error = finding.severity == config::Finding::Error;
    base::log(is_error ? base::LogLevel::Error : base::LogLevel::Warning, config::to_line(finding));
  }
  const auto admitted = loaded.snapshot ? admit_rules(*loaded.snapshot, worker_of(ground_)) : Status();
  if (!admitted.ok()) base::log_error(base::to_line(admitted.error()));
  if (loaded.snapshot && admitted.ok()) {
    const auto changes = config::differences(*snapshot_, *loaded.snapshot);
    auto followed = follow(*snapshot_, *loaded.snapshot);
    for (const auto& name : followed.at_next_start) base::log_warning("the new value of " + name + " counts at the next start");
    use(std::move(followed.snapshot));
    log_changes(changes);
    base::log_info("reloaded, realms: " + std::to_string(snapshot_->realms.size()) +
                   (changes.empty() ? ", nothing has changed" : ", changes: " + std::to_string(changes.size())));
  } else {
    base::log_error(
        std::string("not reloaded: ") +
        (admitted.ok() ? std::string("the configuration does not hold") : whose_rules(admitted.error()) + " may not be taken") +
        "; the one in force stays");
  }
  notify_ready(supervisor_.summary());
}

void Master::use(std::shared_ptr<const config::Snapshot> snapshot) {
  const auto before = std::exchange(snapshot_, std::move(snapshot));
  if (const auto opened = open_server_log(snapshot_->server, "master"); !opened.ok())
    base::log_error(base::to_line(opened.error()));
  ground_.board->start_generation(base::SystemClock().now());
  workers_.use(snapshot_);
  supervisor_.want(recipes(snapshot_, shared()));
  close_sockets_of_removed(*before);
}

void Master::close_sockets_of_removed(const config::Snapshot& before) {
  for (const auto& realm : before.realms) {
    if (snapshot_->find(realm->name.text()) == nullptr) ground_.directory.close_signer_socket(realm->name);
  }
}

void Master::begin_end() {
  if (ending_ != Ending::No) return end_at_once();
  base::log_info("stopping");
  notify_stopping();
  ending_ = Ending::Clients;
  door_.reset();
  const milliseconds grace = snapshot_->server.limits.grace;
  supervisor_.stop(StopPhase::Clients);
  clients_limit_->arm_after(grace / 2);
  grace_limit_->arm_after(grace);
  advance_end();
}

/// The second signal, or the end of the grace time: nobody is asked any more.
void Master::end_at_once() {
  for (const auto phase : {StopPhase::Clients, StopPhase::Signers}) supervisor_.stop(phase);
  supervisor_.kill(StopPhase::Clients);
  workers_.signal_all(SIGKILL);
  signers_limit_->arm_after(ending_ == Ending::Signers ? kAtOnce : kSignerLimit);
  advance_end();
}

void Master::end_workers() {
  if (ending_ != Ending::Clients) return;
  ending_ = Ending::Workers;
  clients_limit_->disarm();
  workers_.signal_all(SIGTERM);
  advance_end();
}

void Master::end_signers() {
  ending_ = Ending::Signers;
  grace_limit_->disarm();
  supervisor_.stop(StopPhase::Signers);
  signers_limit_->arm_after(kSignerLimit);
  advance_end();
}

void Master::advance_end() {
  switch (ending_) {
    case Ending::No: return;
    case Ending::Clients:
      if (supervisor_.has_ended(StopPhase::Clients)) end_workers();
      return;
    case Ending::Workers:
      if (workers_.empty() && supervisor_.has_ended(StopPhase::Clients)) end_signers();
      return;
    case Ending::Signers:
      if (supervisor_.has_ended(StopPhase::Signers)) ground_.loop.stop();
      return;
  }
}

}  // namespace chancery::master
