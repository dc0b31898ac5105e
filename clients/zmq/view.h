#pragma once

#include <string>

#include "server/wire/json.h"

namespace chancery::zmq_gateway {

/// uPKI's `view` of what certificate.get gave (UPKI.md 1.4), with the keys `serial` and `status` that its RA looks for.
Json certificate_view(const Json& certificate);

/// uPKI's node of what node.get or node.list gave: {dn, cn, profile, state, serial} (UPKI.md 1.3).
Json node_view(const Json& node);

/// The CN of a slash DN, or an empty text.
std::string common_name_of(const std::string& dn);

}  // namespace chancery::zmq_gateway
