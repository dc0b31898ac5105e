#pragma once

#include "server/wire/commands.h"
#include "server/wire/message.h"
#include "server/worker/session.h"

/// The audit stream (PROMISES C17, C18): the signer's journal holds it, in one chain with what the key signed. A worker adds what
/// happens without the key.
namespace chancery::worker {

/// Durable before the act is done. @errors Io, Unavailable: the act must not be done.
Status audit_begin(Session& session, const wire::Request& request);
/// A certificate's change of state, as JSON, before it is made. @errors as audit_begin.
Status audit_state(Session& session, const Json& about);
/// Something else that is done without a command of its own, before it is. @errors as audit_begin.
Status audit_deed(Session& session, std::string_view what, const Json& about);
/// What became of it. A stream that ends here in the middle of an act shows that its outcome is unknown.
void audit_end(Session& session, const wire::Request& request, const Result<Json>& outcome);
/// What the realm did by itself, when it is done. @errors as audit_begin.
Status audit_result(Session& session, const std::string& what, const Json& about, const std::string& outcome);
/// What was asked for and not allowed; of more than kMostRefusals in a minute of one session only the log has the rest, so that
/// nobody fills the stream by asking.
void audit_refusal(Session& session, const wire::Request& request, const Error& refusal);

inline constexpr int kMostRefusals = 20;

}  // namespace chancery::worker
