#pragma once

#include <chrono>
#include <functional>
#include <map>

#include "clients/lib/client.h"
#include "clients/notify/back_off.h"
#include "clients/notify/settings.h"

namespace chancery::notify {

/// Calls for every generation of every CA, by name. @errors those of ca.list, Closed, and the first that it is given.
Status for_each_generation(client::Client& client, const std::function<Status(const std::string& ca)>& call);

/// Puts a realm's CRLs into its directory: CA.crl (DER, RFC 2585 4) and CA.crl.pem for each generation, delta CRLs as
/// CA.delta.crl, each replaced in one step, and runs the realm's program for each new one until that succeeds. What is in the
/// directory is the memory: a CRL that is there is not put there again, and CA.crl.untold says that the program has not succeeded
/// yet, also after a restart.
class Publisher {
 public:
  /// Says what went wrong with one CA; the next one has its turn.
  using Complain = std::function<void(const std::string& ca, const Error& error)>;

  /// @param realm  outlives it
  explicit Publisher(const RealmSettings& realm) : realm_(realm) {}

  /// Looks at every generation once. @errors those of ca.list.
  Status take_turn(client::Client& client, const Complain& complain);

 private:
  /// One CRL of a generation: the full one, or the delta.
  struct Which {
    std::string ca;
    std::string kind;  ///< full or delta

    std::string name() const { return kind == "full" ? ca : ca + "." + kind; }
  };
  Status publish(client::Client& client, const Which& which);
  Status tell(const Which& which, std::int64_t number);

  const RealmSettings& realm_;
  std::map<std::string, BackOff> attempts_;  ///< of the program, by the file
};

}  // namespace chancery::notify
