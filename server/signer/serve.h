#pragma once

#include <sys/types.h>

#include <optional>

#include "server/base/file.h"
#include "server/config/realm_config.h"

namespace chancery::signer {

/// What the master gives a signer.
struct Serve {
  RealmName realm;
  base::Path directory;
  base::UniqueFd listener;          ///< the realm's own socket, bound by the master, who keeps it over restarts
  base::UniqueFd ready;             ///< lines of base/ready_words.h go here
  base::UniqueFd life;              ///< EOF: the master is gone
  SecretBytes pass;                 ///< what workers of this realm show
  std::optional<uid_t> worker_uid;  ///< who may ask besides root and the signer's own user
  std::string log_destination;      ///< "stderr", "syslog" or a file
};

/// Serves until SIGTERM or the master's end. SIGHUP reads the realm's profiles anew. @return the exit status (base::Exit).
int serve(Serve start);

}  // namespace chancery::signer
