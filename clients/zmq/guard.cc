#include "clients/zmq/guard.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>

#include "clients/zmq/curve.h"
#include "clients/zmq/dialect.h"
#include "clients/zmq/greeting.h"
#include "server/base/address.h"
#include "server/base/socket_address.h"

namespace chancery::zmq_gateway {
namespace {

using std::chrono::milliseconds;

constexpr int kBacklog = 256;
constexpr int kMostAtOnce = 64;  ///< accepted peers before the others are served again
constexpr std::size_t kPartBytes = 16 * 1024;
constexpr std::uint64_t kMostCommandsAtOnce = 16;  ///< an honest peer says READY once and PING now and then
constexpr milliseconds kAcceptPause{200};          ///< PROMISES D6
constexpr milliseconds kLongestRound{10'000};
constexpr std::uint64_t kOwnMessages = std::numeric_limits<std::uint64_t>::max();

void set_option(int socket, int level, int option, int value) { ::setsockopt(socket, level, option, &value, sizeof value); }

/// Half-open peers vanish (PROMISES D10).
void tune(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

Error closed() { return {Code::Closed, "the peer closed the connection"}; }

/// Appends what can be read now. @errors Closed: end or reset.
Status receive(int socket, std::string& into) {
  std::array<char, kPartBytes> part{};
  const auto got = ::recv(socket, part.data(), part.size(), MSG_DONTWAIT);
  if (got > 0) into.append(part.data(), static_cast<std::size_t>(got));
  if (got == 0) return closed();
  if (got < 0 && errno != EAGAIN && errno != EINTR) return closed();
  return {};
}

/// Sends what goes now and removes it. @errors Closed.
Status send_some(int socket, std::string& from) {
  const auto sent = ::send(socket, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return closed();
  if (sent > 0) from.erase(0, static_cast<std::size_t>(sent));
  return {};
}

}  // namespace

struct Guard::Peer {
  enum class State : std::uint8_t { Greeting, Idle, Receiving, Answering, Sending };
  Peer(base::UniqueFd socket, std::string from) : outside(std::move(socket)), address(std::move(from)) {}

  base::UniqueFd outside;
  base::UniqueFd inside;  ///< once the greeting has said which
  std::string address;
  Greeting greeting;
  std::unique_ptr<Follower> requests;  ///< once there is an inside
  std::unique_ptr<Follower> answers;
  std::size_t opened = 0;  ///< octets of a greeting that the guard has sent in libzmq's place
  std::string held;        ///< read, but behind the request in hand
  std::string own_answer;  ///< to a message that libzmq never saw; waits for its turn
  std::string to_inside;   ///< scanned
  std::string to_outside;
  bool answer_is_due = false;
  bool has_asked = false;
  State state = State::Greeting;
  Time since{};

  bool may_take() const { return (!answer_is_due || requests->reads_on()) && own_answer.empty(); }
  bool may_read() const { return may_take() && to_inside.empty() && held.empty(); }
  /// Between two frames of libzmq's, and behind its handshake: no peer reads a message before.
  bool may_answer() const { return answers->commands() > 0 && !answers->is_inside() && to_outside.empty(); }
  bool may_be_evicted() const { return state == State::Greeting || state == State::Idle || state == State::Receiving; }
  State state_now() const {
    if (!to_outside.empty()) return State::Sending;
    if (answer_is_due || !own_answer.empty()) return State::Answering;
    if (!requests || !requests->has_greeted()) return State::Greeting;
    return requests->is_inside() ? State::Receiving : State::Idle;
  }
  /// Zero: no limit.
  milliseconds limit(const GuardLimits& limits) const {
    switch (state) {
      case State::Greeting: return limits.greeting;
      case State::Receiving: return limits.message;
      case State::Answering: return limits.answer;
      case State::Sending: return limits.sending;
      case State::Idle: break;
    }
    return milliseconds{0};
  }
};

Guard::Guard(base::UniqueFd listener, Doors doors, GuardLimits limits)
    : listener_(std::move(listener)), doors_(std::move(doors)), limits_(limits) {}
Guard::~Guard() = default;

Result<std::unique_ptr<Guard>> Guard::listen(const std::string& address, int port, Doors doors, GuardLimits limits) {
  const auto what = "bind " + address + " port " + std::to_string(port);
  const auto target =
      base::SocketAddress::parse(address == "localhost" ? "127.0.0.1" : address, static_cast<std::uint16_t>(port));
  if (!target) {
    return Error(Code::BadConfig, "endpoint address \"" + address + "\" is no IPv4 or IPv6 address", "use 127.0.0.1 or ::1");
  }
  base::UniqueFd listener(::socket(target->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return base::io_error(what, errno);
  set_option(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  const bool bound = ::bind(listener.get(), target->get(), target->length) == 0;
  if (!bound || ::listen(listener.get(), kBacklog) != 0) return base::io_error(what, errno);
  return std::unique_ptr<Guard>(new Guard(std::move(listener), std::move(doors), limits));
}

void Guard::run(client::Complaints& complaints) {
  complaints_ = &complaints;
  for (;;) serve_round();
}

/// The listener first, then two entries of each peer.
std::vector<pollfd> Guard::watched(Time now) const {
  std::vector<pollfd> all{{now < accepts_again_ ? -1 : listener_.get(), POLLIN, 0}};
  for (const auto& peer : peers_) {
    const int outside = POLLRDHUP | (peer->may_read() ? POLLIN : 0) | (peer->to_outside.empty() ? 0 : POLLOUT);
    const int inside = (peer->to_outside.empty() ? POLLIN : 0) | (peer->to_inside.empty() ? 0 : POLLOUT);
    all.push_back({peer->outside.get(), static_cast<short>(outside), 0});
    all.push_back({peer->inside.get(), static_cast<short>(inside), 0});
  }
  return all;
}

int Guard::time_left_ms(Time now) const {
  auto left = now < accepts_again_ ? kAcceptPause : kLongestRound;
  for (const auto& peer : peers_) {
    const auto limit = peer->limit(limits_);
    if (limit.count() == 0) continue;
    left = std::min(left, std::chrono::ceil<milliseconds>(peer->since + limit - now));
  }
  return static_cast<int>(std::max(left, milliseconds{0}).count());
}

void Guard::serve_round() {
  auto now = std::chrono::steady_clock::now();
  auto all = watched(now);
  const int found = ::poll(all.data(), all.size(), time_left_ms(now));
  PKI_CHECK(found >= 0 || errno == EINTR || errno == ENOMEM);
  now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; found > 0 && i < peers_.size(); ++i)
    serve(*peers_[i], all[1 + 2 * i].revents, all[2 + 2 * i].revents, now);
  drop_overdue(now);
  std::erase_if(peers_, [](const auto& peer) { return !peer->outside; });
  if (found > 0 && all[0].revents != 0) accept_some(now);
  complaints_->report();
}

void Guard::serve(Peer& peer, short outside, short inside, Time now) {
  if (outside == 0 && inside == 0) return;
  constexpr short kGone = POLLHUP | POLLERR | POLLNVAL;
  const auto step = [&]() -> Status {
    if ((outside & POLLIN) != 0) PKI_TRY_VOID(read_outside(peer));
    if ((inside & POLLIN) != 0) PKI_TRY_VOID(read_inside(peer));
    if ((outside & (kGone | POLLRDHUP)) != 0 && (outside & POLLIN) == 0) return closed();
    if ((inside & kGone) != 0 && (inside & POLLIN) == 0) return closed();
    if (!peer.to_outside.empty()) PKI_TRY_VOID(send_some(peer.outside.get(), peer.to_outside));
    PKI_TRY_VOID(answer_refused(peer));
    PKI_TRY_VOID(pass_request(peer));
    if (!peer.to_inside.empty() && peer.inside) PKI_TRY_VOID(send_some(peer.inside.get(), peer.to_inside));
    return {};
  };
  if (const auto done = step(); !done.ok()) return drop(peer, done.error().code() == Code::Closed ? "" : done.error().message());
  const auto state = peer.state_now();
  if (state == std::exchange(peer.state, state)) return;
  peer.since = now;
}

Status Guard::read_outside(Peer& peer) {
  if (!peer.may_read()) return {};
  return receive(peer.outside.get(), peer.held);
}

/// The greeting is the guard's until it says which of libzmq's sockets is meant. A client tells its mechanism after it has seen
/// who it talks to: so the guard opens, and drops what libzmq says once more.
Status Guard::read_greeting(Peer& peer) {
  PKI_TRY(const auto used, peer.greeting.take(peer.held));
  peer.held.erase(0, used);
  if (peer.opened == 0 && peer.greeting.has_signature()) {
    peer.to_outside = make_greeting(kNull).substr(0, kOpeningBytes);
    peer.opened = kOpeningBytes;
    PKI_TRY_VOID(send_some(peer.outside.get(), peer.to_outside));
  }
  return peer.greeting.is_over() ? choose_door(peer) : Status();
}

Status Guard::choose_door(Peer& peer) {
  if (peer.greeting.mechanism() == kCurve) {
    if (doors_.curve.empty()) return turn_away(peer, kNull);
    peer.requests = std::make_unique<CurveScanner>(CurveScanner::Side::Peer);
    peer.answers = std::make_unique<CurveScanner>(CurveScanner::Side::Own);
  } else {
    const bool may = doors_.without_curve == WithoutCurve::Anyone ||
                     (doors_.without_curve == WithoutCurve::Loopback && base::is_loopback(peer.address));
    if (!may) return turn_away(peer, kCurve);
    peer.requests = std::make_unique<Scanner>(kMaxMessageBytes, to_frame(peer.address, true));
    peer.answers = std::make_unique<Scanner>(kOwnMessages);
  }
  peer.held.insert(0, peer.greeting.text());
  return connect_inside(peer, peer.greeting.mechanism() == kCurve ? doors_.curve : doors_.null);
}

/// The greeting of the mechanism that is spoken here: a client sees that it is not its own.
Status Guard::turn_away(Peer& peer, std::string_view spoken) {
  peer.to_outside += make_greeting(spoken).substr(kOpeningBytes);
  [[maybe_unused]] const auto sent = send_some(peer.outside.get(), peer.to_outside);
  const auto* from = base::is_loopback(peer.address) ? "loopback" : "elsewhere";
  return Error(Code::Denied,
               std::string("a peer from ") + from + (spoken == kCurve ? " without CURVE" : " with CURVE, which has no key here"));
}

/// What was read, up to the end of one request; the next one waits for this one's answer.
Status Guard::pass_request(Peer& peer) {
  if (!peer.requests) PKI_TRY_VOID(read_greeting(peer));
  if (!peer.requests) return {};
  const auto before = peer.requests->commands();
  while (!peer.held.empty() && peer.may_take()) {
    PKI_TRY(const auto step, peer.requests->take(peer.held, peer.to_inside));
    peer.held.erase(0, step.used);
    if (peer.requests->commands() - before > kMostCommandsAtOnce) return Error(Code::TooLarge, "many ZMTP commands at once");
    if (step.refusal) {
      const auto& why = step.refusal->message();
      complaints_->log(base::LogLevel::Info, why, {}, "message refused: " + why);
      peer.own_answer = peer.requests->to_answer(failure(*step.refusal));
      PKI_TRY_VOID(answer_refused(peer));
    }
    if (!step.message_is_over) continue;
    peer.answer_is_due = true;
    peer.has_asked = true;
  }
  return {};
}

/// Silence would leave a REQ client waiting for ever. The answer goes out while the rest of the message still comes in, since
/// that may be endless; its peer is dropped by a deadline or by kMaxSkippedBytes then.
Status Guard::answer_refused(Peer& peer) {
  if (peer.own_answer.empty() || !peer.may_answer()) return {};
  peer.to_outside = std::exchange(peer.own_answer, {});
  return send_some(peer.outside.get(), peer.to_outside);
}

Status Guard::read_inside(Peer& peer) {
  std::string part;
  PKI_TRY_VOID(receive(peer.inside.get(), part));
  for (std::string_view rest = part; !rest.empty();) {
    std::string passed;
    PKI_TRY(const auto step, peer.answers->take(rest, passed));
    if (step.refusal) return *step.refusal;
    rest.remove_prefix(step.used);
    const auto dropped = std::min(peer.opened, passed.size());
    peer.opened -= dropped;
    peer.to_outside.append(passed, dropped);
    if (!step.message_is_over) continue;
    peer.answer_is_due = false;
    peer.requests->answered();
  }
  return {};
}

Status Guard::connect_inside(Peer& peer, const std::string& inside) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  PKI_CHECK(inside.size() + 1 < sizeof address.sun_path);
  std::memcpy(address.sun_path + 1, inside.data(), inside.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + inside.size());
  peer.inside.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (peer.inside && ::connect(peer.inside.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) return {};
  return base::io_error("connect to libzmq's own socket", errno);
}

void Guard::accept_some(Time now) {
  for (int i = 0; i < kMostAtOnce; ++i) {
    base::SocketAddress from{.storage = {}, .length = sizeof from.storage};
    base::UniqueFd outside(::accept4(listener_.get(), from.get(), &from.length, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!outside) {
      const bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
      if (!is_short) return;
      accepts_again_ = now + kAcceptPause;
      return complaints_->log(base::LogLevel::Warning, "accept", {}, std::string("accept: ") + std::strerror(errno));
    }
    if (peers_.size() >= limits_.peers && !make_room()) continue;  // closed at once: all of them are at work
    tune(outside.get());
    auto peer = std::make_unique<Peer>(std::move(outside), base::host_of(from.get()));
    peer->since = now;
    peers_.push_back(std::move(peer));
  }
}

/// @return whether a silent peer could be dropped.
bool Guard::make_room() {
  const auto found = std::ranges::min_element(
      peers_, {}, [](const auto& peer) { return std::tuple(!peer->may_be_evicted(), peer->has_asked, peer->since); });
  if (found == peers_.end() || !(*found)->may_be_evicted()) {
    complaints_->log(base::LogLevel::Warning, "full", {},
                     "all " + std::to_string(limits_.peers) + " peers are at work: a new one is turned away");
    return false;
  }
  drop(**found, "more than " + std::to_string(limits_.peers) + " peers: the one that was silent longest goes");
  peers_.erase(found);
  return true;
}

void Guard::drop(Peer& peer, std::string_view why) {
  peer.outside.reset();
  peer.inside.reset();
  if (!why.empty()) complaints_->log(base::LogLevel::Info, std::string(why), {}, "peer dropped: " + std::string(why));
}

void Guard::drop_overdue(Time now) {
  for (const auto& peer : peers_) {
    const auto limit = peer->limit(limits_);
    if (!peer->outside || limit.count() == 0 || now - peer->since < limit) continue;
    constexpr std::array kWhat{"no greeting", "", "a request that did not end", "no answer", "an answer that was not read"};
    drop(*peer,
         std::string(kWhat.at(static_cast<std::size_t>(peer->state))) + " within " + std::to_string(limit.count()) + " ms");
  }
}

}  // namespace chancery::zmq_gateway
