#pragma once

#include <string>

#include "server/config/value.h"

/// What `make docs` makes of the tables of settings.
namespace chancery::config {

/// doc/settings.md: every setting of chancery.xml, ca.config.yml and profiles/*.yml.
std::string settings_manual();
/// etc/chancery.xml.sample: every setting at its default, with its doc; examples of what is repeated stand in comments.
std::string server_sample();
/// etc/ca.config.yml.sample: every setting of a realm at its default, commented out.
std::string realm_sample();

/// What a setting takes, shorter than in findings: "a duration from 1s to 1d".
std::string takes(const SettingInfo& info);

}  // namespace chancery::config
