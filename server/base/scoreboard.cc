#include "server/base/scoreboard.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "server/base/clock.h"
#include "server/base/fd.h"

namespace chancery::base {
namespace {

constexpr std::array<std::string_view, 5> kWorkerStates{"free", "unopened", "idle", "busy", "leaving"};
constexpr std::array<std::string_view, 6> kProcessStates{"free", "starting", "ready", "degraded", "throttled", "stopping"};

// Each process reads and writes through its own mapping: only atomics that need no lock work across them.
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

constexpr std::size_t kCacheLine = 64;

/// A word that no child can turn into a state that does not exist.
template <class State, std::size_t Count>
std::string_view word_of(const std::array<std::string_view, Count>& words, State state) {
  const auto index = static_cast<std::size_t>(state);
  return index < Count ? words[index] : "unknown";
}

/// The text, cut where it does not fit, with zeros behind it.
template <std::size_t Words>
std::array<std::uint64_t, Words> words_with(std::string_view text) {
  std::array<std::uint64_t, Words> words{};
  text.copy(reinterpret_cast<char*>(words.data()), sizeof(words));
  return words;
}

}  // namespace

std::string_view to_text(WorkerState state) { return word_of(kWorkerStates, state); }
std::string_view to_text(ProcessState state) { return word_of(kProcessStates, state); }

template <std::size_t Words>
void SharedText<Words>::set(std::string_view text) {
  const auto words = words_with<Words>(text);
  for (std::size_t i = 0; i < Words; ++i) words_[i].store(words[i], std::memory_order_relaxed);
}

template <std::size_t Words>
std::string SharedText<Words>::text() const {
  std::array<std::uint64_t, Words> words{};
  for (std::size_t i = 0; i < Words; ++i) words[i] = words_[i].load(std::memory_order_relaxed);
  std::string text(kMaxOctets, '\0');
  std::memcpy(text.data(), words.data(), kMaxOctets);
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

template <std::size_t Words>
bool SharedText<Words>::operator==(std::string_view other) const {
  const auto words = words_with<Words>(other);
  return std::ranges::equal(words_, words,
                            [](const auto& shared, std::uint64_t own) { return shared.load(std::memory_order_relaxed) == own; });
}

template class SharedText<8>;
template class SharedText<32>;

struct alignas(kCacheLine) Scoreboard::Worker {
  std::atomic<std::uint64_t> requests;
  std::atomic<std::int64_t> since;
  std::atomic<pid_t> pid;
  std::atomic<uid_t> uid;
  std::atomic<WorkerState> state;
  SharedText<8> realm;
};

struct alignas(kCacheLine) Scoreboard::Process {
  std::atomic<std::uint64_t> restarts;
  std::atomic<std::int64_t> since;
  std::atomic<pid_t> pid;
  std::atomic<ProcessState> state;
  SharedText<8> kind;
  SharedText<8> name;
  SharedText<32> detail;
};

struct Scoreboard::KeyKind {
  std::atomic<std::uint64_t> ready;
  std::atomic<std::uint64_t> size;  ///< 0: the row is free
  SharedText<8> kind;
};

struct alignas(kCacheLine) Scoreboard::Server {
  std::atomic<pid_t> master;
  std::atomic<std::int64_t> started_at;
  std::atomic<std::int64_t> loaded_at;
  std::atomic<std::uint64_t> generation;
  std::atomic<std::uint64_t> accepted;
  std::atomic<std::uint64_t> refused;
  std::array<KeyKind, kMaxKeyKinds> key_kinds;
};

Result<Mapping> Mapping::create(std::size_t octets) {
  void* start = ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return io_error("mmap of the scoreboard", errno);
  return Mapping(start, octets);
}

Mapping::~Mapping() {
  if (start_ != nullptr) ::munmap(start_, octets_);
}

Result<std::unique_ptr<Scoreboard>> Scoreboard::create(std::size_t worker_slots) {
  PKI_TRY(auto mapping, Mapping::create(sizeof(Server) + kMaxProcesses * sizeof(Process) + worker_slots * sizeof(Worker)));
  return std::make_unique<Scoreboard>(std::move(mapping), worker_slots);
}

Scoreboard::Scoreboard(Mapping mapping, std::size_t worker_slots) : mapping_(std::move(mapping)), worker_slots_(worker_slots) {
  // Pages of zeros are what empty tables are made of; constructing them only starts their lifetime.
  server_ = std::construct_at(static_cast<Server*>(mapping_.start()));
  processes_ = reinterpret_cast<Process*>(server_ + 1);
  std::uninitialized_value_construct_n(processes_, kMaxProcesses);
  workers_ = reinterpret_cast<Worker*>(processes_ + kMaxProcesses);
  std::uninitialized_value_construct_n(workers_, worker_slots_);
}

Scoreboard::Worker& Scoreboard::worker(std::size_t slot) const {
  PKI_CHECK(slot < worker_slots_);
  return workers_[slot];
}

Scoreboard::Process& Scoreboard::process(std::size_t row) const {
  PKI_CHECK(row < kMaxProcesses);
  return processes_[row];
}

Status Scoreboard::enter_realm(std::size_t slot, const RealmName& realm, std::size_t most) {
  auto& own = worker(slot);
  // Booked first, counted then: two that come at once may both be refused, but never both be one too many.
  own.realm.set(realm.text());
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (count_workers_in(realm) <= most) return {};
  own.realm.set({});
  return Error(Code::Busy, std::to_string(most) + " workers serve realm " + realm.text() + " already", "retry in some seconds");
}

void Scoreboard::set_state(std::size_t slot, WorkerState state) { worker(slot).state = state; }

void Scoreboard::begin_request(std::size_t slot) {
  worker(slot).state = WorkerState::Busy;
  worker(slot).requests.fetch_add(1, std::memory_order_relaxed);
}

ServerView Scoreboard::server() const {
  return {server_->master,
          from_epoch(server_->started_at),
          from_epoch(server_->loaded_at),
          server_->generation,
          server_->accepted,
          server_->refused,
          worker_slots_};
}

std::vector<WorkerView> Scoreboard::workers() const {
  std::vector<WorkerView> views;
  for (std::size_t slot = 0; slot < worker_slots_; ++slot) {
    const auto& one = workers_[slot];
    const WorkerState state = one.state;
    if (state == WorkerState::Free) continue;
    views.push_back({slot, one.pid, one.uid, one.realm.text(), state, one.requests, from_epoch(one.since)});
  }
  return views;
}

std::vector<ProcessView> Scoreboard::processes() const {
  std::vector<ProcessView> views;
  for (std::size_t row = 0; row < kMaxProcesses; ++row) {
    const auto& one = processes_[row];
    const ProcessState state = one.state;
    if (state == ProcessState::Free) continue;
    views.push_back({one.kind.text(), one.name.text(), one.pid, state, one.restarts, one.detail.text(), from_epoch(one.since)});
  }
  return views;
}

std::size_t Scoreboard::count_workers() const {
  std::size_t count = 0;
  for (std::size_t slot = 0; slot < worker_slots_; ++slot) count += workers_[slot].state != WorkerState::Free ? 1 : 0;
  return count;
}

std::size_t Scoreboard::count_workers_in(const RealmName& realm) const {
  std::size_t count = 0;
  for (std::size_t slot = 0; slot < worker_slots_; ++slot) {
    const auto& one = workers_[slot];
    if (one.state != WorkerState::Free && one.realm == realm.text()) ++count;
  }
  return count;
}

void Scoreboard::occupy(std::size_t slot, uid_t uid, std::chrono::sys_seconds now) {
  auto& one = worker(slot);
  one.pid = 0;
  one.uid = uid;
  one.requests = 0;
  one.since = to_epoch(now);
  one.realm.set({});
  one.state = WorkerState::Unopened;
}

void Scoreboard::set_pid(std::size_t slot, pid_t pid) { worker(slot).pid = pid; }

void Scoreboard::release(std::size_t slot) {
  worker(slot).state = WorkerState::Free;
  worker(slot).pid = 0;
  worker(slot).realm.set({});
}

void Scoreboard::show_process(std::size_t row, const ProcessView& view) {
  auto& one = process(row);
  one.kind.set(view.kind);
  one.name.set(view.name);
  one.detail.set(view.detail);
  one.pid = view.pid;
  one.restarts = view.restarts;
  one.since = to_epoch(view.since);
  one.state = view.state;
}

void Scoreboard::show_key_kinds(const std::vector<KeyKindView>& kinds) {
  PKI_CHECK(kinds.size() <= kMaxKeyKinds);
  for (std::size_t i = 0; i < kMaxKeyKinds; ++i) {
    auto& row = server_->key_kinds.at(i);
    const auto view = i < kinds.size() ? kinds[i] : KeyKindView();
    row.kind.set(view.kind);
    row.ready = view.ready;
    row.size = view.size;
  }
}

std::vector<KeyKindView> Scoreboard::key_kinds() const {
  std::vector<KeyKindView> views;
  for (const auto& one : server_->key_kinds) {
    if (one.size != 0) views.push_back({one.kind.text(), one.ready, one.size});
  }
  return views;
}

void Scoreboard::hide_process(std::size_t row) { process(row).state = ProcessState::Free; }

void Scoreboard::start_server(pid_t master, std::chrono::sys_seconds now) {
  server_->master = master;
  server_->started_at = to_epoch(now);
}

void Scoreboard::start_generation(std::chrono::sys_seconds now) {
  server_->loaded_at = to_epoch(now);
  server_->generation.fetch_add(1);
}

std::uint64_t Scoreboard::generation() const { return server_->generation.load(); }

void Scoreboard::count_accepted() { server_->accepted.fetch_add(1, std::memory_order_relaxed); }
void Scoreboard::count_refused() { server_->refused.fetch_add(1, std::memory_order_relaxed); }

}  // namespace chancery::base
