#pragma once

#include <event2/listener.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "clients/http/connection.h"
#include "clients/http/loop.h"
#include "clients/http/pool.h"
#include "clients/http/router.h"
#include "clients/http/settings.h"
#include "clients/http/tls.h"

namespace chancery::http {

inline constexpr std::size_t kMaxConnections = 500;  ///< of all listeners of this process

struct ListenerFree {
  void operator()(evconnlistener* listener) const noexcept { ::evconnlistener_free(listener); }
};
using ListenerPtr = std::unique_ptr<evconnlistener, ListenerFree>;

/// The listeners and their connections. Everything but the handlers runs on the loop's thread.
class Server : public ConnectionHost {
 public:
  Server(Loop& loop, const Router& router, Pool& pool, const Settings& settings);
  ~Server() override;

  /// Binds every listener. Plain ones accept at once; a TLS one when its first certificate is here, until then a connection
  /// to it is refused. @errors Io: the address is in use or not this machine's.
  Status bind();
  /// The certificate of a TLS listener, first or next: connections from now on use it.
  void use_tls(std::size_t listener, TlsContext context);
  /// Accepts no more, ends idle connections; calls `on_empty` when the requests in hand are answered.
  void stop(std::function<void()> on_empty);

  const Router& router() const override { return router_; }
  bool stopping() const override { return stopping_; }
  bool handle(std::uint64_t connection, Match match) override;
  void bury(std::uint64_t connection) override;

 private:
  struct Door;
  Status bind(Door& door);
  void listen(Door& door);
  void accept(Door& door, base::UniqueFd socket, Peer peer);
  void on_accept_failure(Door& door);

  Loop& loop_;
  const Router& router_;
  Pool& pool_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_id_ = 0;
  bool stopping_ = false;
  std::function<void()> on_empty_;
  std::chrono::steady_clock::time_point last_complaint_{};
};

}  // namespace chancery::http
