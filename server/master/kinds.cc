#include "server/master/kinds.h"

#include <array>

namespace chancery::master {
namespace {

// Clients stop first, since their requests need workers; workers before the signers, since theirs need signatures.
constexpr std::array kKinds{
    KindRow{Kind::Signer, "signer", Restart::Always, Readiness::Line, OnReload::Hangup, StopPhase::Signers},
    KindRow{Kind::Upkeep, "upkeep", Restart::Always, Readiness::AtStart, OnReload::Replace, StopPhase::Clients},
    KindRow{Kind::FrontEnd, "front end", Restart::Always, Readiness::AtStart, OnReload::Changed, StopPhase::Clients},
    KindRow{Kind::Worker, "worker", Restart::Never, Readiness::AtStart, OnReload::Keep, StopPhase::Workers},
    KindRow{Kind::Keymaker, "keymaker", Restart::Always, Readiness::AtStart, OnReload::Changed, StopPhase::Signers},
};

}  // namespace

std::span<const KindRow> all_kinds() { return kKinds; }
const KindRow& describe(Kind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }

}  // namespace chancery::master
