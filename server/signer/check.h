#pragma once

#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/base/names.h"

namespace chancery::signer {

struct RealmCheck {
  bool holds = true;               ///< the signer would start, and no profile of the realm's is good for nothing
  std::vector<std::string> lines;  ///< one each for what is wrong or doubtful
};

/// What only the signer can say of a realm: of its key, its CA's certificate, its journal, and of the profiles that the realm
/// configures whether its CA can issue any certificate of them. Built-in profiles that the realm leaves as they are need not be
/// of use to it. Changes and locks nothing.
RealmCheck check_realm(const RealmName& realm, const base::Path& directory, Seconds now);

/// What can be said of the key and the certificate of a realm whose settings do not hold, which are reported already: that they
/// are there, and what they seem to be.
RealmCheck check_ca_files(const RealmName& realm, const base::Path& directory, Seconds now);

}  // namespace chancery::signer
