#pragma once

#include <span>
#include <string_view>

namespace chancery::master {

enum class Kind { Signer, Upkeep, FrontEnd, Worker, Keymaker };

/// Whether the master starts it again when it died.
enum class Restart { Never, Always };
/// When it counts as ready.
enum class Readiness { AtStart, Line };
/// What becomes of a running one when a new configuration is in force.
enum class OnReload {
  Keep,     ///< it ends on the configuration it was born with
  Hangup,   ///< SIGHUP: it reads its own part anew
  Changed,  ///< stopped and started again when its own part is another
  Replace,  ///< stopped and started again
};
/// When it is told to stop: each phase ends before the next begins.
enum class StopPhase { Clients, Workers, Signers };

/// One kind of child of the master.
struct KindRow {
  Kind kind;
  std::string_view name;
  Restart restart;
  Readiness readiness;
  OnReload on_reload;
  StopPhase stop;
};

std::span<const KindRow> all_kinds();
const KindRow& describe(Kind kind);

}  // namespace chancery::master
