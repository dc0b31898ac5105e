#pragma once

#include "server/wire/json.h"

/// Identifiers (RFC 8555 7.1.4, 9.7.7) as clients send them and as the daemon gives them.
namespace chancery::acme {

/// An object with the texts type and value, and nothing but these: what types there are is the realm's business.
/// @errors malformed: another form.
Result<Json> read_identifier(const Json& json);

/// The member `identifier` of a payload. @errors malformed: it is missing, or has another form.
Result<Json> read_identifier_of(const Json& payload);

/// The member `identifiers` of a payload (7.1.3). @errors malformed: there is none, or one has another form.
Result<Json> read_identifiers_of(const Json& payload);

}  // namespace chancery::acme
