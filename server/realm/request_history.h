#pragma once

#include <span>
#include <string>
#include <vector>

#include "server/base/bytes.h"
#include "server/base/clock.h"
#include "server/realm/request_states.h"

/// The history of a request: what was done with it, by whom and why, each entry chained to the one before and the first one to
/// the request's digest. Pure.
namespace chancery::realm {

inline constexpr std::string_view kCreated = "create";        ///< `what` of the first entry
inline constexpr std::string_view kRealmItself = "chancery";  ///< `who` of what no person did
inline constexpr std::int64_t kNoUid = -1;                    ///< through a front end: its uid is nobody's who asks

struct HistoryEntry {
  std::int64_t number = 0;  ///< from 0, without gaps
  Seconds at{};
  std::string what;   ///< kCreated, or a RequestEvent's name
  std::string state;  ///< after it
  std::string who;    ///< identity
  std::int64_t uid = kNoUid;
  std::string roles{};               ///< by which; names parted by blanks
  std::string why{};                 ///< the comment, or the rule
  std::string digest{};              ///< of the request as it was then
  std::vector<std::string> files{};  ///< "<sha256> <type> <name>" of each attachment that came with it
  Bytes certificate{};               ///< DER, that signed an approval; empty: it is not signed
  Bytes signature{};
  std::string chain{};  ///< chain_of this entry, hex
};

/// SHA-256 of the chain before it (of the first entry: the request's digest then) and everything that the entry says, hex.
std::string chain_of(const std::string& before, const HistoryEntry& entry);

/// That the history is one that the table of states allows, that its chain holds, and that it ends in this state and digest.
/// @errors Corrupt: names the entry.
Status check_history(std::span<const HistoryEntry> history, RequestState state, const std::string& digest);

/// The approvals by people that count for that digest, in their order.
std::vector<HistoryEntry> approvals_in(std::span<const HistoryEntry> history, const std::string& digest);

/// The rule by which the realm itself approved that digest; empty: people did, or nobody yet.
std::string rule_in(std::span<const HistoryEntry> history, const std::string& digest);

}  // namespace chancery::realm
