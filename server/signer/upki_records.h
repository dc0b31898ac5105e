#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/names.h"
#include "server/wire/json.h"

/// The records of uPKI's databases: TinyDB files of either generation (UPKI.md 1.7, 4.1).
namespace chancery::signer {

/// What one record says, whichever database it is of; members that it lacks are empty.
struct UpkiRecord {
  std::optional<Serial> serial;
  std::string dn{};  ///< slash form; as it stands where it is no DN
  std::string cn{};
  std::string profile{};
  std::string state{};  ///< lower case
  bool revoked = false;
  std::optional<Seconds> revoked_at;
  std::string reason;  ///< CRLReason name; empty: none that is known
};

/// Every record of a database: of its tables, or of a list. Other values are passed over.
std::vector<UpkiRecord> upki_records(const Json& database);

}  // namespace chancery::signer
