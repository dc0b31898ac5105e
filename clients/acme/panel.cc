#include "clients/acme/panel.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <zmq.hpp>

#include "clients/acme/problems.h"
#include "clients/zmq/curve_key.h"
#include "server/base/bytes.h"
#include "server/base/log.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kIdleLife{60};  ///< a path through a firewall may be forgotten after that
constexpr std::size_t kIdBytes = 16;

/// A connection to one vantage point.
struct Link {
  std::string point;
  zmq::socket_t socket;
  Clock::time_point used{};
};

zmq::socket_t connect(zmq::context_t& context, const zmq_gateway::KeyPair& keys, const std::string& point) {
  constexpr int kHighWater = 4;
  constexpr int kKeepAliveSeconds = 20;
  constexpr int kReconnectMs = 100;
  constexpr int kSlowestReconnectMs = 2000;
  constexpr auto kConnectMs = static_cast<int>(std::chrono::milliseconds(kVantageConnectLimit).count());
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::immediate, 1);  // can be written to once the handshake is done, and not before
  socket.set(zmq::sockopt::ipv6, 1);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(kMaxReplyBytes));
  socket.set(zmq::sockopt::rcvhwm, kHighWater);
  socket.set(zmq::sockopt::sndhwm, kHighWater);
  socket.set(zmq::sockopt::connect_timeout, kConnectMs);
  socket.set(zmq::sockopt::handshake_ivl, kConnectMs);
  socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
  socket.set(zmq::sockopt::reconnect_ivl_max, kSlowestReconnectMs);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, kKeepAliveSeconds);
  socket.set(zmq::sockopt::curve_serverkey, point.substr(std::min(point.size(), point.find(' ') + 1)));
  socket.set(zmq::sockopt::curve_publickey, keys.public_key);
  socket.set(zmq::sockopt::curve_secretkey, std::string(base::as_text(keys.secret_key.view())));
  socket.connect(address_of(point));
  return socket;
}

/// One message: an empty frame, and a text. @errors Malformed: of another shape.
Result<std::string> receive(zmq::socket_t& socket) {
  constexpr std::size_t kFrames = 2;
  std::vector<zmq::message_t> frames;
  do {
    if (!socket.recv(frames.emplace_back(), zmq::recv_flags::dontwait)) return Error(Code::Malformed, "no message");
    if (frames.size() > kFrames) return Error(Code::Malformed, "an answer of more than two frames");
  } while (frames.back().more());
  if (frames.size() != kFrames || frames.front().size() != 0) return Error(Code::Malformed, "an answer that is not one text");
  return frames.back().to_string();
}

/// One question to one vantage point.
class Call {
 public:
  Call(std::string point, std::optional<Link> link) : point_(std::move(point)), link_(std::move(link)) {
    if (!link_) fail("its address or its key cannot be used");
  }

  bool is_over() const { return verdict_.has_value(); }
  bool is_hurried() const { return hurried_.has_value(); }
  bool has_answered() const { return answered_; }
  Clock::time_point deadline() const {
    return std::min(begun_ + (sent_ ? kVantageLimit : kVantageConnectLimit), hurried_.value_or(Clock::time_point::max()));
  }
  /// Whatever it would say, the others have decided.
  void hurry() { hurried_ = Clock::now() + kVantageGrace; }
  zmq::pollitem_t watched() { return {link_->socket.handle(), 0, static_cast<short>(sent_ ? ZMQ_POLLIN : ZMQ_POLLOUT), 0}; }

  /// The socket can be written to, or read from.
  void go_on(const std::string& text, const std::string& id) {
    if (sent_) return judge(id);
    link_->socket.send(zmq::message_t(), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
    link_->socket.send(zmq::buffer(text), zmq::send_flags::dontwait);
    sent_ = true;
  }

  void give_up() {
    if (hurried_ && *hurried_ <= Clock::now())
      return fail("no answer within " + std::to_string(kVantageGrace.count()) + " s of those that decided");
    fail(sent_ ? "no answer within " + std::to_string(kVantageLimit.count()) + " s"
               : "no connection within " + std::to_string(kVantageConnectLimit.count()) +
                     " s: nobody listens there, its key is another, or this front end's key is not among its clients");
  }

  void fail(const std::string& why) { verdict_ = Verdict{acme_error("serverInternal", why)}; }
  Finding finding() const { return {point_, *verdict_}; }
  bool agrees_with(const Verdict& own) const { return verdict_ && agrees(*verdict_, own); }
  std::optional<Link> take_link() { return answered_ ? std::exchange(link_, std::nullopt) : std::nullopt; }
  std::string why() const { return to_problem(*verdict_->error).detail; }

 private:
  /// An answer without an id is to what could not be read; it has an error then.
  void judge(const std::string& id) {
    const auto text = receive(link_->socket);
    const auto reply = text.ok() ? read_reply(*text) : Result<Reply>(text.error());
    if (!reply.ok()) return fail("no answer of a vantage point: " + base::printable(reply.error().message()));
    if (reply->id != id && !reply->id.empty()) return fail("the answer to another question");
    answered_ = true;
    verdict_ = reply->verdict;
  }

  std::string point_;
  std::optional<Link> link_;
  Clock::time_point begun_ = Clock::now();
  std::optional<Clock::time_point> hurried_;
  bool sent_ = false;
  bool answered_ = false;
  std::optional<Verdict> verdict_;
};

std::chrono::milliseconds time_left(std::span<Call> calls) {
  auto first = Clock::time_point::max();
  for (const auto& call : calls) {
    if (!call.is_over()) first = std::min(first, call.deadline());
  }
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now()), std::chrono::milliseconds{0});
}

