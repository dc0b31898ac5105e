#pragma once

#include <filesystem>

namespace chancery::master {

/// chanceryd --check: every finding of the configuration, and what each realm's signer finds about its key, certificate and
/// journal. @return the exit status, Exit::Ok or Exit::Config.
int check(const std::filesystem::path& chancery_xml);

/// chanceryd --check --diff: that, of the configuration `after`, and then what changes from `before` to it, a line each.
int check_change(const std::filesystem::path& before, const std::filesystem::path& after);

}  // namespace chancery::master
