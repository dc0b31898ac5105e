#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/store/records.h"

namespace chancery::store {

/// Room for one more certificate below limits of the realm's policy.
struct LivingReservation {
  struct Limit {
    bool of_subject = true;  ///< else of the requester
    std::string whose;
    int most = 1;               ///< with the new one
    bool counts_living = true;  ///< false: those that are being made alone
  };
  std::string id;  ///< of the attempt
  Seconds at{};
  Seconds alive_since{};  ///< reservations of others count that were made after that time; the others have lapsed
  Living living{};        ///< `most` is each limit's own
  std::vector<Limit> limits;
};

/// A request that the realm's policy refused.
struct RefusedRequest {
  std::string id;  ///< the same for the same request
  Seconds last_at{};
  Seconds first_at{};
  std::int64_t times = 0;
  std::string content;
  std::string why;
};

}  // namespace chancery::store
