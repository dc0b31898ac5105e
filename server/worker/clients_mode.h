#pragma once

#include <string>
#include <vector>

#include "server/worker/session.h"

/// Whom a realm serves through front ends, uPKI's `clients:` (UPKI.md 4.1). Operators are served always: who comes to the socket
/// as oneself, and whoever a front end attests that may do a ca-operator's work.
namespace chancery::worker {

enum class Asks : std::uint8_t { Registration, Signature, Generation, Renewal };

/// The certificate that is asked for, as far as it is known by then.
struct AskedName {
  std::string cn;       ///< empty: none
  std::string dn = {};  ///< in slash form
  std::vector<x509::GeneralName> sans = {};
};

/// @errors PolicyRefused: `manual`, or `register` and neither a node of that common name nor an announcement of that DN, or
/// alternative names that were not registered with it.
Status check_clients_mode(Session& session, Asks what, const AskedName& name);

}  // namespace chancery::worker
