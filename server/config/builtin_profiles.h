#pragma once

#include <map>

#include "server/config/realm_config.h"

namespace chancery::config {

/// The seven profiles that every realm has without saying anything: ca ra server webapp laptop user admin, with uPKI's values
/// (UPKI.md section 3). A realm's profiles/<name>.yml overrides single keys of one, or adds another.
std::map<ProfileName, Profile> builtin_profiles();

/// Makes it the O of their subjects.
void set_organisation(std::map<ProfileName, Profile>& profiles, const std::string& organisation);

}  // namespace chancery::config
