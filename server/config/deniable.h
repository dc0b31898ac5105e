#pragma once

#include <string_view>

namespace chancery::config {

/// Whether rules that deny hold for a command that anybody may run: it issues. Whom none denies has the policy decide.
inline bool is_deniable(std::string_view command) { return command == "certificate.enrol"; }

}  // namespace chancery::config
