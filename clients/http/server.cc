#include "clients/http/server.h"

#include <arpa/inet.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "server/base/log.h"

namespace chancery::http {
namespace {

constexpr int kBacklog = 256;
constexpr std::chrono::milliseconds kAcceptPause{200};  ///< PROMISES D6
constexpr std::chrono::minutes kComplainEvery{1};
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<Address> parse_address(const std::string& text, int port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    address.length = sizeof *v4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    address.length = sizeof *v6;
  } else {
    return Error(Code::BadConfig, "listener address \"" + text + "\" is no IPv4 or IPv6 address");
  }
  return address;
}

Peer peer_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  Peer peer;
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    peer.port = ntohs(v4->sin_port);
  } else {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    peer.port = ntohs(v6->sin6_port);
  }
  peer.address = text.data();
  return peer;
}

void set_option(int socket, int level, int option, int value) { ::setsockopt(socket, level, option, &value, sizeof value); }

/// Half-open peers vanish (PROMISES D10).
void tune(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

}  // namespace

/// One listener: its settings, its bound socket, its certificate.
struct Server::Door {
  Server* server = nullptr;
  ListenerSettings settings;
  base::UniqueFd bound;  ///< until it listens
  ListenerPtr listener;  ///< owns the socket from then on
  std::optional<TlsContext> tls;
  std::unique_ptr<Timer> resume;
};

Server::Server(Loop& loop, const Router& router, Pool& pool, const Settings& settings)
    : loop_(loop), router_(router), pool_(pool) {
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
  PKI_TRY(const auto address, parse_address(door.settings.address, door.settings.port));
  door.bound.reset(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const std::string what = "bind " + door.settings.address + " port " + std::to_string(door.settings.port);
  if (!door.bound) return base::io_error(what, errno);
  set_option(door.bound.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.storage.ss_family == AF_INET6) set_option(door.bound.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(door.bound.get(), address.get(), address.length) != 0) return base::io_error(what, errno);
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
  const auto now = std::chrono::steady_clock::now();
  if (now - last_complaint_ < kComplainEvery) return;
  last_complaint_ = now;
  base::log_warning("accept: " + std::string(std::strerror(reason)));
}

void Server::accept(Door& door, base::UniqueFd socket, Peer peer) {
  if (connections_.size() >= kMaxConnections) {
    if (!door.settings.tls) ::send(socket.get(), kFull.data(), kFull.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  tune(socket.get());
  BufferEventPtr buffer(door.tls ? ::bufferevent_openssl_socket_new(loop_.base(), socket.get(), door.tls->new_session(),
                                                                    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
                                 : ::bufferevent_socket_new(loop_.base(), socket.get(), BEV_OPT_CLOSE_ON_FREE));
  if (!buffer) return;
  socket.release();  // the bufferevent closes it
  const auto id = next_id_++;
  connections_.emplace(id, std::make_unique<Connection>(*this, id, door.settings, loop_.base(), std::move(buffer),
                                                        std::move(peer), door.tls.has_value()));
}

bool Server::handle(std::uint64_t connection, Match match) {
  return pool_.submit([this, connection, held = std::make_shared<Match>(std::move(match))] {
    loop_.post([this, connection, response = router_.run(*held)] {
      const auto found = connections_.find(connection);
      if (found != connections_.end()) found->second->answer(response);
    });
  });
}

void Server::bury(std::uint64_t connection) {
  loop_.post([this, connection] {
    connections_.erase(connection);
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
  for (const auto& [id, connection] : connections_) connection->close_if_idle();
  if (connections_.empty()) on_empty_();
}

}  // namespace chancery::http
