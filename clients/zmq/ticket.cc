#include "clients/zmq/ticket.h"

#include <poll.h>

namespace chancery::zmq_gateway {

bool is_gone(int asker) {
  pollfd other_end{asker, 0, 0};  // a hang-up shows unasked, and so does a descriptor that is closed
  return ::poll(&other_end, 1, 0) > 0;
}

}  // namespace chancery::zmq_gateway
