// The keymaker: makes RSA key pairs in advance, when the processors have nothing better to do, and gives each to one worker.
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <list>
#include <map>
#include <mutex>
#include <thread>

#include "server/base/landlock.h"
#include "server/base/log.h"
#include "server/base/no_processes.h"
#include "server/base/process.h"
#include "server/base/text.h"
#include "server/worker/key_demand.h"
#include "server/worker/key_pool.h"
#include "server/worker/key_source.h"
#include "server/worker/start.h"
#include "server/worker/stop_signal.h"

namespace chancery::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMostAskers = 64;  ///< at a time; the one that has waited longest goes
constexpr milliseconds kAskLimit{2000};  ///< for one line

/// The pool, and a thread that fills it.
class Maker {
 public:
  Maker(const KeyDemand& demand, base::Scoreboard& board) : demand_(demand), board_(board), pool_(demand.kinds, demand.size) {
    show();
    thread_ = std::thread([this] { run(); });
  }
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;
  ~Maker() {
    enough_ = true;
    {
      const std::lock_guard lock(mutex_);  // so that the thread is not between its look at `enough_` and its wait
    }
    taken_.notify_all();
    thread_.join();
    board_.show_key_kinds({});
  }

  std::optional<crypto::PrivateKey> take(const base::KeySpec& spec, const RealmName& realm) {
    const std::lock_guard lock(mutex_);
    auto pair = pool_.take(spec, realm);
    show();
    taken_.notify_all();
    return pair;
  }

 private:
  void run() {
    base::give_way();
    while (const auto spec = next()) {
      auto pair = crypto::PrivateKey::generate(*spec, &enough_);
      if (pair.ok()) {
        put(std::move(pair).value());
      } else if (!enough_) {
        base::log_error("no more key pairs: " + pair.error().message());
        std::_Exit(base::to_int(base::Exit::Temporary));  // the master starts another one
      }
    }
  }

  /// Waits until a pair is wanted; none when it is time to end.
  std::optional<base::KeySpec> next() {
    std::unique_lock lock(mutex_);
    std::optional<base::KeySpec> spec;
    taken_.wait(lock, [&] { return enough_ || (spec = pool_.wanted()).has_value(); });
    return enough_ ? std::nullopt : spec;
  }

  void put(crypto::PrivateKey pair) {
    const std::lock_guard lock(mutex_);
    pool_.put(std::move(pair));
    show();
  }

  void show() {
    std::vector<base::KeyKindView> views;
    for (const auto& kind : demand_.kinds) views.push_back({base::to_text(kind.spec), pool_.ready(kind.spec), pool_.size()});
    board_.show_key_kinds(views);
  }

  const KeyDemand& demand_;
  base::Scoreboard& board_;
  std::mutex mutex_;
  std::condition_variable taken_;
  std::atomic<bool> enough_{false};
  KeyPool pool_;
  std::thread thread_;  ///< last: it uses all of the above
};

/// What workers show.
using Passes = std::map<RealmName, SecretBytes>;

