#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "server/wire/json.h"

/// Members of the records that other programs wrote (upki_records, openxpki_records).
namespace chancery::signer {

/// The first of the names, in small letters, that is there and not null; however the record writes it: older versions of both
/// programs have capitals. Null: none is. @pre record is an object.
const Json* field(const Json& record, std::initializer_list<std::string_view> names);

/// Numbers as their digits: DBI writes them as texts, others do not. Empty: nothing, or another kind.
std::string text_of(const Json* value);

}  // namespace chancery::signer
