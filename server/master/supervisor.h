#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/base/fd.h"
#include "server/base/scoreboard.h"
#include "server/master/kinds.h"
#include "server/master/loop.h"
#include "server/master/throttle.h"

namespace chancery::master {

/// A process that was just started, and the pipe on which it says the lines of base/ready_words.h when its kind does.
struct Started {
  pid_t pid;
  base::UniqueFd ready;
};

/// One process that shall run.
struct Wanted {
  Kind kind;
  std::string name;      ///< the realm's or the front end's
  std::string settings;  ///< all that it was started with; another text means another process
  std::function<Result<Started>()> start;
};

/// Keeps the wanted processes running: starts, restarts with a throttle, follows their readiness, stops them phase by phase.
/// It shows them on the scoreboard and never reads that.
class Supervisor {
 public:
  static constexpr std::chrono::seconds kReadyLimit{60};  ///< a process that says nothing for so long counts as degraded

  /// @param changed  called after any process changed its state
  Supervisor(Loop& loop, base::Scoreboard& board, std::function<void()> changed);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  /// Makes the running processes those that are wanted, by the OnReload column of their kinds.
  void want(std::vector<Wanted> wanted);

  /// A child of the master ended. @return whether it is one of these.
  bool reaped(pid_t pid, int wait_status);

  /// Tells the processes of a phase to stop; none of them starts again.
  void stop(StopPhase phase);
  void kill(StopPhase phase);
  bool has_ended(StopPhase phase) const;  ///< whether no process of the phase runs

  /// Whether every process is ready, or known not to become it soon.
  bool is_settled() const;
  /// The kind of the running child that has this pid; none for any other process.
  std::optional<Kind> kind_of(pid_t pid) const;
  /// "2 signers ready; signer devices degraded: wrong passphrase"
  std::string summary() const;

 private:
  struct Child;

  void start(Child& child);
  void stop(Child& child);
  void read_ready_line(Child& child);
  void take_ready_line(Child& child, const std::string& line);
  void set_state(Child& child, base::ProcessState state, const std::string& detail);
  void restart_later(Child& child);
  void ended(Child& child, int wait_status);
  void take_over(Child& child, Wanted fresh);
  void add(Wanted fresh);
  void forget(const Child& child);
  std::size_t free_row() const;

  Loop& loop_;
  base::Scoreboard& board_;
  std::function<void()> changed_;
  std::vector<std::unique_ptr<Child>> children_;
};

}  // namespace chancery::master
