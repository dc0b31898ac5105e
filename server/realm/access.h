#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/realm_config.h"
#include "server/x509/general_name.h"
#include "server/x509/name.h"

/// Who may run which command on what: the realm's own rules, which stand beside the command table and never give more than it.
namespace chancery::realm {

/// Who asks.
struct Caller {
  std::string identity;            ///< "user:alice"
  std::vector<std::string> roles;  ///< as they were given, without those that they contain
};

/// The certificate that a command is about, one that is or one that is asked for.
struct About {
  std::string profile;
  std::string subject;  ///< slash form
  std::string cn;
  std::vector<x509::GeneralName> sans;
  bool any_name = false;  ///< whoever uses it chooses the names: a seed for any node
};

About about_certificate(std::string profile, const x509::Name& subject, std::vector<x509::GeneralName> sans);

struct AccessVerdict {
  bool allowed = true;
  std::optional<std::size_t> rule;  ///< the one that decided; none: no rule matched, or none was asked
  std::string why;                  ///< one line
};

/// The first rule that matches decides; where there are rules, what none matches is refused. Pure.
/// @param least  the command table's role for it @param about  null: the command is about no certificate, and rules with
/// conditions do not match
AccessVerdict judge_access(const config::PeopleConfig& people, const Caller& caller, std::string_view command, Role least,
                           const About* about);

/// Whether some certificate could make it allowed: what is asked before it is known which one the command is about.
bool could_be_allowed(const config::PeopleConfig& people, const Caller& caller, std::string_view command, Role least);

/// What roles by name come to: those of the command table. Names that nobody knows give nothing.
Roles roles_from_names(const config::PeopleConfig& people, const std::vector<std::string>& names);
/// Those of the names that there are in this realm, each once, in their order.
std::vector<std::string> known_role_names(const config::PeopleConfig& people, const std::vector<std::string>& names);

/// Whom a login stack's `gives` names by text; a subject by a glob.
struct Shown {
  std::string user;
  std::vector<std::string> groups;
  std::string profile;
  std::string dn;       ///< slash form
  bool listed = false;  ///< on the realm's list of administrators, with that key
};
/// The stack's roles and those that it gives to that one, by name, each once.
std::vector<std::string> roles_given(const config::LoginStack& stack, const Shown& shown);

}  // namespace chancery::realm