/// Once enough agree.
void hurry_others(std::span<Call> calls, const Vantage& vantage, const Verdict& own) {
  const auto agreeing = std::ranges::count_if(calls, [&](const Call& one) { return one.agrees_with(own); });
  if (static_cast<std::size_t>(agreeing) < vantage.quorum) return;
  for (auto& call : calls) {
    if (!call.is_over() && !call.is_hurried()) call.hurry();
  }
}

struct Text {
  const std::string& inquiry;
  const std::string& id;
};

/// Until each is over.
void run(std::span<Call> calls, const Text& text, const Vantage& vantage, const Verdict& own) {
  for (;;) {
    hurry_others(calls, vantage, own);
    std::vector<zmq::pollitem_t> watched;
    std::vector<Call*> open;
    for (auto& call : calls) {
      if (call.is_over()) continue;
      watched.push_back(call.watched());
      open.push_back(&call);
    }
    if (open.empty()) return;
    zmq::poll(watched, time_left(calls));
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (watched[i].revents != 0) {
        open[i]->go_on(text.inquiry, text.id);
      } else if (Clock::now() >= open[i]->deadline()) {
        open[i]->give_up();
      }
    }
  }
}

}  // namespace

struct Panel::State {
  explicit State(zmq_gateway::KeyPair own) : keys(std::move(own)) {}

  /// The one that was used last, or a new one; none: libzmq takes neither the address nor the key.
  std::optional<Link> link_to(const std::string& point) {
    {
      const std::lock_guard lock(mutex);
      std::erase_if(idle, [](const Link& one) { return Clock::now() - one.used > kIdleLife; });
      const auto found = std::ranges::find(idle, point, &Link::point);
      if (found != idle.end()) {
        auto link = std::move(*found);
        idle.erase(found);
        return link;
      }
    }
    try {
      return Link{point, connect(context, keys, point)};
    } catch (const zmq::error_t& failure) {
      base::log_warning("vantage point " + address_of(point) + ": " + failure.what());
      return std::nullopt;
    }
  }

  void keep(Link link) {
    link.used = Clock::now();
    const std::lock_guard lock(mutex);
    idle.push_front(std::move(link));
  }

  /// One line when somebody goes, one when he comes again.
  void note(const std::string& point, const Call& call) {
    const std::lock_guard lock(mutex);
    const auto address = address_of(point);
    if (call.has_answered() && away.erase(point) > 0) base::log_info("vantage point " + address + " answers again");
    if (call.has_answered() || !away.insert(point).second) return;
    base::log_warning("vantage point " + address + ": " + call.why() + "; until it answers again this is not said any more");
  }

  zmq::context_t context{1};
  zmq_gateway::KeyPair keys;
  std::mutex mutex;
  std::deque<Link> idle;       ///< the one used last in front
  std::set<std::string> away;  ///< that did not answer the last time
};

Panel::Panel(std::unique_ptr<State> state) : state_(std::move(state)) {}
Panel::~Panel() = default;

Result<std::unique_ptr<Panel>> Panel::open(const std::filesystem::path& key_file) {
  PKI_TRY(auto keys, zmq_gateway::read_key_file(key_file));
  return std::unique_ptr<Panel>(new Panel(std::make_unique<State>(std::move(keys))));
}

std::vector<Finding> Panel::ask(Inquiry inquiry, const Vantage& vantage, const Verdict& own) {
  const auto& points = vantage.points;
  inquiry.id = base::to_hex(base::random_bytes(kIdBytes));
  std::vector<Call> calls;
  calls.reserve(points.size());
  for (const auto& point : points) calls.emplace_back(point, state_->link_to(point));
  const auto text = to_text(inquiry);
  run(calls, {text, inquiry.id}, vantage, own);
  std::vector<Finding> findings;
  for (auto& call : calls) {
    findings.push_back(call.finding());
    state_->note(findings.back().point, call);
    if (auto link = call.take_link()) state_->keep(*std::move(link));
  }
  return findings;
}

}  // namespace chancery::acme
