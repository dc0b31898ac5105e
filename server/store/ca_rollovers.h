#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "server/base/clock.h"

/// Rollovers of CAs, as the store has them.
namespace chancery::store {

/// `rule` of the certificates that CAs make for each other when one is rolled over.
inline constexpr const char* kRolloverRule = "rollover";
/// Of what a CA certified for a service of the realm, which gets another one by itself (doc/services.md).
inline constexpr const char* kServiceRule = "service";

struct CaRollover {
  std::string ca;  ///< name of the CA
  std::int64_t generation = 0;
  std::string state;
  std::string old_label;  ///< empty: the new generation is the first
  std::string new_label;
  std::string source;  ///< self, root or request
  std::string changed_by{};
  Seconds changed_at{};
  std::int64_t version = 0;  ///< 0: not stored yet
};

/// What is left of one generation's certificates.
struct LivingOfCa {
  std::int64_t count = 0;  ///< neither expired nor revoked
  Seconds last_end{};      ///< of those that have not expired, revoked or not: until then a CRL must say which
};

/// Certificates that have not expired, by the generation that signed them; those of CAs for each other are left out.
struct LivingByCa {
  std::map<std::string, LivingOfCa> of;
  bool is_whole = true;  ///< no: there are more than were counted
};

}  // namespace chancery::store
