#pragma once

#include <string>

#include "server/wire/message.h"
#include "server/worker/session.h"

namespace chancery::worker {

/// Runs one request line and gives the reply line. Every refusal of the table happens here: unknown commands, session state,
/// roles, parameters. A Bug in a handler is answered as internal and logged; the worker lives on.
std::string dispatch(Session& session, std::string_view line);

}  // namespace chancery::worker
