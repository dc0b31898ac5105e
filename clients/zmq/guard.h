#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clients/lib/complaints.h"
#include "clients/zmq/zmtp.h"
#include "server/base/fd.h"

namespace chancery::zmq_gateway {

/// What the guard allows (PROMISES D1, D9, D11). The defaults are those of the program; tests shorten them.
struct GuardLimits {
  std::size_t peers = 128;  ///< at once, of one port
  std::chrono::milliseconds greeting{3'000};
  std::chrono::milliseconds message{10'000};  ///< from its first octet to its last
  std::chrono::milliseconds answer{60'000};
  std::chrono::milliseconds sending{30'000};  ///< without any progress
};

/// Who may come without CURVE, "loopback", "anyone" or "nobody" in chancery.xml.
enum class WithoutCurve : std::uint8_t { Loopback, Anyone, Nobody };

/// Where peers go: abstract Unix addresses (without the leading NUL) on which libzmq is bound.
struct Doors {
  std::string null;
  std::string curve;  ///< empty: CURVE is not spoken
  WithoutCurve without_curve = WithoutCurve::Loopback;
};

/// Stands before libzmq, which is no listener for strangers: it has no limit on connections, none on the parts of a message and
/// none on what a peer may send unasked. The guard accepts the peers, follows their frames and lets pass what keeps the limits,
/// one request at a time, over one connection each to libzmq's own (local) socket. A message that breaks them gets an UPKI ERROR
/// of the guard's own, where ZMTP allows an answer (see Scanner). What passes has the peer's address as a frame in front; in what
/// CURVE has encrypted no frame can be put, nor can one be read: there sizes and numbers are bounded (see CurveScanner). A new
/// peer is always let in: it takes the place of the one that has been silent longest, those first that never asked anything.
class Guard {
 public:
  /// Listens.
  /// @errors BadConfig: no address; Io: in use.
  static Result<std::unique_ptr<Guard>> listen(const std::string& address, int port, Doors doors, GuardLimits limits = {});
  ~Guard();

  /// Serves for ever.
  [[noreturn]] void run(client::Complaints& complaints);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Peer;
  Guard(base::UniqueFd listener, Doors doors, GuardLimits limits);

  void serve_round();
  std::vector<pollfd> watched(Time now) const;
  int time_left_ms(Time now) const;
  void accept_some(Time now);
  bool make_room();
  void drop(Peer& peer, std::string_view why);
  void drop_overdue(Time now);

  void serve(Peer& peer, short outside, short inside, Time now);
  Status read_outside(Peer& peer);
  Status pass_request(Peer& peer);
  Status answer_refused(Peer& peer);
  Status read_inside(Peer& peer);
  Status read_greeting(Peer& peer);
  Status choose_door(Peer& peer);
  Status turn_away(Peer& peer, std::string_view spoken);
  Status connect_inside(Peer& peer, const std::string& inside);

  base::UniqueFd listener_;
  Doors doors_;
  GuardLimits limits_;
  Time accepts_again_{};  ///< out of descriptors until then
  std::vector<std::unique_ptr<Peer>> peers_;
  client::Complaints* complaints_ = nullptr;
};

}  // namespace chancery::zmq_gateway
