#pragma once

#include <string>

#include "server/worker/session.h"

/// Whom a realm serves through front ends, uPKI's `clients:` (UPKI.md 4.1). Operators are served always: who comes to the socket
/// as oneself, and whoever a front end attests that may do a ca-operator's work.
namespace chancery::worker {

enum class Asks : std::uint8_t { Registration, Signature, Generation, Renewal };

/// @param cn  common name of the certificate that is asked for; empty: none.
/// @errors PolicyRefused: `manual`, or `register` and no node of that name.
Status check_clients_mode(Session& session, Asks what, const std::string& cn);

}  // namespace chancery::worker
