#include "server/signer/serve.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/ready_words.h"
#include "server/base/text.h"
#include "server/base/wiping.h"
#include "server/config/load.h"
#include "server/crypto/block_list.h"
#include "server/signer/confine.h"
#include "server/signer/conversations.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kThreads = 16;
constexpr unsigned kGraceSeconds = 4;     ///< for the requests in hand; the master waits for five
constexpr unsigned kOrphanedSeconds = 1;  ///< the same when the master is gone (PROMISES D17: two)
constexpr std::chrono::milliseconds kPauseWhenFull{100};
constexpr std::chrono::seconds kPatience{5};  ///< with another signer that holds the journal
constexpr std::chrono::milliseconds kLockPause{20};
constexpr std::size_t kMaxReason = 900;  ///< of the ready line

volatile std::sig_atomic_t stop_asked = 0;
volatile std::sig_atomic_t reload_asked = 0;
int wake_pipe = -1;

void wake_up() { [[maybe_unused]] const auto wrote = ::write(wake_pipe, "", 1); }

void on_signal(int signal) {
  const int before = errno;
  (signal == SIGHUP ? reload_asked : stop_asked) = 1;
  wake_up();
  errno = before;
}

void catch_signals(int wake) {
  wake_pipe = wake;
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is a full disk, not an end
}

Result<std::shared_ptr<const config::RealmConfig>> load(const RealmName& name, const base::Path& directory) {
  std::vector<config::Finding> findings;
  auto realm = config::load_realm(name, directory, findings);
  if (realm != nullptr) return realm;
  std::erase_if(findings, [](const config::Finding& one) { return one.severity != config::Finding::Error; });
  // The first is the error, which whoever called says; the others are said here.
  for (std::size_t i = 1; i < findings.size(); ++i) base::log_error(config::to_line(findings[i]));
  return Error(Code::BadConfig, findings.empty() ? "the realm's configuration does not hold" : config::to_line(findings.front()));
}

Status refuse_listed(const config::RealmConfig& realm) {
  PKI_TRY(auto lists, crypto::open_block_lists(realm.key_block_lists));
  crypto::refuse_listed_keys(std::move(lists));
  return {};
}

/// One realm's signer, while it serves.
class Service {
 public:
  Service(Issuer& issuer, const Serve& start, int wake)
      : issuer_(issuer), start_(start), wake_(wake), conversations_(issuer, clock_, start.pass.view(), kThreads) {
    issuer_.on_change([] { wake_up(); });
    issuer_.watch();
  }

  /// Tells the master whether the key signs, when that is news. @errors Closed, Io: there is no master.
  Status announce() {
    const auto obstacle = issuer_.unready();
    if (said_ == obstacle) return {};
    const auto line = obstacle.empty() ? std::string(base::kReadyWord)
                                       : std::string(base::kUnreadyWord) + base::printable(obstacle, kMaxReason);
    said_ = obstacle;
    return base::write_all(start_.ready.get(), base::as_bytes(line + "\n"));
  }

  /// @return the seconds that the requests in hand may still take.
  unsigned run() {
    for (;;) {
      if (stop_asked != 0) return kGraceSeconds;
      if (reload_asked != 0) reload();
      if (!announce().ok()) return kOrphanedSeconds;
      std::array<pollfd, 4> waiting{{{wake_, POLLIN, 0},
                                     {start_.life.get(), POLLIN, 0},
                                     {start_.listener.get(), POLLIN, 0},
                                     {conversations_.descriptor(), POLLIN, 0}}};
      if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
      if (waiting[0].revents != 0) drain();
      if (waiting[1].revents != 0) return kOrphanedSeconds;
      if (waiting[2].revents != 0) accept();
      if (waiting[3].revents != 0) conversations_.hand_over();
    }
  }

 private:
  void drain() const {
    std::array<char, 64> drained{};
    [[maybe_unused]] const auto got = ::read(wake_, drained.data(), drained.size());
  }

