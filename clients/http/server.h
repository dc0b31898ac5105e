#pragma once

#include <event2/listener.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "clients/http/admission.h"
#include "clients/http/connection.h"
#include "clients/http/loop.h"
#include "clients/http/parking.h"
#include "clients/http/pool.h"
#include "clients/http/router.h"
#include "clients/http/settings.h"
#include "clients/http/tls.h"
#include "clients/lib/complaints.h"

namespace chancery::http {

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
  std::string next_request_id() override;
  void charge(const ListenerSettings& listener, const Peer& peer, Fault fault) override;
  void note_refusal(const ListenerSettings& listener, const Peer& peer, const Request& request,
                    const Response& response) override;
  bool handle(std::uint64_t connection, Match match) override;
  void bury(std::uint64_t connection) override;

 private:
  struct Door;
  Status bind(Door& door);
  void listen(Door& door);
  void accept(Door& door, base::UniqueFd socket, Peer peer);
  void on_accept_failure(Door& door);
  bool make_room(const Door& door, const Peer& peer);
  bool evict_from(const std::string& group);
  std::string heaviest_group(const Door& door) const;
  void remove(std::uint64_t connection);
  void answer(std::uint64_t connection, const std::shared_ptr<const Match>& match, Response response);
  void give(std::uint64_t connection, const Response& response);
  void report_complaints();
  FairQueue::Whose whose(std::uint64_t connection, const Match& match) const;

  Loop& loop_;
  const Router& router_;
  Pool& pool_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::unordered_map<std::string, std::size_t> per_group_;  ///< connections by Admission::group_of
  Admission admission_;
  client::Complaints complaints_;
  Timer complaints_due_;
  std::size_t most_per_door_;
  std::string request_prefix_;  ///< of the request ids of this process
  std::uint64_t requests_ = 0;
  std::uint64_t next_id_ = 0;
  bool stopping_ = false;
  std::function<void()> on_empty_;
  Parking parking_;
};

}  // namespace chancery::http
