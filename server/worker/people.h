#pragma once

#include "server/worker/login.h"

/// What identity.* and token.* ask of who comes.
namespace chancery::worker {

/// The name of the person whom the session is for. @errors InvalidParams: it is for no person of the realm.
Result<std::string> own_name(const Session& session);
/// That the session is for that person, or has the role. @errors Denied.
Status check_own_or(const Session& session, const std::string& person, Role role);
/// That each is a role that people of this realm may have. @errors InvalidParams.
Status check_role_names(const Session& session, const std::vector<std::string>& names);

}  // namespace chancery::worker
