#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

/// Unix users and groups, as the name service knows them. Either is given by name or number.
namespace chancery::base {

struct User {
  std::string name;
  uid_t uid;
  gid_t group;  ///< the primary one
};

/// None: this machine knows no such user.
std::optional<User> find_user(const std::string& name_or_number);
/// All groups of a user, the primary one among them.
std::vector<gid_t> groups_of(const User& user);
/// A number stands for itself. None: this machine knows no group of that name.
std::optional<gid_t> find_group(const std::string& name_or_number);

/// What the name service calls that user; the number when it knows none.
std::string user_name(uid_t uid);

}  // namespace chancery::base
