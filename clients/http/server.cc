#include "clients/http/server.h"

#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <tuple>
#include <utility>

#include "server/base/log.h"
#include "server/base/socket_address.h"

namespace chancery::http {
namespace {

constexpr int kBacklog = 256;
constexpr std::chrono::milliseconds kAcceptPause{200};  ///< PROMISES D6
constexpr std::chrono::milliseconds kMostParked{500};   ///< the longest that a better answer is waited for
constexpr int kFirstServerFault = 500;
constexpr std::size_t kPrefixOctets = 4;
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

Peer peer_of(const sockaddr* address) { return {.address = base::host_of(address), .port = base::port_of(address)}; }

void set_option(int socket, int level, int option, int value) { ::setsockopt(socket, level, option, &value, sizeof value); }

/// Half-open peers vanish (PROMISES D10).
void tune(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

/// What a fault is called in the log, and its price.
struct FaultRow {
  std::string_view text;
  double points;
};
constexpr std::array kFaults{
    FaultRow{"TLS handshake failed", 1},
    FaultRow{"TLS handshake did not end in time", 2},
    FaultRow{"connection without a request", 2},
    FaultRow{"request did not arrive in time", 2},
    FaultRow{"no HTTP request", 1},
};

/// As many as there are descriptors for, besides those of sessions, validations and files.
std::size_t connections_per_door(std::size_t doors) {
  constexpr std::size_t kOtherDescriptors = 200;
  constexpr std::size_t kLeast = 16;
  rlimit limit{};
  if (doors == 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMaxConnections;
  const auto all = static_cast<std::size_t>(limit.rlim_cur);
  return std::clamp((all - std::min(all, kOtherDescriptors)) / doors, kLeast, kMaxConnections);
}

std::string place(const Peer& peer) { return peer.address + ":" + std::to_string(peer.port); }

}  // namespace

/// One listener: its settings, its bound socket, its certificate.
struct Server::Door {
  Server* server = nullptr;
  ListenerSettings settings;
  base::UniqueFd bound;  ///< until it listens
  ListenerPtr listener;  ///< owns the socket from then on
  std::optional<TlsContext> tls;
  std::unique_ptr<Timer> resume;
  std::size_t connections = 0;
};

Server::Server(Loop& loop, const Router& router, Pool& pool, const Settings& settings)
    : loop_(loop),
      router_(router),
      pool_(pool),
      complaints_due_(loop.base(), [this] { report_complaints(); }),
      most_per_door_(connections_per_door(settings.listeners.size())),
      request_prefix_(base::to_hex(base::random_bytes(kPrefixOctets))),
      parking_(
          loop,
          [this](std::uint64_t connection, const Match& match, Response response, bool is_better) {
            if (is_better) Router::finish(match, response);
            give(connection, response);
          },
          kMostParked) {
  report_complaints();
  for (const auto& one : settings.listeners) {
    auto door = std::make_unique<Door>();
    door->server = this;
    door->settings = one;
    door->resume = std::make_unique<Timer>(loop.base(), [raw = door.get()] { ::evconnlistener_enable(raw->listener.get()); });
    doors_.push_back(std::move(door));
  }
}

Server::~Server() = default;

Status Server::bind() {
  for (const auto& door : doors_) {
    if (auto bound = bind(*door); !bound.ok()) return bound.error().within("listener " + door->settings.name);
    if (!door->settings.tls) listen(*door);
  }
  return {};
}

Status Server::bind(Door& door) {
  const auto address = base::SocketAddress::parse(door.settings.address, static_cast<std::uint16_t>(door.settings.port));
  if (!address) return Error(Code::BadConfig, "listener address \"" + door.settings.address + "\" is no IPv4 or IPv6 address");
  door.bound.reset(::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const std::string what = "bind " + door.settings.address + " port " + std::to_string(door.settings.port);
  if (!door.bound) return base::io_error(what, errno);
  set_option(door.bound.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address->storage.ss_family == AF_INET6) set_option(door.bound.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(door.bound.get(), address->get(), address->length) != 0) return base::io_error(what, errno);
  return {};
}

void Server::listen(Door& door) {
  const auto on_accept = [](evconnlistener*, evutil_socket_t socket, sockaddr* address, int, void* self) {
    auto* one = static_cast<Door*>(self);
    one->server->accept(*one, base::UniqueFd(socket), peer_of(address));
  };
  const auto on_failure = [](evconnlistener*, void* self) {
    auto* one = static_cast<Door*>(self);
    one->server->on_accept_failure(*one);
  };
  constexpr unsigned kFlags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
  door.listener.reset(::evconnlistener_new(loop_.base(), on_accept, &door, kFlags, kBacklog, door.bound.get()));
  PKI_CHECK(door.listener != nullptr);
  door.bound.release();  // the listener closes it
  ::evconnlistener_set_error_cb(door.listener.get(), on_failure);
  base::log_info("listening on " + door.settings.address + " port " + std::to_string(door.settings.port) +
                 (door.settings.tls ? " (TLS)" : ""));
}

void Server::use_tls(std::size_t listener, TlsContext context) {
  auto& door = *doors_.at(listener);
  door.tls = std::move(context);
  if (!door.listener && !stopping_) listen(door);
}

/// Out of descriptors or memory: accepting pauses instead of spinning.
void Server::on_accept_failure(Door& door) {
  const int reason = errno;
  ::evconnlistener_disable(door.listener.get());
  door.resume->set(kAcceptPause);
  complaints_.log(base::LogLevel::Warning, "accept " + door.settings.name, {}, "accept: " + std::string(std::strerror(reason)));
}

/// Room for one more connection: that of the address that has too many, or of whoever has most, is taken by the one of its
/// connections that wanted nothing for longest. @return false: all of them are at work.
bool Server::make_room(const Door& door, const Peer& peer) {
  const auto group = Admission::group_of(door.settings.name, peer.address);
  const auto found = per_group_.find(group);
  const bool too_many = found != per_group_.end() && found->second >= admission_.allowed(group, std::chrono::steady_clock::now());
  if (!too_many && door.connections < most_per_door_) return true;
  const bool has_room = evict_from(too_many ? group : heaviest_group(door));
  const std::string what = too_many ? "too many connections of one address" : "too many connections";
  complaints_.log(base::LogLevel::Warning, door.settings.name + " " + what + (has_room ? "" : ", all at work"),
                  {"", place(peer), ""},
                  "listener " + door.settings.name + ": " + what + (has_room ? ": the idlest goes" : ", all at work: refused"));
  return has_room;
}

/// Those go first that have their answer, then those that never asked.
bool Server::evict_from(const std::string& group) {
  const auto order = [&](const auto& entry) {
    const auto& connection = *entry.second;
    const bool fits = connection.may_be_evicted() && connection.group() == group;
    return std::tuple(!fits, !connection.is_lingering(), connection.was_served(), connection.phase_began());
  };
  const auto found = std::ranges::min_element(connections_, {}, order);
  if (found == connections_.end() || std::get<0>(order(*found))) return false;
  remove(found->first);
  return true;
}

std::string Server::heaviest_group(const Door& door) const {
  const auto weight = [&](const auto& entry) { return entry.first.starts_with(door.settings.name + " ") ? entry.second : 0; };
  const auto found = std::ranges::max_element(per_group_, {}, weight);
  return found == per_group_.end() ? std::string() : found->first;
}

void Server::accept(Door& door, base::UniqueFd socket, Peer peer) {
  if (!make_room(door, peer)) {
    if (!door.settings.tls) ::send(socket.get(), kFull.data(), kFull.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  tune(socket.get());
  BufferEventPtr buffer(door.tls ? ::bufferevent_openssl_socket_new(loop_.base(), socket.get(), door.tls->new_session(),
                                                                    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
                                 : ::bufferevent_socket_new(loop_.base(), socket.get(), BEV_OPT_CLOSE_ON_FREE));
  if (!buffer) return;
  socket.release();  // the bufferevent closes it
  ++door.connections;
  ++per_group_[Admission::group_of(door.settings.name, peer.address)];
  const auto deadlines = door.connections > kCrowd ? Deadlines::of_a_crowd() : Deadlines();
  const auto id = next_id_++;
  connections_.emplace(id, std::make_unique<Connection>(*this, id, door.settings, loop_.base(), std::move(buffer),
                                                        std::move(peer), door.tls.has_value(), deadlines));
}

void Server::remove(std::uint64_t connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  const auto& gone = *found->second;
  const auto group = per_group_.find(gone.group());
  if (group != per_group_.end() && --group->second == 0) per_group_.erase(group);
  const auto door = std::ranges::find_if(doors_, [&](const auto& one) { return &one->settings == &gone.listener(); });
  if (door != doors_.end()) --(*door)->connections;
  connections_.erase(found);
  parking_.forget(connection);
}

std::string Server::next_request_id() { return request_prefix_ + "-" + std::to_string(++requests_); }

void Server::charge(const ListenerSettings& listener, const Peer& peer, Fault fault) {
  const auto& row = kFaults.at(static_cast<std::size_t>(fault));
  admission_.charge(Admission::group_of(listener.name, peer.address), row.points, std::chrono::steady_clock::now());
  complaints_.log(base::LogLevel::Info, listener.name + " " + std::string(row.text), {"", place(peer), ""},
                  "listener " + listener.name + ": " + std::string(row.text));
}

/// One line for the first of a kind and minute: the path and the reason may hold foreign text, the kind may not.
void Server::note_refusal(const ListenerSettings& listener, const Peer& peer, const Request& request, const Response& response) {
  const auto level = response.status >= kFirstServerFault ? base::LogLevel::Warning : base::LogLevel::Info;
  const auto& realm = listener.serves(request.realm) ? request.realm : listener.default_realm;
  const auto status = std::to_string(response.status) + (response.kind.empty() ? "" : " " + response.kind);
  const auto what = request.method.empty() ? "request" : request.method + " " + request.path;
  complaints_.log(level, listener.name + " " + realm + " " + status, {realm, place(peer), request.id},
                  what + ": " + status + ": " + response.reason);
}

void Server::report_complaints() {
  complaints_.report();
  complaints_due_.set(client::Complaints::kEvery);
}

/// Behind a trusted proxy everybody has the same address: there each connection is a client of its own, as it has one request in
/// hand at a time.
FairQueue::Whose Server::whose(std::uint64_t connection, const Match& match) const {
  const auto& from = *connections_.at(connection);
  const auto& peer = match.request.peer.address;
  const bool is_proxy = from.listener().trusts(peer);
  return {is_proxy ? "connection " + std::to_string(connection) : Admission::group_of({}, peer), match.door()};
}

bool Server::handle(std::uint64_t connection, Match match) {
  const auto owner = whose(connection, match);
  return pool_.submit(owner, [this, connection, held = std::make_shared<const Match>(std::move(match))] {
    loop_.post([this, connection, held, response = std::make_shared<Response>(router_.run(*held))] {
      answer(connection, held, std::move(*response));
    });
  });
}

void Server::answer(std::uint64_t connection, const std::shared_ptr<const Match>& match, Response response) {
  if (!response.wait_for_better) return give(connection, response);
  if (connections_.contains(connection)) parking_.park(connection, match, std::move(response));
}

void Server::give(std::uint64_t connection, const Response& response) {
  const auto found = connections_.find(connection);
  if (found != connections_.end()) found->second->answer(response);
}

void Server::bury(std::uint64_t connection) {
  loop_.post([this, connection] {
    remove(connection);
    if (stopping_ && connections_.empty() && on_empty_) on_empty_();
  });
}

void Server::stop(std::function<void()> on_empty) {
  stopping_ = true;
  on_empty_ = std::move(on_empty);
  for (const auto& door : doors_) {
    door->resume->clear();
    door->listener.reset();
    door->bound.reset();
  }
  complaints_due_.clear();
  complaints_.report(true);
  for (const auto& [id, connection] : connections_) connection->close_if_idle();
  if (connections_.empty()) on_empty_();
}

}  // namespace chancery::http
