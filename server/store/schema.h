#pragma once

#include "server/store/driver.h"

namespace chancery::store {

/// Takes the database from the schema it has to the one this program knows, one statement in one transaction, each guarded
/// by compare-and-set on the version row: it may be cut off anywhere, and several processes may do it at once (PROMISES Q14).
///
/// @errors Unsupported: the schema is newer than this program; Corrupt: the version row makes no sense.
Status bring_up_to_date(Driver& driver);

/// Whether bring_up_to_date could; changes nothing. A database that has no version yet passes. @errors as bring_up_to_date.
Status check_schema(Driver& driver);
/// Whether it has all of it by now: another process may just be making it. @errors as check_schema.
Result<bool> is_up_to_date(Driver& driver);

}  // namespace chancery::store
