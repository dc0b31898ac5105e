#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "server/base/log.h"
#include "server/base/no_processes.h"
#include "server/base/process.h"
#include "server/base/wiping.h"
#include "server/wire/message.h"
#include "server/worker/dispatch.h"
#include "server/worker/login_runner.h"
#include "server/worker/stop_signal.h"

namespace chancery::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kReplyLimit{30000};  ///< PROMISES D9

enum class Wake { Input, Quiet, MasterGone, Stopping };

/// Waits for the client's next octet, the master's end, or SIGTERM.
Wake wait_for_request(const WorkerStart& start, const StopSignal& stop, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  for (;;) {
    if (StopSignal::asked()) return Wake::Stopping;
    const auto left = std::max(milliseconds{0}, std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()));
    const timespec timeout{left.count() / 1000, left.count() % 1000 * 1000000};
    pollfd waiting[2] = {{start.client.get(), POLLIN, 0}, {start.life.get(), POLLIN, 0}};
    const int ready = ::ppoll(waiting, 2, &timeout, &stop.waiting_mask());
    if (ready < 0 && errno != EINTR) return Wake::MasterGone;
    if (ready == 0) return Wake::Quiet;
    if (ready > 0 && waiting[1].revents != 0) return Wake::MasterGone;
    if (ready > 0 && waiting[0].revents != 0) return Wake::Input;
  }
}

/// The last words to a client that is to go.
void farewell(int client, const Error& why) {
  (void)wire::write_line(client, wire::encode_error(Json(), why), milliseconds{1000});
}

/// How long a connection may still wait: for its next request, and before session.open, whatever it sends, in all. What never
/// binds itself to a realm only takes up a worker (PROMISES D9).
class Patience {
 public:
  explicit Patience(const config::Limits& limits) : limits_(limits), open_by_(steady_clock::now() + limits.unopened_timeout) {}
  milliseconds for_request(const Session& session) const { return at_most(session, limits_.idle_timeout); }
  milliseconds for_line(const Session& session) const { return at_most(session, limits_.request_timeout); }
  static Error end(const Session& session) {
    return session.is_open()
               ? Error(Code::Timeout, "no request within the idle limit", std::string(wire::kConnectAgain))
               : Error(Code::Timeout, "no session.open within the limit for unopened sessions", std::string(wire::kConnectAgain));
  }

 private:
  milliseconds at_most(const Session& session, milliseconds limit) const {
    if (session.is_open()) return limit;
    const auto left = std::chrono::duration_cast<milliseconds>(open_by_ - steady_clock::now());
    return std::clamp(left, milliseconds{0}, limit);
  }

  const config::Limits& limits_;
  steady_clock::time_point open_by_;
};

/// Why the session ends before it reads another request, if it does.
std::optional<Error> reason_to_end(const Session& session, steady_clock::time_point session_end) {
  const std::string hint(wire::kConnectAgain);
  if (steady_clock::now() >= session_end) return Error(Code::Timeout, "the session has reached its longest life", hint);
  if (session.is_outdated()) return Error(Code::Timeout, "the configuration of this session is no longer in force", hint);
  return std::nullopt;
}

/// One line in, one line out. @return whether the connection goes on.
bool serve_one(const WorkerStart& start, Session& session, wire::LineReader& reader, milliseconds limit) {
  const auto line = reader.next(limit);
  if (!line.ok()) {
    if (line.error().code() != Code::Closed) {
      base::log_info("connection ended: " + line.error().message());
      farewell(start.client.get(), line.error());
    }
    return false;
  }
  start.board->begin_request(start.slot);
  const auto reply = dispatch(session, *line);
  const auto sent = wire::write_line(start.client.get(), reply, kReplyLimit);
  start.board->set_state(start.slot, base::WorkerState::Idle);
  return sent.ok() && !session.closing;
}

int serve(WorkerStart& start) {
  const StopSignal stop;
  const base::SystemClock clock;
  const auto& limits = start.snapshot->server.limits;
  const auto session_end = steady_clock::now() + limits.session_lifetime;
  Session session(start, clock);
  const Patience patience(limits);
  wire::LineReader reader(start.client.get(), wire::kMaxLineBytes);
  for (int served = 0; served < limits.max_requests_per_worker; ++served) {
    if (!reader.has_line()) {
      const auto wake = wait_for_request(start, stop, patience.for_request(session));
      if (wake == Wake::MasterGone || wake == Wake::Stopping) return base::to_int(base::Exit::Ok);
      if (wake == Wake::Quiet) {
        farewell(start.client.get(), Patience::end(session));
        return base::to_int(base::Exit::Ok);
      }
    }
    if (const auto why = reason_to_end(session, session_end)) {
      farewell(start.client.get(), *why);
      return base::to_int(base::Exit::Ok);
    }
    if (StopSignal::asked() || !serve_one(start, session, reader, patience.for_line(session)))
      return base::to_int(base::Exit::Ok);
  }
  return base::to_int(base::Exit::Ok);
}

}  // namespace

int run_worker(WorkerStart start) {
  base::set_title("chanceryd: worker");
  if (!base::continue_log("worker").ok()) return base::to_int(base::Exit::Io);
  (void)base::forbid_dumps();
  base::wipe_freed_memory();
  auto runner = start_login_runner(start.snapshot);
  if (runner.ok()) start.login_runner = std::move(*runner);
  if (!runner.ok()) base::log_warning(runner.error().message());
  // PROMISES D8, D34: whoever takes over a worker finds no way to another process.
  if (const auto forbidden = base::forbid_processes(); !forbidden.ok()) base::log_warning(forbidden.error().message());
  return serve(start);
}

std::string refusal_line(Code code, std::string_view message) {
  return wire::encode_error(Json(), Error(code, std::string(message), "try again later")) + "\n";
}

}  // namespace chancery::worker
