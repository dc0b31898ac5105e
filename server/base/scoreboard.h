#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/names.h"

/// What the master and its children show each other in shared memory, for server.status and the limit of workers in a realm.
/// Nothing in it decides over keys or rights: the master keeps a table of its own and believes nothing that it reads here.
namespace chancery::base {

enum class WorkerState : std::uint8_t { Free, Unopened, Idle, Busy, Leaving };
std::string_view to_text(WorkerState state);

enum class ProcessState : std::uint8_t { Free, Starting, Ready, Degraded, Throttled, Stopping };
std::string_view to_text(ProcessState state);

/// Text that several processes may read while one writes it: a reader may see halves of two texts, never bytes of others.
template <std::size_t Words>
class SharedText {
 public:
  static constexpr std::size_t kMaxOctets = Words * sizeof(std::uint64_t);

  /// Longer texts lose their end.
  void set(std::string_view text);
  std::string text() const;
  bool operator==(std::string_view other) const;

 private:
  std::array<std::atomic<std::uint64_t>, Words> words_{};
};

/// A worker as server.status shows it.
struct WorkerView {
  std::size_t slot = 0;
  pid_t pid = 0;
  uid_t uid = 0;
  std::string realm;  ///< empty before session.open
  WorkerState state = WorkerState::Free;
  std::uint64_t requests = 0;
  std::chrono::sys_seconds since{};  ///< when its connection was accepted
};

/// A signer, upkeep or a front end as server.status shows it.
struct ProcessView {
  std::string kind;  ///< "signer", "upkeep", "front end"
  std::string name;  ///< the realm's or the front end's
  pid_t pid = 0;     ///< 0: not running
  ProcessState state = ProcessState::Free;
  std::uint64_t restarts = 0;
  std::string detail;  ///< why it is degraded, how it ended last
  std::chrono::sys_seconds since{};
};

/// A kind of key pair that is kept ready, as server.status shows it.
struct KeyKindView {
  std::string kind;  ///< "rsa:4096"
  std::size_t ready = 0;
  std::size_t size = 0;  ///< how many there are when it is full
};

struct ServerView {
  pid_t master = 0;
  std::chrono::sys_seconds started_at{};
  std::chrono::sys_seconds loaded_at{};  ///< when the configuration in force was loaded
  std::uint64_t generation = 0;          ///< of the configuration: 1 at the start, one more with each reload
  std::uint64_t accepted = 0;            ///< connections that got a worker
  std::uint64_t refused = 0;             ///< connections turned away at a limit
  std::size_t max_workers = 0;
};

/// Anonymous memory that stays shared across fork.
class Mapping {
 public:
  /// @errors Io: no memory.
  static Result<Mapping> create(std::size_t octets);
  Mapping(Mapping&& other) noexcept : start_(std::exchange(other.start_, nullptr)), octets_(other.octets_) {}
  Mapping& operator=(Mapping&&) = delete;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();
  void* start() const { return start_; }

 private:
  Mapping(void* start, std::size_t octets) : start_(start), octets_(octets) {}
  void* start_;
  std::size_t octets_;
};

/// Of a fixed size, made before the first fork. A child uses the pointer it was forked with.
class Scoreboard {
 public:
  static constexpr std::size_t kMaxProcesses = 1024;  ///< further ones run without being shown

  /// @errors Io: no memory.
  static Result<std::unique_ptr<Scoreboard>> create(std::size_t worker_slots);
  /// Use create: the memory must have the size that the slots need.
  Scoreboard(Mapping mapping, std::size_t worker_slots);

  // For a worker, about its own slot.

  /// Books the worker into a realm. @errors Busy: `most` workers are in that realm already; the worker is in none then.
  Status enter_realm(std::size_t slot, const RealmName& realm, std::size_t most);
  void set_state(std::size_t slot, WorkerState state);
  /// The state becomes Busy and the count of requests rises by one; set_state(Idle) ends the request.
  void begin_request(std::size_t slot);

  // For the keymaker.

  static constexpr std::size_t kMaxKeyKinds = 8;
  /// @param kinds  at most kMaxKeyKinds; they take the place of what was there
  void show_key_kinds(const std::vector<KeyKindView>& kinds);

  // For server.status.

  std::vector<KeyKindView> key_kinds() const;

  ServerView server() const;
  std::uint64_t generation() const;            ///< ServerView's alone
  std::vector<WorkerView> workers() const;     ///< those in use
  std::vector<ProcessView> processes() const;  ///< those in use
  std::size_t count_workers() const;
  std::size_t count_workers_in(const RealmName& realm) const;

  // For the master.

  std::size_t worker_slots() const { return worker_slots_; }
  void occupy(std::size_t slot, uid_t uid, std::chrono::sys_seconds now);
  void set_pid(std::size_t slot, pid_t pid);
  void release(std::size_t slot);
  void show_process(std::size_t row, const ProcessView& view);
  void hide_process(std::size_t row);
  void start_server(pid_t master, std::chrono::sys_seconds now);
  void start_generation(std::chrono::sys_seconds now);
  void count_accepted();
  void count_refused();

 private:
  struct Worker;
  struct Process;
  struct KeyKind;
  struct Server;

  Worker& worker(std::size_t slot) const;
  Process& process(std::size_t row) const;

  Mapping mapping_;
  std::size_t worker_slots_;
  Server* server_;
  Process* processes_;
  Worker* workers_;
};

}  // namespace chancery::base
