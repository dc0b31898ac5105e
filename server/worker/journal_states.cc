#include "server/worker/journal_states.h"

#include "server/worker/reconcile.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kPage = 500;

/// Revoked is for ever, and what is on hold is not held again: that was refused.
bool may_follow(const StateChange& before, const StateChange& change) {
  if (before.reason.empty()) return true;
  return before.reason == store::kHoldReason && change.reason != store::kHoldReason;
}

}  // namespace

Result<std::map<Serial, StateChange>> last_changes(Session& session, std::set<Serial>* in_hand) {
  std::map<Serial, StateChange> last;
  for (std::uint64_t position = 0;;) {
    PKI_TRY(auto* signer, session.signer());
    PKI_TRY(const auto page, signer->audit_since(position, kPage, "event"));
    for (const auto& event : page.records) {
      if (event.text("what") != kStateChange) continue;
      auto change = repeatable_change(event);
      if (!change) continue;
      if (may_be_in_hand(session, event)) {
        if (in_hand != nullptr) in_hand->insert(change->serial);
        continue;
      }
      const auto before = last.find(change->serial);
      if (before == last.end() || may_follow(before->second, *change)) last.insert_or_assign(change->serial, *change);
    }
    if (page.next_position == position) return last;
    position = page.next_position;
  }
}

store::CertificateState state_after(const StateChange& change) {
  if (change.reason.empty()) return store::CertificateState::Valid;
  return change.reason == store::kHoldReason ? store::CertificateState::Held : store::CertificateState::Revoked;
}

}  // namespace chancery::worker
