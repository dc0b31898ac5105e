#pragma once

#include "server/worker/request_orders.h"
#include "server/worker/requests.h"

/// What commands about requests do together.
namespace chancery::worker {

/// The rule of a request whose requester could have had it done without one.
inline constexpr std::string_view kDirectRule = "role of the requester";
/// The certificate that came of a request stands by this rule.
std::string rule_of_request(const std::string& id);

Json describe_row(const Session& session, const store::RequestRow& row);
/// With its history and attachments.
Result<Json> describe_request(Session& session, const Request& request);

/// The wish of a request. @errors Corrupt.
Result<RequestWish> wish_of(const store::RequestRow& row);

/// Has the content be what would be certified now; when it is another one, earlier approvals count no more.
/// @errors what the realm refuses by now; Conflict: somebody else was first.
Status bring_up_to_date(Session& session, Request& request);

/// Whether people or a rule have approved enough, as the profile wants it now.
bool is_approved_enough(const Session& session, const Request& request);

/// Does what an approved request asks for, once for ever; a request in processing is finished.
/// @param actor  who has it done. @errors Conflict: it is not approved; what the realm or the signer refuses.
Status carry_out(Session& session, Request& request, const Actor& actor);

/// Expires requests whose time is over, a batch of them.
Status expire_requests(Session& session);

}  // namespace chancery::worker
