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
  std::size_t most_requests = 1000;     ///< of one connection
  std::size_t most_drained = 1U << 20;  ///< octets thrown away behind the last answer

  /// Of a connection that came when there were many: who wants nothing makes room sooner.
  static Deadlines of_a_crowd() {
    Deadlines short_ones;
    short_ones.handshake = short_ones.head = short_ones.idle = std::chrono::milliseconds{2'000};
    return short_ones;
  }
};

/// What a client can do wrong before a request is read; each has its price (see Admission).
enum class Fault : std::uint8_t { Handshake, SlowHandshake, Silence, SlowRequest, Malformed };

/// What a connection needs of its server.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual const Router& router() const = 0;
  virtual bool stopping() const = 0;
  virtual std::string next_request_id() = 0;
  /// A client did that. The connection closes itself.
  virtual void charge(const ListenerSettings& listener, const Peer& peer, Fault fault) = 0;
  /// An answer of 400 or above goes out.
  virtual void note_refusal(const ListenerSettings& listener, const Peer& peer, const Request& request,
                            const Response& response) = 0;
  /// Has the request handled; the answer comes by Connection::answer. @return false: the pool is full.
  virtual bool handle(std::uint64_t connection, Match match) = 0;
  /// Forgets the connection, after this call's stack is gone.
  virtual void bury(std::uint64_t connection) = 0;
};

/// One client: reads requests one after the other, with limits and deadlines, and writes the answers.
class Connection {
 public:
  Connection(ConnectionHost& host, std::uint64_t id, const ListenerSettings& listener, event_base* base, BufferEventPtr buffer,
             Peer peer, bool tls, const Deadlines& deadlines);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// The handler's answer to the request in hand.
  void answer(const Response& response);
  /// Nothing of it is in hand: the server may close it for another one's sake.
  bool may_be_evicted() const {
    return phase_ == Phase::Handshake || phase_ == Phase::Idle || phase_ == Phase::Head || phase_ == Phase::Lingering;
  }
  bool was_served() const { return requests_ > 0; }
  std::chrono::steady_clock::time_point phase_began() const { return phase_began_; }
  bool is_lingering() const { return phase_ == Phase::Lingering; }
  const ListenerSettings& listener() const { return listener_; }
  /// See Admission::group_of.
  const std::string& group() const { return group_; }
  /// The server stops: a connection without a request in hand closes.
  void close_if_idle();

 private:
  enum class Phase : std::uint8_t { Handshake, Idle, Head, Body, Handling, Writing, Lingering, Closed };

  void enter(Phase phase, std::chrono::milliseconds limit);
  void on_input();
  void on_written();
  void on_event(short what);
  void on_deadline();

  bool pass_empty_line();
  bool begin_head();
  void read_head();
  void begin_request(const std::string& text);
  void begin_body(BodyKind kind, bool expects_continue);
  void read_body();
  void submit();
  void refuse(int status, std::string_view detail);
  std::string_view begun();
  void refuse_head(int status, std::string_view detail, std::string_view begun);
  void refuse_malformed(const Error& error, std::string_view begun);
  void write(const Response& response, bool keep);
  void linger();
  void close();
  void close_at_fault(Fault fault);

  ConnectionHost& host_;
  std::uint64_t id_;
  const ListenerSettings& listener_;
  std::string group_;
  Peer peer_;
  bool tls_;
  Deadlines deadlines_;
  Phase phase_ = Phase::Idle;
  std::chrono::steady_clock::time_point phase_began_;
  std::chrono::steady_clock::time_point request_began_;
  std::size_t requests_ = 0;
  std::size_t drained_ = 0;
  Match match_;                     ///< of the request in hand
  bool passed_empty_line_ = false;  ///< in front of the request to come
  std::size_t body_left_ = 0;
  std::unique_ptr<ChunkedBody> chunked_;
  std::string chunk_input_;
  bool keep_alive_ = false;
  bool is_head_ = false;
  Timer timer_;
  BufferEventPtr buffer_;  ///< last: its callbacks reach the rest
};

}  // namespace chancery::http
