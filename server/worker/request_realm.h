#pragma once

#include "server/worker/request_orders.h"
#include "server/worker/requests.h"

/// Requests that are about the realm itself: steps of its CAs' rollovers, and its rules (doc/four-eyes.md).
namespace chancery::worker {

/// What the realm's configuration says of such a kind; null: it is about a certificate.
struct RealmRule {
  realm::RequestKind kind;
  int config::RequestsConfig::*needed;
  std::vector<std::string> config::RequestsConfig::*roles;
};
const RealmRule* realm_rule(realm::RequestKind kind);

/// Whether the session could have a wish of such a kind done without a request: every step of a rollover, where the realm has
/// none approved.
bool may_take_alone(const Session& session, const RequestWish& wish);

/// Who asks must have the role that could do it alone where nothing is approved, or one of those that approve.
/// @errors Denied; PolicyRefused: nothing of the kind is approved in this realm.
Status check_may_ask(const Session& session, realm::RequestKind kind);

/// @errors NotFound, InvalidParams: the CA or the generation; Conflict: there is no such step now.
Result<realm::RequestContent> rollover_content(Session& session, const RequestWish& wish, realm::RequestContent content);
/// @errors InvalidParams: the configuration does not hold, or changes no rule.
Result<realm::RequestContent> rules_content(const Session& session, const RequestWish& wish, realm::RequestContent content);

/// Takes the approved steps that are not taken yet, as far as they may be. @param approved  what the signer may want to see
/// @return the generation. @errors Unavailable: something is waited for, and another try goes on.
Result<std::string> roll_over(Session& session, const Request& request, signer::ApprovedRequest approved);
/// From now on a start or a reload may take these rules. @return nothing
Result<std::string> approve_rules(Session& session, const Request& request);

/// What a request's description has beside the others'.
void describe_realm_request(const Session& session, const Request& request, Json& out);
/// What a rollover has come to, for request.pickup.
Status describe_rollover_made(Session& session, const Request& request, Json& out);

}  // namespace chancery::worker