/// "REALM PASS" lines. @errors Io; Malformed.
Result<Passes> read_passes(int file) {
  struct stat found {};
  if (::fstat(file, &found) != 0) return base::io_error("the workers' passes", errno);
  Bytes octets(static_cast<std::size_t>(found.st_size));
  const auto got = ::pread(file, octets.data(), octets.size(), 0);
  const SecretBytes content(std::move(octets));
  if (got != found.st_size) return base::io_error("the workers' passes", errno);
  Passes passes;
  for (auto rest = base::as_text(content.view()); !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    const auto blank = std::min(line.find(' '), line.size());
    PKI_TRY(auto realm, RealmName::parse(line.substr(0, blank)));
    passes.emplace(std::move(realm), SecretBytes(line.substr(std::min(blank + 1, line.size()))));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return passes;
}

/// A worker that has connected: one line from it, one pair or nothing to it, and the end.
struct Asker {
  base::UniqueFd socket;
  steady_clock::time_point until;
  std::string said = {};
};

class Counter {
 public:
  Counter(const KeymakerStart& start, const Passes& passes, Maker& maker, const StopSignal& stop)
      : start_(start), passes_(passes), maker_(maker), stop_(stop) {}

  /// Until SIGTERM or the master's end.
  void run() {
    for (;;) {
      std::vector<pollfd> waiting{{start_.life.get(), POLLIN, 0}, {start_.listener, POLLIN, 0}};
      for (const auto& one : askers_) waiting.push_back({one.socket.get(), POLLIN, 0});
      const timespec limit{kAskLimit.count() / 1000, 0};
      const int ready = ::ppoll(waiting.data(), waiting.size(), askers_.empty() ? nullptr : &limit, &stop_.waiting_mask());
      if (StopSignal::asked() || waiting[0].revents != 0) return;
      if (ready > 0) hear(std::span(waiting).subspan(2));
      std::erase_if(askers_, [now = steady_clock::now()](const Asker& one) { return one.until <= now; });
      if (ready > 0 && waiting[1].revents != 0) accept();
    }
  }

 private:
  void hear(std::span<const pollfd> waiting) {
    auto one = askers_.begin();
    for (const auto& seen : waiting) {
      const auto current = one++;
      if (seen.revents != 0 && !goes_on(*current)) askers_.erase(current);
    }
  }

  void accept() {
    base::UniqueFd socket(::accept4(start_.listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    const auto peer = base::peer_credentials(socket.get());
    if (!peer.ok() || (peer->uid != ::geteuid() && peer->uid != 0))
      return base::log_warning("connection of another user refused");
    if (askers_.size() >= kMostAskers) askers_.pop_front();
    askers_.push_back({std::move(socket), steady_clock::now() + kAskLimit});
  }

  /// @return whether the rest of its line may still come.
  bool goes_on(Asker& asker) {
    std::array<char, kMaxAskBytes> part{};
    const auto got = ::recv(asker.socket.get(), part.data(), part.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) return false;
    asker.said.append(part.data(), static_cast<std::size_t>(got));
    const auto end = asker.said.find('\n');
    if (end == std::string::npos) return asker.said.size() < kMaxAskBytes;
    answer(asker, std::string_view(asker.said).substr(0, end));
    return false;
  }

  /// Without a word more than the pair: why there is none is nobody's business, and who asked makes one of its own.
  void answer(const Asker& asker, std::string_view line) {
    const auto asked = read_ask(line);
    if (!asked.ok() || !has_pass(*asked)) return base::log_warning("a connection without a realm's pass ended");
    const auto pair = maker_.take(asked->spec, asked->realm);
    if (!pair) return;
    const auto pem = pair->to_pem();
    // It fits into the empty buffer of a new socket. A pair that does not arrive is lost: nobody else ever gets it.
    (void)::send(asker.socket.get(), pem.view().data(), pem.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  bool has_pass(const Ask& asked) const {
    const auto its_own = passes_.find(asked.realm);
    return its_own != passes_.end() && base::equal_in_constant_time(base::as_bytes(asked.pass), its_own->second.view());
  }

  const KeymakerStart& start_;
  const Passes& passes_;
  Maker& maker_;
  const StopSignal& stop_;
  std::list<Asker> askers_;
};

/// Room for all pairs and for the one that is in the making.
void keep_pairs_apart(const KeyDemand& demand) {
  constexpr std::size_t kLeast = 1 << 18;
  std::size_t octets = kLeast;
  // d has as many octets as the modulus, each of the five others half; OpenSSL rounds up to powers of two.
  for (const auto& kind : demand.kinds) octets += demand.size * 8 * static_cast<std::size_t>(kind.spec.bits) / 8;
  if (!crypto::keep_keys_apart(std::bit_ceil(octets)))
    base::log_info("RLIMIT_MEMLOCK does not let the key pool's memory be locked: keys may be swapped");
}

/// Files: none but the log and what libraries read. Processes and sockets: none.
Status confine(const config::ServerConfig& server) {
  using Access = base::Landlock::Access;
  const base::Landlock landlock;
  for (const auto* path : {"/etc", "/usr", "/lib", "/dev/urandom"}) landlock.allow(path, Access::Read);
  if (server.log_destination.starts_with('/')) landlock.allow(server.log_destination, Access::Write);
  PKI_TRY([[maybe_unused]] const bool enforced, landlock.enforce());
  PKI_TRY_VOID(base::forbid_processes());
  return base::forbid_sockets();
}

}  // namespace

int run_keymaker(KeymakerStart start) {
  base::set_title("chanceryd: keymaker");
  if (!base::continue_log("keymaker").ok()) return base::to_int(base::Exit::Io);
  if (!base::forbid_dumps().ok()) return base::to_int(base::Exit::Os);
  const auto passes = read_passes(start.passes.get());
  start.passes.reset();
  if (!passes.ok()) {
    base::log_error(base::to_line(passes.error()));
    return base::to_int(base::Exit::Io);
  }
  const auto demand = key_demand(*start.snapshot);
  for (const auto& spec : demand.left_out)
    base::log_warning("no pairs of kind " + base::to_text(spec) + " are kept ready: the profiles ask for more kinds than " +
                      std::to_string(base::Scoreboard::kMaxKeyKinds));
  const StopSignal stop;
  keep_pairs_apart(demand);
  if (const auto confined = confine(start.snapshot->server); !confined.ok()) base::log_warning(confined.error().message());
  Maker maker(demand, *start.board);
  Counter(start, *passes, maker, stop).run();
  return base::to_int(base::Exit::Ok);  // the pool wipes its keys
}

}  // namespace chancery::worker
