#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "clients/http/message.h"
#include "server/base/result.h"
#include "server/wire/json.h"

/// ACME's error vocabulary (RFC 8555 6.7) and its way through an Error: the first word of the hint is "acme:<type>", from this
/// program and from the daemon alike; a JSON object behind it may have the members subproblems, retry_after and terms. An error
/// without that word is mapped by its code.
namespace chancery::acme {

inline constexpr std::chrono::seconds kRetryAfter{2};  ///< for what passes by itself, when no more is known

/// One row of the table of types.
struct ProblemType {
  std::string_view name;  ///< "badNonce", without "urn:ietf:params:acme:error:"
  int status;             ///< HTTP status it goes with
};

/// The row of a name. An unknown name is a broken promise of our own code: throws Bug.
const ProblemType& problem_type(std::string_view name);

/// What an error becomes for an ACME client.
struct Problem {
  std::string_view type;
  int status;
  std::string detail;                                 ///< one line for people
  std::optional<Json> subproblems{};                  ///< RFC 8555 6.7.1
  std::optional<std::chrono::seconds> retry_after{};  ///< as the daemon says
  std::string terms{};                                ///< URL of terms that the client's user is to agree to (7.3.3)
};
Problem to_problem(const Error& error);

/// An Error that carries its ACME type. @param type  a name of the table.
Error acme_error(std::string_view type, std::string detail);

/// The same for what may pass by itself: the next try may have another outcome.
Error passing_error(std::string_view type, std::string detail);
bool is_passing(const Error& error);

/// The same error, of that ACME type.
Error as_acme(const Error& error, std::string_view type);

/// application/problem+json of RFC 8555 6.7; with the `algorithms` of badSignatureAlgorithm (6.2) and Retry-After where the
/// client should come again.
http::Response problem_response(const Error& error, std::chrono::seconds retry_after = kRetryAfter);
/// The same for refusals of the HTTP layer, which have a status and a line only.
http::Response problem_response(int status, std::string_view detail);

/// {type, detail, status}, and subproblems or the instance of terms where there are some: also what a challenge or an order keeps
/// as its error.
Json problem_document(const Problem& problem);

}  // namespace chancery::acme
