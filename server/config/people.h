#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/role.h"

/// Who people are in a realm and what they may: `roles`, `logins`, `login_limits` and `access` of ca.config.yml. Pure values.
namespace chancery::config {

/// One way to log in. Settings that belong to other methods keep their defaults.
struct LoginStack {
  std::string method = "password";  ///< password, token, certificate, unix, program or ldap
  std::vector<std::string> roles;   ///< of everybody who logs in by it
  /// Role -> whom it is for besides: "user:alice", "group:web", "profile:ra", "subject:/O=Example/*", "dn:/CN=alice", "listed".
  std::map<std::string, std::vector<std::string>> gives;
  int scrypt_cost = 15;                        ///< password: log2 of scrypt's N
  std::string program;                         ///< program: absolute path
  std::vector<std::string> arguments;          ///< program
  std::chrono::seconds timeout{10};            ///< program, ldap
  std::string url;                             ///< ldap: ldap://, ldaps:// or ldapi://
  bool start_tls = false;                      ///< ldap
  std::string tls_ca_file;                     ///< ldap
  std::string bind_dn;                         ///< ldap: who searches; empty: anonymously
  std::string bind_password_file;              ///< ldap
  std::string base;                            ///< ldap
  std::string filter = "(uid={user})";         ///< ldap
  std::string group_base;                      ///< ldap; empty: no groups
  std::string group_filter = "(member={dn})";  ///< ldap
  std::string group_attribute = "cn";          ///< ldap

  bool operator==(const LoginStack&) const = default;
};

/// Whether a rule's pattern means e-mail addresses or URIs; else it is a base::NamePattern.
inline bool is_glob_of_names(std::string_view pattern) {
  return pattern.find('@') != std::string_view::npos || pattern.find("://") != std::string_view::npos;
}

/// One of the realm's rules, of which the first that matches decides.
struct AccessRule {
  std::string name;
  std::string decision = "allow";     ///< or deny
  std::vector<std::string> who;       ///< roles by name, identities ("user:alice"), or "*"
  std::vector<std::string> commands;  ///< globs: "certificate.*"
  std::vector<std::string> profiles;  ///< empty: any, and what has none
  std::vector<std::string> subjects;  ///< globs over DNs in slash form; empty: any
  std::vector<std::string> names;     ///< base::NamePattern, or globs of e-mail addresses and URIs; empty: any
  std::string reason;                 ///< for who is refused

  /// Whether it says something about certificates, and not of commands alone.
  bool has_conditions() const { return !profiles.empty() || !subjects.empty() || !names.empty(); }
  bool operator==(const AccessRule&) const = default;
};

/// How often one may fail, and for how long one is in.
struct LoginLimits {
  int failures = 5;            ///< of one person in a row
  int failures_per_peer = 50;  ///< of one Unix user
  std::chrono::seconds lockout{std::chrono::minutes{15}};
  std::chrono::seconds delay{1};  ///< after the second failure; twice as long after each further one
  int sessions = 0;               ///< of one person at a time; 0: any number
  std::chrono::seconds lifetime{std::chrono::hours{12}};
  std::chrono::seconds idle{std::chrono::minutes{30}};

  bool operator==(const LoginLimits&) const = default;
};

/// Whether rules are asked for a command of that least role: what anybody may, and what only front ends do, is not theirs.
inline bool is_judged(Role least) { return least != Role::Anonymous && least != Role::Frontend; }

/// Whether rules that deny hold for a command that anybody may run: it issues. Whom none denies has the policy decide.
inline bool is_deniable(std::string_view command) { return command == "certificate.enrol"; }

struct PeopleConfig {
  std::map<std::string, Roles> roles;  ///< the realm's own: what each contains
  std::map<std::string, LoginStack> logins;
  LoginLimits limits;
  std::vector<AccessRule> access;  ///< none: the command table decides alone

  bool operator==(const PeopleConfig&) const = default;
};

}  // namespace chancery::config
