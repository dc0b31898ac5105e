#include "server/worker/journal_states.h"

#include "server/worker/reconcile.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kPage = 500;

}  // namespace

Result<std::map<Serial, StateChange>> last_changes(Session& session) {
  std::map<Serial, StateChange> last;
  for (std::uint64_t position = 0;;) {
    PKI_TRY(auto* signer, session.signer());
    PKI_TRY(const auto page, signer->audit_since(position, kPage, "event"));
    for (const auto& event : page.records) {
      if (event.text("what") != kStateChange || may_be_in_hand(session, event)) continue;
      auto change = repeatable_change(event);
      if (!change) continue;
      const auto before = last.find(change->serial);
      // Revoked is for ever: what came after it was refused.
      const bool is_final = before != last.end() && !before->second.reason.empty() && before->second.reason != store::kHoldReason;
      if (!is_final) last.insert_or_assign(change->serial, *change);
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
