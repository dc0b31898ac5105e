#pragma once

#include "server/wire/json.h"

namespace chancery::acme {

/// The payload of a newOrder request (RFC 8555 7.4; `profile` of draft-ietf-acme-profiles, `replaces` of RFC 9773 5) as what
/// acme.order.create takes of it. Members that nobody knows are passed over, as RFC 8555 7.1 wants it.
/// @errors malformed: no identifiers, or a member of another form.
Result<Json> read_new_order(const Json& payload);

}  // namespace chancery::acme
