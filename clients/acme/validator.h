#pragma once

#include <string>

#include "clients/acme/http01.h"
#include "clients/http/gateway.h"
#include "clients/http/pool.h"
#include "server/wire/json.h"

namespace chancery::acme {

/// A challenge that this process has claimed (acme.challenge.begin) and is to report on.
struct Validation {
  std::string realm;
  std::string account;
  std::string authorization;
  std::string type;  ///< "http-01"
  std::string claim;
  Http01Question question;
};

/// Validates in the background, a few at a time, and reports each verdict to the daemon.
class Validator {
 public:
  explicit Validator(http::Gateway& gateway);

  /// @return false: too many wait already; the claim is reported as failed by the caller, see give_up.
  bool submit(Validation validation);
  /// Reports that the validation did not take place.
  void give_up(const Validation& validation);

 private:
  void run(const Validation& validation);
  void report(const Validation& validation, const Verdict& verdict);

  http::Gateway& gateway_;
  http::Pool pool_;
};

}  // namespace chancery::acme
