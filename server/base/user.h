#pragma once

#include <sys/types.h>

#include <string>

namespace chancery::base {

/// What the name service calls that user; the number when it knows none.
std::string user_name(uid_t uid);

}  // namespace chancery::base
