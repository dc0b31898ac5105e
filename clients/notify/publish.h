#pragma once

#include <chrono>
#include <functional>
#include <map>

#include "clients/lib/client.h"
#include "clients/notify/settings.h"

namespace chancery::notify {

/// Puts a realm's CRLs into its directory: CA.crl (DER, RFC 2585 4) and CA.crl.pem for each generation, each replaced in one
/// step, and runs the realm's program for each new one until that succeeds. What is in the directory is the memory: a CRL that is
/// there is not put there again, and CA.crl.untold says that the program has not succeeded yet, also after a restart.
class Publisher {
 public:
  using Clock = std::chrono::steady_clock;
  /// Says what went wrong with one CA; the next one has its turn.
  using Complain = std::function<void(const std::string& ca, const Error& error)>;

  /// @param realm  outlives it
  explicit Publisher(const RealmSettings& realm) : realm_(realm) {}

  /// Looks at every generation once. @errors those of ca.list.
  Status take_turn(client::Client& client, const Complain& complain);

 private:
  struct Attempts {
    int failed = 0;
    Clock::time_point next{};
  };
  Status publish(client::Client& client, const std::string& ca);
  Status tell(const std::string& ca, std::int64_t number);

  const RealmSettings& realm_;
  std::map<std::string, Attempts> attempts_;  ///< of the program, by CA
};

}  // namespace chancery::notify
