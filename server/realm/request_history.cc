#include "server/realm/request_history.h"

#include <algorithm>

#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::realm {
namespace {

void add(std::string& out, const std::string& value) { out += std::to_string(value.size()) + ":" + value + "\n"; }

Error broken(const HistoryEntry& entry, const std::string& what) {
  return {Code::Corrupt, "entry " + std::to_string(entry.number) + " of the request's history " + what,
          "the store was changed by somebody else: nothing is done for this request"};
}

bool leads_to(RequestState from, const HistoryEntry& entry, RequestState to) {
  return std::ranges::any_of(request_transitions(), [&](const Transition& row) {
    return row.from == from && row.to == to && to_text(row.event) == entry.what;
  });
}

bool is_approval(const HistoryEntry& entry) {
  return entry.what == to_text(RequestEvent::Approve) || entry.what == to_text(RequestEvent::Grant);
}

}  // namespace

std::string chain_of(const std::string& before, const HistoryEntry& entry) {
  std::string text;
  for (const auto& value : {before, std::to_string(entry.number), base::to_rfc3339(entry.at), entry.what, entry.state, entry.who,
                            std::to_string(entry.uid), entry.roles, entry.why, entry.digest, base::join(entry.files, "\n"),
                            base::to_base64(entry.certificate), base::to_base64(entry.signature)}) {
    add(text, value);
  }
  return crypto::sha256_hex(base::as_bytes(text));
}

Status check_history(std::span<const HistoryEntry> history, RequestState state, const std::string& digest) {
  if (history.empty()) return Error(Code::Corrupt, "the request has no history");
  auto before = history.front().digest;
  auto last = RequestState::Pending;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const auto& entry = history[i];
    if (entry.number != static_cast<std::int64_t>(i)) return broken(entry, "is not the one that follows");
    if (entry.chain != chain_of(before, entry)) return broken(entry, "is not what was written");
    PKI_TRY(const auto now, request_state(entry.state));
    const bool is_first = i == 0;
    if (is_first ? entry.what != kCreated || now != RequestState::Pending : !leads_to(last, entry, now))
      return broken(entry, "is none that the table of states allows");
    before = entry.chain;
    last = now;
  }
  if (last != state)
    return broken(history.back(), "says " + std::string(to_text(last)) + ", the request " + std::string(to_text(state)));
  if (history.back().digest != digest) return broken(history.back(), "is about another content than the request has");
  return {};
}

std::vector<HistoryEntry> approvals_in(std::span<const HistoryEntry> history, const std::string& digest) {
  std::vector<HistoryEntry> out;
  std::ranges::copy_if(history, std::back_inserter(out), [&](const HistoryEntry& entry) {
    return is_approval(entry) && entry.who != kRealmItself && entry.digest == digest;
  });
  return out;
}

std::string rule_in(std::span<const HistoryEntry> history, const std::string& digest) {
  for (const auto& entry : history) {
    if (is_approval(entry) && entry.who == kRealmItself && entry.digest == digest) return entry.why;
  }
  return {};
}

}  // namespace chancery::realm
