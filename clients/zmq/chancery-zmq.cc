// chancery-zmq: uPKI's two ports in front of chanceryd's socket. libzmq is no listener for strangers (PROMISES, sharp edges): it
// serves loopback only, behind a guard that counts and bounds what comes in (guard.h), in an expendable process with a memory
// limit that the master starts again when it ends.
#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "clients/lib/complaints.h"
#include "clients/zmq/backend.h"
#include "clients/zmq/broker.h"
#include "clients/zmq/guard.h"
#include "clients/zmq/seed_limit.h"
#include "clients/zmq/tasks.h"
#include "server/base/file.h"
#include "server/base/log.h"
#include "server/base/process.h"

namespace {

using namespace chancery;
using zmq_gateway::Port;

constexpr int kThreadsPerPort = 4;  ///< so that one slow key pair does not stall the others
constexpr std::int64_t kMaxFrameBytes = zmq_gateway::kMaxMessageBytes;
constexpr int kHandshakeMs = 2000;
constexpr int kHighWater = 100;
constexpr int kBacklog = 256;
constexpr rlim_t kMaxAddressSpace = rlim_t{1} << 30;  ///< the seat belt behind the guard
constexpr int kMallocArenas = 2;                      ///< glibc reserves 64 MB of addresses for each
constexpr std::size_t kInsideNameBytes = 16;
constexpr std::size_t kMaxSettings = 1 << 20;

struct Endpoint {
  std::string address;
  int port;
  std::string realm;
  int wrong_seeds_per_minute = 10;
};

struct Settings {
  std::string socket;
  std::string front_end;
  base::LogTarget log;
  std::vector<Endpoint> endpoints;
};

Result<Settings> read_settings(const Json& json) {
  Settings settings{json.text("socket"), json.text("front_end", "zmq"), {}, {}};
  if (const auto* log = json.find("log")) {
    settings.log.destination = log->text("destination", "stderr");
    PKI_TRY(settings.log.level, base::log_level_from_text(log->text("level", "info")));
  }
  const auto* endpoints = json.find("endpoints");
  if (endpoints == nullptr || !endpoints->is_array()) return Error(Code::BadConfig, "the settings have no endpoints");
  for (const auto& one : *endpoints->as_array()) {
    Endpoint endpoint{one.text("address"), static_cast<int>(one.integer("port")), one.text("realm")};
    endpoint.wrong_seeds_per_minute = static_cast<int>(one.integer("wrong_seeds_per_minute", endpoint.wrong_seeds_per_minute));
    if (endpoint.wrong_seeds_per_minute < 0) return Error(Code::BadConfig, "wrong_seeds_per_minute of an endpoint is below 0");
    // Everybody who reaches these ports is the realm's RA (UPKI.md 6.2): without CURVE that is this machine only.
    const bool loopback = endpoint.address.starts_with("127.") || endpoint.address == "::1" || endpoint.address == "localhost";
    if (!loopback)
      return Error(Code::BadConfig, "endpoint " + endpoint.address + " is not loopback, and these ports know no peers",
                   "use 127.0.0.1");
    settings.endpoints.push_back(std::move(endpoint));
  }
  return settings;
}

Result<std::string> read_descriptor(int fd) {
  std::string text;
  char part[4096];
  for (;;) {
    const auto got = ::read(fd, part, sizeof(part));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::io_error("read the settings", errno);
    if (got == 0) return text;
    text.append(part, static_cast<std::size_t>(got));
    if (text.size() > kMaxSettings) return Error(Code::TooLarge, "settings of more than 1 MiB");
  }
}

client::Complaints& complaints() {
  static client::Complaints all;
  return all;
}

/// One line for the first refusal of a kind, whatever the client's text is.
void complain_about(const zmq_gateway::Reply& reply, const std::string& realm) {
  static std::atomic<std::uint64_t> count{0};
  const auto& why = *reply.refusal;
  const bool is_ours = why.code() == Code::Io || why.code() == Code::StoreFailed || why.code() == Code::Internal;
  const auto known = reply.task.empty() || why.code() == Code::UnknownMethod ? "request" : "task " + reply.task;
  complaints().log(is_ours ? base::LogLevel::Warning : base::LogLevel::Info,
                   known + " " + std::string(base::describe(why.code()).text), {realm, "zmq", std::to_string(++count)},
                   known + " refused: " + zmq_gateway::failure_text(why));
}

/// A request as it comes from the broker: libzmq's name of the connection, the peer's address, the envelope with its empty frame,
/// the request. The guard lets nothing else through.
struct Question {
  std::vector<zmq::message_t> envelope;  ///< what goes before the answer
  std::string peer;
  zmq::message_t request;
};

Question read_question(zmq::socket_t& socket) {
  constexpr std::size_t kLeastFrames = 4;
  constexpr std::size_t kMostFrames = kLeastFrames + zmq_gateway::kMaxParts;
  Question question;
  auto& frames = question.envelope;
  do {
    PKI_CHECK(frames.size() < kMostFrames && socket.recv(frames.emplace_back()));
  } while (frames.back().more());
  PKI_CHECK(frames.size() >= kLeastFrames);
  question.request = std::move(frames.back());
  frames.pop_back();
  question.peer = frames[1].to_string();
  frames.erase(frames.begin() + 1);
  return question;
}

/// A DEALER, since a REP would hide the peer's address, which lies before the empty frame.
void answer_requests(zmq::context_t& context, const std::string& inner, zmq_gateway::SocketBackend& backend, Port port) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.connect(inner);
  zmq_gateway::report_for_work(socket);
  for (;;) {
    auto question = read_question(socket);
    const auto& request = question.request;
    backend.set_peer(std::move(question.peer));
    const auto reply = zmq_gateway::handle(backend, port, {static_cast<const char*>(request.data()), request.size()});
    if (reply.refusal) complain_about(reply, backend.realm());
    for (auto& frame : question.envelope) socket.send(frame, zmq::send_flags::sndmore);
    socket.send(zmq::buffer(reply.text), zmq::send_flags::none);
  }
}

