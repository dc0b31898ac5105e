#pragma once

#include <chrono>
#include <iosfwd>
#include <string>

#include "clients/lib/client.h"

namespace chancery::cli {

struct WatchOptions {
  client::Options server;
  std::string realm, front_end;
  double every_seconds = 1;  ///< between two looks
  bool json = false;         ///< one object a line, instead of columns
};

/// `chancery acme watch`: prints what becomes of ACME orders (order_watch.h) until it is ended, or until nobody reads it. A
/// server that is restarting is waited for, which it says once.
/// @errors those of acme.orders but Closed, Unavailable and Busy; Io: out refuses.
Status watch_orders(const WatchOptions& options, std::ostream& out, std::ostream& complaints);

}  // namespace chancery::cli
