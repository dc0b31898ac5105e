#pragma once

#include "server/realm/rules.h"

/// What rules make of names: {cn}, {host}, {domain}, {user} and {requester} in a template stand for what the request says. Values
/// are put into attributes and names that are parsed already, so none of them can add another.
namespace chancery::realm {

/// @errors Malformed: the request has no such value, or the name would hold what a name must not.
Result<x509::Name> subject_from_template(const std::string& slash, const Question& question);
Result<std::vector<x509::GeneralName>> sans_from_templates(const std::vector<std::string>& texts, const Question& question);

}  // namespace chancery::realm
