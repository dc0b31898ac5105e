#pragma once

#include <functional>
#include <memory>

#include "clients/http/settings.h"
#include "clients/ra/environment.h"
#include "clients/ra/renewal.h"
#include "server/base/clock.h"

/// chancery-http as an RA on another machine than its CA, beginning as uPKI's RA does (UPKI.md 5.4): by the environment, a seed
/// and two ports.
namespace chancery::ra {

/// Makes data directory and CURVE key. @return where, the key, and what the CA's operator writes into chancery.xml.
/// @errors those of DataDirectory::prepare.
Result<Json> init(const Environment& environment);

/// Makes no CURVE key: that is init's. `register` at the registration port, unless there is a certificate: then that is used.
/// @return what it is.
/// @errors those of DataDirectory::check; BadConfig: no seed, or no way to the CA; Timeout: no answer within 5 s; Unavailable;
/// Denied: the CA refuses, the seed for example; Malformed, BadKey: an answer that cannot be used; Conflict: files that cannot.
Result<Json> register_ra(const Environment& environment, const base::Clock& clock);

/// The same; then `list_admins` at the port of operations, whose refusal is only logged, as uPKI's RA does it.
/// Then `get_ca`, and a look at the realm that was named: files of another CA and another realm's name are no beginning.
/// @return what chancery-http is to serve. @errors those of register_ra; Timeout, Unavailable: no answer; Conflict: another CA;
/// BadConfig: the CA refuses the realm.
Result<http::Settings> start(const Environment& environment, const base::Clock& clock);

/// While it lives, the certificate of what start() gave is renewed in time. @errors those of CaHost::find.
Result<std::unique_ptr<Renewal>> keep_renewed(const http::Settings& settings, const base::Clock& clock,
                                              std::function<void()> on_renewed);

}  // namespace chancery::ra
