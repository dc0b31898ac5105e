#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "server/base/result.h"

/// Certification Authority Authorization (RFC 8659) with accounturi and validationmethods (RFC 8657). Pure: who asks the DNS is
/// handed in.
namespace chancery::dns {

/// Who wants to issue for what, and how it was proved.
struct CaaWish {
  std::string name{};  ///< lower-case A-labels, without "*."
  bool wildcard = false;
  std::vector<std::string> issuers{};  ///< the names that stand for this CA, lower case
  std::string account_url{};           ///< of the account that asked
  std::string method{};                ///< "dns-01"
};

/// Decides by the records of one name. @param rdata  all its CAA records; none: nobody is restricted.
/// @return what was decisive, for the evidence: "no CAA records", "issue \"ca.example\"".
/// @errors Denied: not this CA, account or method, a critical tag that is not known, or a record that cannot be read.
Result<std::string> judge_caa(std::span<const std::string> rdata, const CaaWish& wish);

/// Looks for the records that count, from the name towards the root (RFC 8659 3), and judges them.
///
/// @param records_of  the CAA records of a name; empty: none, or no such name. Its error ends the search.
/// @return as judge_caa, with the name at which the records stand.
/// @errors those of judge_caa, with that name in front; those of records_of.
Result<std::string> check_caa(const CaaWish& wish,
                              const std::function<Result<std::vector<std::string>>(const std::string&)>& records_of);

}  // namespace chancery::dns
