#pragma once

#include <memory>
#include <string>

#include "clients/acme/panel.h"
#include "clients/acme/quorum.h"
#include "clients/http/gateway.h"
#include "clients/http/pool.h"
#include "server/wire/json.h"

namespace chancery::acme {

/// A challenge that this process has claimed (acme.challenge.begin), or CAA records that it is to look up again
/// (acme.order.finalize), and is to report on.
struct Validation {
  enum class Kind : std::uint8_t { Challenge, Caa };
  Kind kind = Kind::Challenge;
  std::string realm{};
  std::string account{};
  std::string order{};  ///< of Kind::Caa
  std::string authorization{};
  std::string claim{};
  Question question{};
  Vantage vantage{};  ///< who looks, too
};

/// Validates in the background, a few at a time, and reports each verdict to the daemon. Accounts take turns, whatever each has
/// asked for: whose servers are slow has other accounts wait for nothing.
class Validator {
 public:
  /// @param panel  null: realms with vantage points find that nothing is proved.
  Validator(http::Gateway& gateway, std::unique_ptr<Panel> panel);

  /// One that cannot be taken, or waits too long, is given back to the daemon without a verdict: who looks at it next begins it
  /// again.
  void submit(Validation validation);

 private:
  void run(const Validation& validation);
  Verdict find_out(const Validation& validation);
  void give_back(const Validation& validation, const std::string& why);
  void report(const Validation& validation, const Verdict& verdict);

  http::Gateway& gateway_;
  std::unique_ptr<Panel> panel_;
  http::Pool pool_;
};

}  // namespace chancery::acme
