#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "server/base/fd.h"
#include "server/base/scoreboard.h"
#include "server/config/load.h"
#include "server/config/server_config.h"

/// What the master starts of this room. Nothing else of it is visible there: the master cannot parse a client's bytes.
namespace chancery::worker {

/// All that a worker gets; it is forked with this and nothing else.
struct WorkerStart {
  base::UniqueFd client;          ///< the accepted connection
  base::UniqueFd life;            ///< read end of the life pipe: EOF means that the master is gone
  base::UniqueFd passes;          ///< where it asks the master for the passes of its realm, once (base/realm_passes.h)
  base::UniqueFd login_runner{};  ///< what runs login programs for it, which it made itself; most have none
  std::shared_ptr<const config::Snapshot> snapshot;
  std::uint64_t generation = 0;  ///< of the snapshot, as the scoreboard counts them
  base::Scoreboard* board = nullptr;
  std::size_t slot = 0;
  base::PeerCredentials peer{};
  std::string peer_name;     ///< of the peer's user, where the master knows it; empty: to be asked for
  bool from_upkeep = false;  ///< the client is this server's own upkeep, by its process number
};

/// Serves one connection until it ends. @return the exit status (base::Exit).
int run_worker(WorkerStart start);

struct UpkeepStart {
  base::UniqueFd life;
  std::shared_ptr<const config::Snapshot> snapshot;
  base::Scoreboard* board = nullptr;
};

/// Timers: CRLs before they run out, the journal's records that the store lacks. A client of the same socket as anybody.
int run_upkeep(UpkeepStart start);

struct KeymakerStart {
  base::UniqueFd life;
  int listener = -1;      ///< of keymaker_socket_file
  base::UniqueFd passes;  ///< a file of what workers show it: "REALM PASS" lines
  std::shared_ptr<const config::Snapshot> snapshot;
  base::Scoreboard* board = nullptr;
};

/// Makes RSA key pairs in advance and gives each to one worker. They are in its memory only; with it they go.
int run_keymaker(KeymakerStart start);

/// What of the configuration the keymaker depends on.
struct KeymakerPart {
  std::string settings;           ///< empty: there is nothing for it to do
  std::vector<RealmName> realms;  ///< those that can ask it
};
KeymakerPart keymaker_part(const config::Snapshot& snapshot);

/// What a realm's command_roles may name, for config::load. Sorted by name.
std::vector<config::KnownCommand> known_commands();

/// The tests beside the realm's policy rules that do not hold, for config::load.
std::vector<config::FailedPolicyTest> failed_policy_tests(const config::RealmConfig& realm);

/// Why the realm's store could not be opened, were the server started now; changes nothing. @errors Store::open's.
Status check_store(const config::RealmConfig& realm);

/// Why the realm's rules may not come into force, were the server started now: people have not approved them. Changes nothing.
/// @errors BadConfig: names the digest; Corrupt, those of Store::open.
Status check_rules(const config::RealmConfig& realm);
/// The same of all realms; when all of them may, they are noted as those in force. To be run as whom workers are.
Status admit_rules(const config::Snapshot& snapshot);

/// A front end's own part of the configuration as one JSON text: what it reads on its descriptor 3.
std::string front_end_settings(const config::Snapshot& snapshot, const config::FrontEnd& front_end);

/// One JSON-RPC error line with its LF, for a connection that the master turns away.
std::string refusal_line(Code code, std::string_view message);

}  // namespace chancery::worker
