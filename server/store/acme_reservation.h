#pragma once

#include <string>
#include <vector>

#include "server/base/clock.h"

namespace chancery::store {

/// What an order asks for before its certificate is signed: room for one more certificate of each of these names.
struct AcmeReservation {
  std::string order;
  std::vector<std::string> names;  ///< "DNS:a.example.com"
  Seconds at{};
  std::size_t most = 1;   ///< certificates of each name, those that are being signed among them
  Seconds since{};        ///< certificates count that were issued after that time
  Seconds alive_since{};  ///< reservations of other orders count that were made after that time; the others have lapsed
};

/// A name of which there are as many as there may be: when, the newest first.
struct AcmeNameInUse {
  std::string name;
  std::vector<Seconds> certificates;
  std::vector<Seconds> reservations;  ///< of other orders
};

}  // namespace chancery::store