  void reload() {
    reload_asked = 0;
    auto realm = load(start_.realm, start_.directory);
    const auto listed = realm.ok() ? refuse_listed(**realm) : Status(realm.error());
    if (listed.ok()) issuer_.replace_realm(*realm);
    issuer_.look_again();
    base::log_info(listed.ok() ? "profiles read anew" : "the profiles stay as they were: " + listed.error().message());
  }

  void accept() {
    base::UniqueFd connection(::accept4(start_.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) {
      // Without a descriptor for it the connection stays where it is, and poll would say so at once again (PROMISES D6).
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) std::this_thread::sleep_for(kPauseWhenFull);
      return;
    }
    if (is_worker(connection.get())) return conversations_.take(std::move(connection));
    base::log_warning("connection of another user refused");
  }

  bool is_worker(int connection) const {
    const auto peer = base::peer_credentials(connection);
    return peer.ok() && (peer->uid == ::geteuid() || peer->uid == 0 || peer->uid == start_.worker_uid);
  }

  Issuer& issuer_;
  const Serve& start_;
  int wake_;
  std::optional<std::string> said_;  ///< the obstacle of which the master knows
  base::SystemClock clock_;
  Conversations conversations_;
};

/// What would fail the same way again, until somebody mends it, is the configuration's fault (Exit::Config is never restarted).
base::Exit status_of(Code code) {
  if (code == Code::Busy) return base::Exit::Temporary;
  return code == Code::Io ? base::Exit::Io : base::Exit::Config;
}

int fail(const Serve& start, const Error& why) {
  const auto line = std::string(base::kFailedWord) + base::printable(base::to_line(why), kMaxReason) + "\n";
  // The master logs what it is told; a log that says everything twice is read by nobody.
  const bool is_told = base::write_all(start.ready.get(), base::as_bytes(line)).ok() && base::to_line(why).size() <= kMaxReason;
  if (!is_told) base::log_error(base::to_line(why));
  return base::to_int(status_of(why.code()));
}

/// A signer whose master was killed ends within moments, but a new master may be quicker: its signer waits for the journal.
Result<std::unique_ptr<Issuer>> open_issuer(const std::shared_ptr<const config::RealmConfig>& realm) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto issuer = Issuer::open(realm, base::SystemClock().now());
    const bool held = !issuer.ok() && issuer.error().code() == Code::Busy;
    if (!held || stop_asked != 0 || std::chrono::steady_clock::now() >= deadline) return issuer;
    std::this_thread::sleep_for(kLockPause);
  }
}

}  // namespace

int serve(Serve start) {
  base::set_title("chancery-signer: " + start.realm.text());
  if (const auto hidden = base::forbid_dumps(); !hidden.ok()) return fail(start, hidden.error());
  base::wipe_freed_memory();
  base::raise_descriptor_limit();  // one for each worker
  auto wake = base::make_pipe();
  if (!wake.ok()) return fail(start, wake.error());
  catch_signals(wake->write.get());
  const auto realm = load(start.realm, start.directory);
  if (!realm.ok()) return fail(start, realm.error());
  if (const auto listed = refuse_listed(**realm); !listed.ok()) return fail(start, listed.error());
  auto issuer = open_issuer(*realm);
  if (!issuer.ok()) return fail(start, issuer.error());
  confine_files(**realm, start.log_destination);
  {
    Service service(**issuer, start, wake->read.get());
    if (const auto confined = confine_calls(); !confined.ok()) return fail(start, confined.error());
    if (!service.announce().ok()) return base::to_int(base::Exit::Io);
    ::alarm(service.run());  // SIGALRM ends whatever takes longer; the journal remembers what it was
  }
  issuer->reset();  // wipes the key (PROMISES D17)
  base::log_info("ends");
  return base::to_int(base::Exit::Ok);
}

}  // namespace chancery::signer
