#pragma once

#include <sys/types.h>

#include <string>

#include "server/base/result.h"

/// Unix users and groups, given by name or number.
namespace chancery::master {

struct Account {
  uid_t uid;
  gid_t gid;  ///< the primary group
  std::string name;
};

/// @errors NotFound.
Result<Account> find_user(const std::string& user);
Result<gid_t> find_group(const std::string& group);

/// Makes the process the user for good, supplementary groups included, and looks whether it is (PROMISES D31). Nothing happens
/// when it is that user already. @errors Denied; NotFound: no such user.
Status become_user(const std::string& user);

}  // namespace chancery::master
