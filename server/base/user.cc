#include "server/base/user.h"

#include <pwd.h>

namespace chancery::base {

std::string user_name(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry == nullptr ? std::to_string(uid) : entry->pw_name;
}

}  // namespace chancery::base
