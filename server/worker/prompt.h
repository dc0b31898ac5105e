#pragma once

#include <memory>

#include "server/config/server_config.h"

/// What asks for passphrases at the terminal of who started the server; the master starts it, as it does what start.h has.
namespace chancery::worker {

struct PromptStart {
  std::shared_ptr<const config::Snapshot> snapshot;
};

/// Asks at the terminal that is its standard input for what opens each realm of which is_asked_for holds, and enters it.
/// @return the exit status (base::Exit).
int run_prompt(const PromptStart& start);

/// Whether one person types what opens the realm's key.
bool is_asked_for(const config::RealmConfig& realm);

}  // namespace chancery::worker