[[noreturn]] void end_thread(const char* what, const std::exception& failure) {
  base::log_error(std::string(what) + " ends: " + failure.what());
  std::_Exit(base::to_int(base::Exit::Software));
}

/// As many peers of one port as there are descriptors for: libzmq spins when it cannot accept what has connected.
zmq_gateway::GuardLimits guard_limits(std::size_t ports) {
  constexpr std::size_t kOtherDescriptors = 64;
  constexpr std::size_t kDescriptorsOfAPeer = 3;  // outside, and both ends inside
  constexpr std::size_t kLeastPeers = 2;
  zmq_gateway::GuardLimits limits;
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return limits;
  const auto all = static_cast<std::size_t>(descriptors.rlim_cur);
  const auto room = (all - std::min(all, kOtherDescriptors)) / (kDescriptorsOfAPeer * ports);
  limits.peers = std::clamp(room, kLeastPeers, limits.peers);
  return limits;
}

/// One port: the guard for the peers, a ROUTER behind it that takes connections of this process alone, an inproc ROUTER for the
/// threads, and the broker between.
Status serve_port(zmq::context_t& context, const Settings& settings, const Endpoint& endpoint, Port port,
                  const std::shared_ptr<zmq_gateway::SeedLimit>& seeds) {
  const int number = endpoint.port + (port == Port::Registration ? 1 : 0);
  const auto inside = "chancery-zmq-" + base::to_hex(base::random_bytes(kInsideNameBytes));
  PKI_TRY(auto guard, zmq_gateway::Guard::listen(endpoint.address, number, inside, guard_limits(2 * settings.endpoints.size())));
  zmq::socket_t outer(context, zmq::socket_type::router);
  outer.set(zmq::sockopt::maxmsgsize, kMaxFrameBytes);
  outer.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  outer.set(zmq::sockopt::rcvhwm, kHighWater);
  outer.set(zmq::sockopt::sndhwm, kHighWater);
  outer.set(zmq::sockopt::linger, 0);
  outer.set(zmq::sockopt::backlog, kBacklog);
  const pid_t ourselves = ::getpid();
  PKI_CHECK(::zmq_setsockopt(outer.handle(), ZMQ_IPC_FILTER_PID, &ourselves, sizeof ourselves) == 0);
  outer.bind("ipc://@" + inside);
  const auto inner_name = "inproc://port-" + std::to_string(number);
  auto inner = std::make_unique<zmq::socket_t>(context, zmq::socket_type::router);
  inner->bind(inner_name);
  for (int i = 0; i < kThreadsPerPort; ++i) {
    std::thread([&context, inner_name, port, &settings, &endpoint, seeds] {
      try {
        zmq_gateway::SocketBackend backend(settings.socket, settings.front_end, endpoint.realm, *seeds);
        answer_requests(context, inner_name, backend, port);
      } catch (const std::exception& failure) {
        end_thread("thread", failure);
      }
    }).detach();
  }
  std::thread([outside = std::move(outer), inner_end = std::move(inner)]() mutable {
    try {
      zmq_gateway::hand_out(outside, *inner_end);
    } catch (const std::exception& failure) {
      end_thread("broker", failure);
    }
  }).detach();
  std::thread([held = std::move(guard)] {
    try {
      held->run(complaints());
    } catch (const std::exception& failure) {
      end_thread("guard", failure);
    }
  }).detach();
  base::log_info("serves " + endpoint.address + " port " + std::to_string(number) + " for realm " + endpoint.realm);
  return {};
}

