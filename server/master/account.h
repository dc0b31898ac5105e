#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "server/base/result.h"
#include "server/config/server_config.h"

/// Unix users and groups, given by name or number.
namespace chancery::master {

struct Account {
  uid_t uid;
  gid_t gid;                  ///< the primary group
  std::vector<gid_t> groups;  ///< all of them
};

/// @errors NotFound.
Result<Account> find_user(const std::string& user);
Result<gid_t> find_group(const std::string& group);

/// Whom workers become: none when the configuration names nobody. @errors NotFound.
Result<std::optional<Account>> worker_account(const config::ServerConfig& server);

/// Makes the process that user for good, supplementary groups included, and looks whether it is (PROMISES D31). Nothing happens
/// when it is that user already. @errors Denied.
Status become(const Account& account);

}  // namespace chancery::master
