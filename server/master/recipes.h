#pragma once

#include <memory>
#include <vector>

#include "server/base/scoreboard.h"
#include "server/config/load.h"
#include "server/master/pass_book.h"
#include "server/master/run_directory.h"
#include "server/master/spawn.h"
#include "server/master/supervisor.h"

namespace chancery::master {

/// What the processes of a server share. All of it outlives them.
struct Shared {
  RunDirectory* directory;
  base::Scoreboard* board;
  int life;  ///< read end of the life pipe: EOF means that the master is gone
  PassBooks* passes;
  const Account* worker;  ///< whom workers and upkeep become; null: nobody else
};

/// The processes that a configuration wants: a signer for each realm, upkeep, the keymaker where profiles ask for slow key pairs,
/// the enabled front ends.
std::vector<Wanted> recipes(const std::shared_ptr<const config::Snapshot>& snapshot, const Shared& shared);

/// How the signer's program is called to look at a realm's key, certificate and journal, and to say what does not hold. Of a
/// realm whose settings do not hold, that is the key and the certificate.
Result<Command> signer_check(const config::ServerConfig& server, const config::ReadRealm& read);

}  // namespace chancery::master
