#include <charconv>
#include <map>
#include <set>

#include "server/worker/journal_states.h"
#include "server/worker/reconcile.h"
#include "server/worker/retention.h"
#include "server/worker/self_audit.h"

/// The journal against the store: it is the record of issuing, and the store follows it.
namespace chancery::worker {
namespace {

constexpr std::size_t kPage = 200;

Result<std::uint64_t> position_from(const std::string& cursor) {
  std::uint64_t position = 0;
  const auto [end, failure] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), position);
  if (cursor.empty() || (failure == std::errc() && end == cursor.data() + cursor.size())) return position;
  return Error(Code::InvalidParams, "after: found \"" + cursor + "\", expected the `next` of the step before");
}

/// What of the row the journal knows, too.
std::string difference(const signer::JournalRecord& signed_one, const store::CertificateRecord& row) {
  if (row.der != signed_one.certificate) return "the stored certificate is not the one that was signed";
  if (row.ca != signed_one.ca) return "the row says CA " + row.ca + ", the journal " + signed_one.ca;
  if (row.profile != signed_one.profile) return "the row says profile " + row.profile + ", the journal " + signed_one.profile;
  if (row.requester != signed_one.requester)
    return "the row says " + row.requester + " asked for it, the journal " + signed_one.requester;
  return row.rule == signed_one.rule ? "" : "the row says rule " + row.rule + ", the journal " + signed_one.rule;
}

Status look_at(AuditStep& step, const signer::JournalRecord& record, Seconds purged) {
  PKI_TRY(const auto serial, serial_of(record));
  const auto row = step.store().certificate(serial, record.ca);
  if (row.ok()) {
    if (const auto fault = difference(record, *row); !fault.empty()) step.found(serial.hex(), fault);
    return {};
  }
  if (row.error().code() == Code::Busy || row.error().code() == Code::StoreFailed) return row.error();
  if (row.error().code() != Code::NotFound) {
    step.found(serial.hex(), "its row cannot be read: " + row.error().message());
    return {};
  }
  if (record_end(record) > purged) step.found(serial.hex(), "the journal has signed it, and the store lacks it");
  return {};
}

/// What the store says of a certificate that is revoked or held.
struct Stopped {
  store::CertificateState state = store::CertificateState::Valid;
  std::string reason{};
  std::optional<Seconds> at{};
};

Result<std::map<Serial, Stopped>> stopped_ones(store::Store& store) {
  std::map<Serial, Stopped> rows;
  for (const auto* state : {"revoked", "held"}) {
    for (std::string after;;) {
      PKI_TRY(const auto page, store.search({.state = state}, kPage, after));
      for (const auto& row : page.items) rows.insert_or_assign(row.serial, Stopped{row.state, row.reason, row.revoked_at});
      if (page.next.empty()) break;
      after = page.next;
    }
  }
  return rows;
}

std::string difference(const StateChange& change, const Stopped& row) {
  const auto two = [](const std::string& stored, const std::string& journalled) {
    return "it is " + stored + " in the store, and " + journalled + " in the journal";
  };
  const auto state = std::string(store::to_text(row.state));
  if (const auto wanted = state_after(change); row.state != wanted) return two(state, std::string(store::to_text(wanted)));
  if (row.reason != change.reason) return two(state + " for " + row.reason, "for " + change.reason);
  if (change.reason.empty() || row.at == change.at) return "";
  return two(state + " since " + (row.at ? base::to_rfc3339(*row.at) : "no time"), "since " + base::to_rfc3339(change.at));
}

}  // namespace

Result<std::string> audit_journal(AuditStep& step, const std::string& cursor) {
  PKI_TRY(const auto position, position_from(cursor));
  PKI_TRY(const auto purged, purged_until(step.store(), step.session().clock().now()));
  PKI_TRY(auto* signer, step.session().signer());
  const auto page = signer->journal_since(position, kPage);
  if (!page.ok() && page.error().code() == Code::Corrupt) {
    step.found("journal", page.error().message());
    return std::string();
  }
  if (!page.ok()) return page.error();
  for (const auto& record : page->records) {
    if (may_be_in_hand(step.session(), record)) return std::string();  // the rest is younger
    PKI_TRY_VOID(look_at(step, record, purged));
  }
  return page->next_position == position ? std::string() : std::to_string(page->next_position);
}

/// Revocations, holds and their ends: the journal has each before the store, and the store none that the journal has not.
Result<std::string> audit_states(AuditStep& step, const std::string& /*cursor*/) {
  PKI_TRY(const auto stopped, stopped_ones(step.store()));  // before the journal, which is ahead of them
  std::set<Serial> in_hand;
  PKI_TRY(const auto last, last_changes(step.session(), &in_hand));
  for (const auto& [serial, change] : last) {
    if (in_hand.contains(serial)) continue;
    if (!step.store().certificate(serial).ok()) continue;  // missing: the other part names it
    const auto found = stopped.find(serial);
    const auto fault = difference(change, found == stopped.end() ? Stopped() : found->second);
    if (!fault.empty()) step.found(serial.hex(), fault);
  }
  for (const auto& [serial, row] : stopped) {
    if (!last.contains(serial) && !in_hand.contains(serial))
      step.found(serial.hex(),
                 "it is " + std::string(store::to_text(row.state)) + " in the store, and the journal knows nothing of it");
  }
  return std::string();
}

}  // namespace chancery::worker
