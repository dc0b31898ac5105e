#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/config/realm_config.h"
#include "server/x509/general_name.h"
#include "server/x509/name.h"

/// Requests that need nobody's approval, by a rule of their profile. Pure.
namespace chancery::realm {

/// What rules look at.
struct AutoFacts {
  x509::Name subject;  ///< as it would be certified
  std::vector<x509::GeneralName> names;
  std::string_view hosts;       ///< the file of known hosts; empty: there is none, or nobody could read it
  std::string address;          ///< from where it is asked for, as a front end says; empty: nobody said so
  bool is_own_renewal = false;  ///< by who has shown the key of the certificate that is renewed
  Seconds now{};
};

/// The rule that approves, "known hosts"; empty: none does.
std::string approving_rule(const config::ApprovalRules& rules, const AutoFacts& facts);

}  // namespace chancery::realm
