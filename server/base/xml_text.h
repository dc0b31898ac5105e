#pragma once

#include <string>
#include <string_view>

namespace chancery::base {

/// Text as it stands in an attribute between double quotes, or between tags (XML 1.0 2.4): & < > " become entities.
std::string to_xml(std::string_view text);
/// The same backwards; another entity stays as it is.
std::string from_xml(std::string_view text);

}  // namespace chancery::base
