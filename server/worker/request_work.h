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

inline constexpr std::size_t kRequestIdOctets = 16;
/// A request to be stored, with the history that it begins with. @errors as content_of.
Result<store::RequestRow> new_request(Session& session, RequestWish& wish, const std::string& id);
store::RequestStep first_step(const Session& session, const store::RequestRow& row, std::string why,
                              std::vector<store::RequestFile> files);

/// The certificate that came of a request, and what is above it.
Result<Json> describe_made(Session& session, const Request& request);

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

/// Ends a request whose certificate was made, by an attempt that was cut off, in whatever state it was left.
/// @pre it is processing or failed. @errors what the signer and the store say.
Status finish_if_made(Session& session, Request& request);

/// Brings a request to its end that was cut off while it was done, as far as nobody has to decide anything: its certificate is
/// there, or its time is over. Else whoever picks it up has it done. @errors as finish_if_made.
Status settle(Session& session, Request& request);

/// Has a failed request be an approved one again, or one that waits for approvals where something else would come of it by now.
/// @errors Conflict: it has not failed, or its time is over; Denied.
Status retry(Session& session, Request& request, const Actor& actor, const std::string& why);

}  // namespace chancery::worker