/// A bound on memory; as many descriptors as there may be, since a peer takes three of them.
void limit_resources() {
#ifndef __SANITIZE_ADDRESS__  // whose shadow takes terabytes of addresses
  const rlimit memory{kMaxAddressSpace, kMaxAddressSpace};
  ::setrlimit(RLIMIT_AS, &memory);
#endif
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return;
  descriptors.rlim_cur = descriptors.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &descriptors);
}

/// Until the master is gone or SIGTERM comes.
int wait_for_end(int life) {
  pollfd waiting{life, POLLIN, 0};
  while (::poll(&waiting, life >= 0 ? 1 : 0, -1) < 0 && errno == EINTR) {
  }
  return base::to_int(base::Exit::Ok);
}

void end_at_once(int /*signal*/) { std::_Exit(0); }

struct Arguments {
  int config_fd = -1;
  int life_fd = -1;
  std::string config_file;
};

Result<int> number_from(const std::string& text) {
  int value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc() && end == text.data() + text.size()) return value;
  return Error(Code::InvalidParams, "\"" + text + "\" is no descriptor");
}

Result<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--config-fd") {
      PKI_TRY(arguments.config_fd, number_from(argv[i + 1]));
    } else if (name == "--life-fd") {
      PKI_TRY(arguments.life_fd, number_from(argv[i + 1]));
    } else if (name == "--config") {
      arguments.config_file = argv[i + 1];
    } else {
      return Error(Code::InvalidParams, "unknown option " + std::string(name));
    }
  }
  if (arguments.config_fd < 0 && arguments.config_file.empty()) {
    return Error(Code::InvalidParams, "neither --config-fd nor --config", "chancery-zmq is started by chanceryd");
  }
  return arguments;
}

Result<Settings> load(const Arguments& arguments) {
  PKI_TRY(const auto text, arguments.config_file.empty() ? read_descriptor(arguments.config_fd)
                                                         : base::read_file(arguments.config_file, kMaxSettings));
  PKI_TRY(const auto json, wire::parse_json(text));
  return read_settings(json);
}

int complain(const Error& error) {
  std::fprintf(stderr, "chancery-zmq: %s\n", base::to_line(error).c_str());
  return base::describe(error.code()).exit_status;
}

int run(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--help") {
    std::puts("usage: chancery-zmq {--config-fd N | --config FILE} [--life-fd N]\n       chancery-zmq --help");
    return base::to_int(base::Exit::Ok);
  }
  const auto arguments = parse(argc, argv);
  if (!arguments.ok()) return complain(arguments.error());
  const auto settings = load(*arguments);
  if (!settings.ok()) return complain(settings.error());
  if (const auto log = base::open_log(settings->log, "zmq"); !log.ok()) return complain(log.error());
  limit_resources();
  ::mallopt(M_ARENA_MAX, kMallocArenas);
  ::signal(SIGTERM, end_at_once);
  ::signal(SIGINT, end_at_once);
  ::signal(SIGPIPE, SIG_IGN);
  base::set_title("chancery-zmq");
  zmq::context_t context(1);
  for (const auto& endpoint : settings->endpoints) {
    const auto seeds = std::make_shared<zmq_gateway::SeedLimit>(endpoint.wrong_seeds_per_minute);  // register is on both ports
    for (const auto port : {Port::Operations, Port::Registration}) {
      const auto served = serve_port(context, *settings, endpoint, port, seeds);
      if (served.ok()) continue;
      base::log_error(base::to_line(served.error()));
      std::_Exit(base::describe(served.error().code()).exit_status);  // threads of an earlier port are at work
    }
  }
  // Threads may wait inside libzmq for ever: the process ends as a whole.
  std::_Exit(wait_for_end(arguments->life_fd));
}

}  // namespace

int main(int argc, char** argv) {
  base::remember_arguments(argc, argv);
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "chancery-zmq: %s\n", failure.what());
    return base::to_int(base::Exit::Unavailable);
  }
}
