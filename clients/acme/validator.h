#pragma once

#include <functional>
#include <memory>
#include <optional>
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
  /// Called when it is over, with the authorization as the daemon has it then; none: it was given back, or could not be reported.
  std::function<void(std::optional<Json>)> when_over{};
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
  /// Whether something of that account waits or is validated.
  bool is_busy_for(const std::string& realm, const std::string& account) { return pool_.has(owner_of(realm, account)); }

 private:
  static std::string owner_of(const std::string& realm, const std::string& account) { return realm + "/" + account; }
  void run(const Validation& validation);
  Verdict find_out(const Validation& validation);
  void give_back(const Validation& validation, const std::string& why);
  std::optional<Json> report(const Validation& validation, const Verdict& verdict);

  http::Gateway& gateway_;
  std::unique_ptr<Panel> panel_;
  http::Pool pool_;
};

}  // namespace chancery::acme
