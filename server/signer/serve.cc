#include "server/signer/serve.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/config/load.h"
#include "server/signer/operations.h"
#include "server/wire/message.h"

namespace chancery::signer {
namespace {

constexpr int kMaxConnections = 512;  ///< a thread each, that waits most of its life
constexpr std::chrono::milliseconds kFrameLimit{30000};
constexpr std::chrono::hours kIdleLimit{24};

volatile std::sig_atomic_t stop_asked = 0;
volatile std::sig_atomic_t reload_asked = 0;
int wake_pipe = -1;

void on_signal(int signal) {
  const int before = errno;
  (signal == SIGHUP ? reload_asked : stop_asked) = 1;
  [[maybe_unused]] const auto wrote = ::write(wake_pipe, "", 1);
  errno = before;
}

void catch_signals(int wake) {
  wake_pipe = wake;
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

Result<std::shared_ptr<const config::RealmConfig>> load(const RealmName& name, const base::Path& directory) {
  std::vector<config::Finding> findings;
  auto realm = config::load_realm(name, directory, findings);
  if (realm != nullptr) return realm;
  for (const auto& finding : findings) base::log_error(config::to_line(finding));
  return Error(Code::BadConfig, findings.empty() ? "the realm's configuration does not hold" : config::to_line(findings.front()));
}

/// Only this user's processes and root's are answered.
bool is_own_peer(int connection) {
  const auto peer = base::peer_credentials(connection);
  return peer.ok() && (peer->uid == ::geteuid() || peer->uid == 0);
}

/// One worker's connection: requests are answered in order. A bad frame of our own process ends it.
void converse(Issuer& issuer, base::UniqueFd connection) {
  const base::SystemClock clock;
  wire::LineReader reader(connection.get(), wire::kMaxReplyBytes);
  for (;;) {
    const auto line = reader.next(kIdleLimit);
    if (!line.ok()) {
      if (line.error().code() != Code::Closed) base::log_error("connection ended: " + line.error().message());
      return;
    }
    const auto reply = operate(issuer, clock, *line);
    if (!reply.ok()) {
      base::log_error("bad frame: " + reply.error().message());
      return;
    }
    if (!wire::write_line(connection.get(), *reply, kFrameLimit).ok()) return;
  }
}

/// Counts down when a connection's thread ends, however it ends.
struct Counted {
  std::atomic<int>& count;
  explicit Counted(std::atomic<int>& c) : count(c) {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count; }
};

void start_conversation(Issuer& issuer, base::UniqueFd connection, std::atomic<int>& connections) {
  if (!is_own_peer(connection.get()) || connections >= kMaxConnections) {
    base::log_warning("connection refused");
    return;
  }
  ++connections;
  std::thread([&issuer, &connections, held = std::move(connection)]() mutable {
    const Counted counted(connections);
    try {
      converse(issuer, std::move(held));
    } catch (const std::exception& bug) {
      base::log_error(std::string("bug: ") + bug.what());
      std::_Exit(base::to_int(base::Exit::Software));
    }
  }).detach();
}

void reload(Issuer& issuer, const Serve& start) {
  reload_asked = 0;
  auto realm = load(start.realm, start.directory);
  if (realm.ok()) issuer.replace_realm(std::move(realm).value());
  base::log_info(realm.ok() ? "profiles read anew" : "the profiles stay as they were: " + realm.error().message());
}

int accept_until_stopped(Issuer& issuer, const Serve& start, int wake) {
  std::atomic<int> connections{0};
  for (;;) {
    if (stop_asked != 0) return base::to_int(base::Exit::Ok);
    if (reload_asked != 0) reload(issuer, start);
    pollfd waiting[3] = {{start.listener.get(), POLLIN, 0}, {start.life.get(), POLLIN, 0}, {wake, POLLIN, 0}};
    if (::poll(waiting, 3, -1) < 0) continue;
    char drained[64];
    if (waiting[2].revents != 0) [[maybe_unused]] const auto got = ::read(wake, drained, sizeof(drained));
    if (waiting[1].revents != 0) return base::to_int(base::Exit::Ok);
    if (waiting[0].revents == 0) continue;
    base::UniqueFd connection(::accept4(start.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection) start_conversation(issuer, std::move(connection), connections);
  }
}

int fail(const Serve& start, const Error& why) {
  const auto line = "failed " + base::to_line(why) + "\n";
  (void)base::write_all(start.ready.get(), base::as_bytes(line));
  base::log_error(base::to_line(why));
  return base::to_int(base::describe(why.code()).exit_status == base::to_int(base::Exit::Temporary) ? base::Exit::Temporary : base::Exit::Config);
}

}  // namespace

int serve(Serve start) {
  base::set_title("chancery-signer: " + start.realm.text());
  if (const auto hidden = base::forbid_dumps(); !hidden.ok()) return fail(start, hidden.error());
  auto wake = base::make_pipe();
  if (!wake.ok()) return fail(start, wake.error());
  catch_signals(wake->write.get());
  auto realm = load(start.realm, start.directory);
  if (!realm.ok()) return fail(start, realm.error());
  auto issuer = Issuer::open(std::move(realm).value());
  if (!issuer.ok()) return fail(start, issuer.error());
  if (!base::write_all(start.ready.get(), base::as_bytes("ready\n")).ok()) return base::to_int(base::Exit::Io);
  start.ready.reset();
  const int status = accept_until_stopped(**issuer, start, wake->read.get());
  // Threads may be in the middle of a request: the process ends as a whole, and the journal is the memory.
  base::log_info("ends");
  std::_Exit(status);
}

}  // namespace chancery::signer
