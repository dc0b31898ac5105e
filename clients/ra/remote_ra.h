#pragma once

#include <string_view>

#include "clients/http/settings.h"
#include "clients/ra/environment.h"
#include "server/base/clock.h"

/// chancery-http as an RA on another machine than its CA, beginning as uPKI's RA does (UPKI.md 5.4): by the environment, a seed
/// and two ports.
namespace chancery::ra {

/// Makes data directory and CURVE key. @return where, the key, and what the CA's operator writes into chancery.xml.
/// @errors those of DataDirectory::prepare.
Result<Json> init(const Environment& environment);

/// `register` at the registration port, unless there is a certificate: then that is used. @return what it is.
/// @errors those of init; BadConfig: no seed, or no way to the CA; Timeout: no answer within 5 s; Unavailable; Denied: the CA
/// refuses, the seed for example; Malformed, BadKey: an answer that cannot be used; Conflict: files that cannot.
Result<Json> register_ra(const Environment& environment, const base::Clock& clock);

/// The same; then `list_admins` at the port of operations, whose refusal is only logged, as uPKI's RA does it.
/// @return what chancery-http is to serve. @errors those of register_ra; Timeout, Unavailable: no answer to list_admins.
Result<http::Settings> start(const Environment& environment, const base::Clock& clock);

}  // namespace chancery::ra
