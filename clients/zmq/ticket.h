#pragma once

#include <chrono>

namespace chancery::zmq_gateway {

/// A request is of use for so long from its arrival; uPKI's RA gives up after 5 s, for good (UPKI.md 1.1).
inline constexpr std::chrono::milliseconds kAnswerLimit{4000};
/// Nothing is begun later that cannot be undone, nor the last command of an answer that takes many: it ends in time, too.
inline constexpr std::chrono::milliseconds kLastCommand{3000};

/// What the broker knows of a request, and tells the thread that answers it.
struct Ticket {
  std::chrono::steady_clock::time_point arrived{};
  int asker = -1;  ///< the descriptor inside libzmq that the request came by, see is_gone; -1: unknown
};

/// Whether the other end of that descriptor has hung up. libzmq closes it then, and its number may become another's: so "gone" is
/// always true, and "there" may be wrong for a moment.
bool is_gone(int asker);

}  // namespace chancery::zmq_gateway
