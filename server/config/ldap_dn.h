#pragma once

#include <string_view>

#include "server/base/result.h"

namespace chancery::config {

/// The name of an entry as LDAP has it (RFC 4514 3), of attribute types of any kind; blanks around types and values are passed
/// over, as LDAP's own programs do. The empty name is one.
Status check_ldap_dn(std::string_view text);
/// One that is filled in later: {ca} or {cn} stands in a value.
Status check_ldap_dn_template(std::string_view text);

}  // namespace chancery::config
