#pragma once

#include "server/worker/issue.h"
#include "server/worker/requests.h"

/// From what was asked for to what would be certified.
namespace chancery::worker {

/// What request.create was given, as the store keeps it.
struct RequestWish {
  realm::RequestKind kind = realm::RequestKind::Enrolment;
  std::string csr{};  ///< PEM; empty: none
  std::string profile{};
  std::vector<std::string> sans{};
  std::int64_t days = 0;             ///< 0: the profile's
  std::string serial{};              ///< of the certificate that it is about; empty: of none
  std::string dn{};                  ///< of a name change; empty: the certificate's
  std::string reason{};              ///< of a revocation
  std::string ca{};                  ///< of a rollover: the CA, or the generation
  std::string step{};                ///< likewise
  std::string from{};                ///< likewise; empty: as before
  std::string config{};              ///< of a change of rules: ca.config.yml as it shall be
  std::string hmac{};                ///< what it shows for itself, looked at when it is made and not kept
  std::string signature{};           ///< likewise
  std::vector<std::string> shown{};      ///< the proofs that held then
  std::vector<std::string> not_shown{};  ///< those that did not: whoever looks at the request later guesses nothing
  std::int64_t approvals = 0;        ///< people that make up for missing points of the policy
};
Json to_json(const RequestWish& wish);
Result<RequestWish> request_wish_from_json(const Json& object);

/// The order that a request leads to, without roles. @pre a certificate comes of it
/// @errors Malformed, BadProof, BadKey, InvalidParams; NotFound, Conflict: the certificate that it is about.
Result<Order> order_for(Session& session, const RequestWish& wish);

/// The content as it would be certified now, with those members that the request itself has filled in before.
/// @param wish  is told which proofs hold and which do not, and what is missing
/// @errors what the realm refuses.
Result<realm::RequestContent> content_of(Session& session, RequestWish& wish, realm::RequestContent frame);

/// Which proofs have been looked at, so that nobody compares a secret for the same request a second time.
void note_shown(RequestWish& wish, const realm::Ruling& ruling);

/// The profile of what is asked for. @pre it is about a certificate. @errors NotFound.
Result<ProfileName> profile_of_wish(Session& session, const RequestWish& wish);

}  // namespace chancery::worker
