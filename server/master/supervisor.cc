#include "server/master/supervisor.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <map>
#include <optional>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/ready_words.h"
#include "server/base/text.h"

namespace chancery::master {
namespace {

using base::ProcessState;
using std::chrono::steady_clock;

constexpr std::size_t kMaxReadyLine = 1024;

/// It would fail the same way again, until the configuration is another.
bool is_final(int wait_status) { return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == base::to_int(base::Exit::Config); }

}  // namespace

/// What the master knows of one wanted process. It outlives the process itself.
struct Supervisor::Child {
  Wanted wanted;
  std::size_t row = 0;
  pid_t pid = 0;
  ProcessState state = ProcessState::Starting;
  std::string detail = {};
  std::uint64_t restarts = 0;
  steady_clock::time_point started = {};
  std::chrono::sys_seconds since = {};
  Throttle throttle = {};
  std::string said = {};      ///< of the ready line, so far
  base::UniqueFd ready = {};  ///< closed before the watch on it would be wrong: see close_ready
  WatchPtr ready_watch = {};
  WatchPtr ready_limit = {};
  WatchPtr restart = {};
  bool serves = false;              ///< it has said so
  bool leaving = false;             ///< it was told to stop
  bool hangup_due = false;          ///< the configuration changed before it was ready, so it may have read the old one
  bool gone_for_good = false;       ///< it is not wanted any more
  std::optional<Wanted> next = {};  ///< what starts when it has ended

