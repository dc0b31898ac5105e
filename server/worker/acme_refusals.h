#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "server/wire/json.h"
#include "server/x509/general_name.h"

/// Refusals that say more than one line: which identifiers are bad (RFC 8555 6.7.1), and when to come again. Behind the ACME type
/// in the hint stands a JSON object: `acme:rejectedIdentifier {"subproblems":[…]}`, `acme:rateLimited {"retry_after":90}`.
namespace chancery::worker {

/// A refusal as the problem document that an order keeps.
std::string problem_of(const Error& error);

/// An identifier that an order may not have.
struct BadIdentifier {
  Json identifier;   ///< {type, value}
  std::string type;  ///< of ACME's errors
  std::string why;
};

/// The refusal of an order for them: of their type, where they have one type, else compound. @pre there is one
Error refuse_identifiers(const std::vector<BadIdentifier>& bad);

/// acme:rateLimited. @param bad  the identifiers that there was too much of; empty: it is the account itself
Error rate_limited(std::string message, std::chrono::seconds wait, const std::vector<BadIdentifier>& bad = {});

/// As names_of, but a refusal names every identifier that is bad.
Result<std::vector<x509::GeneralName>> names_for_order(const Json& identifiers);

}  // namespace chancery::worker
