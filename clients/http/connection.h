#pragma once

#include <event2/bufferevent.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "clients/http/head.h"
#include "clients/http/loop.h"
#include "clients/http/router.h"

namespace chancery::http {

struct BufferEventFree {
  void operator()(bufferevent* buffer) const noexcept { ::bufferevent_free(buffer); }
};
using BufferEventPtr = std::unique_ptr<bufferevent, BufferEventFree>;

/// Deadlines of one connection (PROMISES D9).
struct Deadlines {
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds idle{15'000};
  std::chrono::milliseconds head{10'000};
  std::chrono::milliseconds body_grace{10'000};
  std::chrono::milliseconds whole_request{60'000};
  std::chrono::milliseconds write{30'000};
  std::chrono::milliseconds linger{2'000};
  std::size_t least_bytes_per_second = 1024;
};

/// What a connection needs of its server.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual const Router& router() const = 0;
  virtual bool stopping() const = 0;
  /// Has the request handled; the answer comes by Connection::answer. @return false: the pool is full.
  virtual bool handle(std::uint64_t connection, Match match) = 0;
  /// Forgets the connection, after this call's stack is gone.
  virtual void bury(std::uint64_t connection) = 0;
};

/// One client: reads requests one after the other, with limits and deadlines, and writes the answers.
class Connection {
 public:
  Connection(ConnectionHost& host, std::uint64_t id, const ListenerSettings& listener, event_base* base, BufferEventPtr buffer,
             Peer peer, bool tls);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// The handler's answer to the request in hand.
  void answer(const Response& response);
  /// The server stops: a connection without a request in hand closes.
  void close_if_idle();

 private:
  enum class Phase : std::uint8_t { Handshake, Idle, Head, Body, Handling, Writing, Lingering, Closed };

  void enter(Phase phase, std::chrono::milliseconds limit);
  void on_input();
  void on_written();
  void on_event(short what);
  void on_deadline();

  void read_head();
  void begin_request(const std::string& text);
  void begin_body(BodyKind kind, bool expects_continue);
  void read_body();
  void submit();
  void refuse(int status, std::string_view detail);
  void write(const Response& response, bool keep);
  void linger();
  void close();

  ConnectionHost& host_;
  std::uint64_t id_;
  const ListenerSettings& listener_;
  Peer peer_;
  bool tls_;
  Deadlines deadlines_;
  Phase phase_ = Phase::Idle;
  std::chrono::steady_clock::time_point request_began_;
  Match match_;  ///< of the request in hand
  std::size_t body_left_ = 0;
  std::unique_ptr<ChunkedBody> chunked_;
  std::string chunk_input_;
  bool keep_alive_ = false;
  bool is_head_ = false;
  Timer timer_;
  BufferEventPtr buffer_;  ///< last: its callbacks reach the rest
};

}  // namespace chancery::http