  const KindRow& kind() const { return describe(wanted.kind); }
  std::string label() const { return std::string(kind().name) + (wanted.name.empty() ? "" : " " + wanted.name); }
  void close_ready() {
    ready_watch.reset();
    ready_limit.reset();
    ready.reset();
    said.clear();
  }
};

Supervisor::Supervisor(Loop& loop, base::Scoreboard& board, std::function<void()> changed)
    : loop_(loop), board_(board), changed_(std::move(changed)) {}
Supervisor::~Supervisor() = default;

void Supervisor::want(std::vector<Wanted> wanted) {
  const auto same = [](const Child& child, const Wanted& fresh) {
    return child.wanted.kind == fresh.kind && child.wanted.name == fresh.name;
  };
  std::vector<Child*> unwanted;
  for (const auto& child : children_) {
    if (std::ranges::none_of(wanted, [&](const Wanted& fresh) { return same(*child, fresh); })) unwanted.push_back(child.get());
  }
  for (auto* child : unwanted) {
    child->gone_for_good = true;
    child->next.reset();
    if (child->pid == 0)
      forget(*child);
    else
      stop(*child);
  }
  for (auto& fresh : wanted) {
    const auto found = std::ranges::find_if(children_, [&](const auto& child) { return same(*child, fresh); });
    if (found == children_.end())
      add(std::move(fresh));
    else
      take_over(**found, std::move(fresh));
  }
  changed_();
}

void Supervisor::add(Wanted fresh) {
  auto child = std::make_unique<Child>(Child{.wanted = std::move(fresh), .row = free_row()});
  auto& added = *children_.emplace_back(std::move(child));
  added.restart = loop_.timer([this, &added] { start(added); });
  start(added);
}

/// A running process gets its new recipe, which counts at its next start at the latest.
void Supervisor::take_over(Child& child, Wanted fresh) {
  const bool is_same = child.wanted.settings == fresh.settings;
  child.gone_for_good = false;
  child.throttle = Throttle();
  if (child.pid == 0) {
    child.wanted = std::move(fresh);
    child.restart->disarm();
    return start(child);
  }
  if (child.leaving || !is_same || child.kind().on_reload == OnReload::Replace) {
    child.next = std::move(fresh);
    if (!child.leaving) stop(child);
    return;
  }
  child.wanted = std::move(fresh);
  if (child.kind().on_reload != OnReload::Hangup) return;
  // Before it is ready it may not have its signal handlers yet, and SIGHUP would end it.
  if (child.ready_watch && !child.serves)
    child.hangup_due = true;
  else
    ::kill(child.pid, SIGHUP);
}

void Supervisor::start(Child& child) {
  child.started = steady_clock::now();
  child.since = base::SystemClock().now();
  auto started = child.wanted.start();
  if (!started.ok()) {
    base::log_error(child.label() + ": not started: " + base::to_line(started.error()));
    set_state(child, ProcessState::Degraded, base::to_line(started.error()));
    return restart_later(child);
  }
  child.pid = started->pid;
  child.serves = false;
  child.hangup_due = false;
  child.ready = std::move(started->ready);
  // Its end is not the last one, should a child of its own have kept it: nothing here may wait for that.
  if (child.ready) ::fcntl(child.ready.get(), F_SETFL, O_NONBLOCK);
  base::log_info(child.label() + ": started as process " + std::to_string(child.pid));
  if (child.kind().readiness == Readiness::AtStart) return set_state(child, ProcessState::Ready, {});
  set_state(child, ProcessState::Starting, child.detail);
  child.ready_watch = loop_.readable(child.ready.get(), [this, &child] { read_ready_line(child); });
  child.ready_limit = loop_.timer([this, &child] {
    set_state(child, ProcessState::Degraded, "not ready after " + std::to_string(kReadyLimit.count()) + " s");
  });
  child.ready_limit->arm_after(kReadyLimit);
}

void Supervisor::read_ready_line(Child& child) {
  std::array<char, 256> part{};
  const auto got = ::read(child.ready.get(), part.data(), part.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got > 0) child.said.append(part.data(), static_cast<std::size_t>(got));
  for (auto end = child.said.find('\n'); end != std::string::npos; end = child.said.find('\n')) {
    const auto line = base::printable(child.said.substr(0, end), kMaxReadyLine);
    child.said.erase(0, end + 1);
    take_ready_line(child, line);
  }
  if (got > 0 && child.said.size() < kMaxReadyLine) return;
  const auto rest = base::printable(child.said.substr(0, kMaxReadyLine), kMaxReadyLine);
  child.close_ready();
  if (!rest.empty()) take_ready_line(child, rest);  // without any it ended without a word: its exit status says more
}

/// Its first line says whether it serves; what comes later is news of that.
void Supervisor::take_ready_line(Child& child, const std::string& line) {
  if (child.leaving) return;
  const bool serves = line == base::kReadyWord || line.starts_with(base::kUnreadyWord);
  if (serves) {
    child.serves = true;
    child.ready_limit.reset();
    if (std::exchange(child.hangup_due, false) && child.pid != 0) ::kill(child.pid, SIGHUP);
  }
  if (line == base::kReadyWord) return set_state(child, ProcessState::Ready, {});
  if (serves) {
    const auto reason = line.substr(base::kUnreadyWord.size());
    base::log_warning(child.label() + ": cannot sign: " + reason);
    return set_state(child, ProcessState::Degraded, reason);
  }
  const auto reason = line.starts_with(base::kFailedWord) ? line.substr(base::kFailedWord.size()) : line;
  base::log_error(child.label() + ": failed: " + reason);
  set_state(child, ProcessState::Degraded, reason);
}

void Supervisor::set_state(Child& child, ProcessState state, const std::string& detail) {
  child.state = state;
  child.detail = detail;
  if (child.row < base::Scoreboard::kMaxProcesses) {
    board_.show_process(
        child.row, {std::string(child.kind().name), child.wanted.name, child.pid, state, child.restarts, detail, child.since});
  }
  changed_();
}

bool Supervisor::reaped(pid_t pid, int wait_status) {
  const auto found = std::ranges::find_if(children_, [&](const auto& child) { return child->pid == pid; });
  if (found == children_.end()) return false;
  ended(**found, wait_status);
  return true;
}

void Supervisor::ended(Child& child, int wait_status) {
  child.pid = 0;
  if (child.ready_watch) read_ready_line(child);  // the last word may still be in the pipe
  child.close_ready();
  const auto how = base::describe_exit(wait_status);
  const bool was_told = std::exchange(child.leaving, false);
  if (was_told)
    base::log_info(child.label() + ": stopped");
  else
    base::log_warning(child.label() + ": ended: " + how);
  if (child.next) {
    child.wanted = std::move(*child.next);
    child.next.reset();
    return start(child);
  }
  if (child.gone_for_good) {
    forget(child);
    return changed_();
  }
  if (was_told) return set_state(child, ProcessState::Stopping, {});
  const bool knows_why = !child.serves && child.state == ProcessState::Degraded && !child.detail.empty();
  const auto detail = knows_why ? child.detail : "ended: " + how;
  if (is_final(wait_status) && !child.hangup_due)
    return set_state(child, ProcessState::Degraded, detail + "; starts again after a reload");
  set_state(child, ProcessState::Starting, detail);
  restart_later(child);
}

void Supervisor::restart_later(Child& child) {
  const bool was_throttled = child.throttle.throttled();
  const auto delay = child.throttle.died(child.started, steady_clock::now());
  ++child.restarts;
  if (child.throttle.throttled()) {
    if (!was_throttled) base::log_error(child.label() + ": ends again and again; starts are throttled: " + child.detail);
    set_state(child, ProcessState::Throttled, child.detail);
  }
  child.restart->arm_after(delay);
}

void Supervisor::stop(Child& child) {
  child.restart->disarm();
  if (child.pid == 0) return;
  child.leaving = true;
  set_state(child, ProcessState::Stopping, {});
  ::kill(child.pid, SIGTERM);
}

void Supervisor::stop(StopPhase phase) {
  for (const auto& child : children_) {
    if (child->kind().stop != phase) continue;
    child->next.reset();
    stop(*child);
  }
}

void Supervisor::kill(StopPhase phase) {
  for (const auto& child : children_) {
    if (child->kind().stop == phase && child->pid != 0) ::kill(child->pid, SIGKILL);
  }
}

bool Supervisor::has_ended(StopPhase phase) const {
  return std::ranges::none_of(children_, [&](const auto& child) { return child->kind().stop == phase && child->pid != 0; });
}

bool Supervisor::is_settled() const {
  return std::ranges::none_of(children_, [](const auto& child) { return child->state == ProcessState::Starting; });
}

std::optional<Kind> Supervisor::kind_of(pid_t pid) const {
  const auto found = std::ranges::find_if(children_, [&](const auto& child) { return child->pid == pid; });
  return found == children_.end() ? std::nullopt : std::optional((*found)->wanted.kind);
}

std::string Supervisor::summary() const {
  std::map<std::string_view, std::size_t> ready;
  std::string others;
  for (const auto& child : children_) {
    if (child->state == ProcessState::Ready)
      ++ready[child->kind().name];
    else
      others +=
          "; " + child->label() + " " + std::string(to_text(child->state)) + (child->detail.empty() ? "" : ": " + child->detail);
  }
  std::string text;
  for (const auto& [name, count] : ready)
    text += (text.empty() ? "ready: " : ", ") + std::to_string(count) + " " + std::string(name);
  return (text.empty() ? "nothing ready" : text) + others;
}

void Supervisor::forget(const Child& child) {
  if (child.row < base::Scoreboard::kMaxProcesses) board_.hide_process(child.row);
  std::erase_if(children_, [&](const auto& one) { return one.get() == &child; });
}

std::size_t Supervisor::free_row() const {
  std::size_t row = 0;
  while (std::ranges::any_of(children_, [&](const auto& child) { return child->row == row; })) ++row;
  return row;
}

}  // namespace chancery::master
