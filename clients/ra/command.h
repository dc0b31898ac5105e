#pragma once

#include "clients/ra/ca_host.h"
#include "server/wire/message.h"

namespace chancery::ra {

/// One command of the CA's daemon, as the task `command` carries it. @param message  method, params, for, certificate, realm.
/// @return the daemon's own answer, a result or an error.
/// @errors what lies between: those of Link::ask; Malformed: an answer that is none of a daemon's.
Result<wire::Reply> ask_daemon(Link& link, const Json& message);

/// The same for who makes no difference between the two.
Result<Json> command(Link& link, const Json& message);

}  // namespace chancery::ra
