#pragma once

#include <map>
#include <string>
#include <string_view>

#include "server/base/result.h"

namespace chancery::signer {

/// The values of the section that openssl.cnf names as default_ca, their variables put in: what openssl-ca(1) reads. Values that
/// are in no section hold where the section has none.
/// @errors Malformed: a line that is none, or a variable that is not known, a section that misses; Unsupported: `.include`, and
/// variables of the environment, since both lead elsewhere; TooLarge: above 1 MiB.
Result<std::map<std::string, std::string>> parse_default_ca(std::string_view text);

}  // namespace chancery::signer
