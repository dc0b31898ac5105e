#pragma once

#include "server/worker/params.h"
#include "server/worker/session.h"

namespace chancery::worker {

/// What runs one command. The session is in the state and has the role that the command's row demands, and the params
/// follow it: handlers do not check them again.
using Handler = Result<Json> (*)(Session& session, const Params& params);

#define COMMAND(name, handler, role, state, effect, params, result, doc) \
  Result<Json> handler(Session& session, const Params& params);
#include "server/wire/commands.def"
#undef COMMAND

/// crl.issue, of one generation of a CA.
enum class CrlKind : std::uint8_t { Full, Delta };
Result<Json> issue_crl(Session& session, const std::string& ca, bool only_if_due, CrlKind kind = CrlKind::Full);

/// certificate.renew, with other roles than the session's. @param is_holder  who asks has shown the certificate's key
Result<Json> renew_certificate(Session& session, const Params& params, const Roles& roles, bool is_holder = false);

/// Of so long a time the realm's own_renewals_per_day is.
inline constexpr std::chrono::days kOwnRenewalTurn{1};

/// The handler of a command's name. @pre the name is in the table
Handler handler_of(std::string_view command);

}  // namespace chancery::worker
