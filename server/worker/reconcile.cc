#include "server/worker/reconcile.h"

#include <charconv>

#include "server/base/log.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"
#include "server/worker/revocation.h"

namespace chancery::worker {
namespace {

// Up to where the store has followed the journal: certificates, and changes of their state.
constexpr const char* kCertificatesPosition = "journal_position";
constexpr const char* kStatesPosition = "journal_states_position";
constexpr std::size_t kPage = 500;
constexpr std::chrono::days kAcmeRetention{30};

Result<std::uint64_t> position_of(store::Store& store, const char* name) {
  PKI_TRY(const auto text, store.get_meta(name));
  if (!text) return std::uint64_t{0};
  std::uint64_t position = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), position);
  if (failure != std::errc() || end != text->data() + text->size())
    return Error(Code::Corrupt, "journal position \"" + *text + "\" is no number");
  return position;
}

/// What a crash kept from the store, or what an older copy of it lacks.
Status reconcile_certificates(Session& session, store::Store& store, Json& stored) {
  PKI_TRY(auto position, position_of(store, kCertificatesPosition));
  for (;;) {
    PKI_TRY(auto* signer, session.signer());
    PKI_TRY(const auto page, signer->journal_since(position, kPage));
    auto next = page.next_position;
    for (const auto& record : page.records) {
      if (may_be_in_hand(session, record.at)) {
        next = record.position;
        break;
      }
      PKI_TRY(const auto serial, store_if_missing(store, record));
      if (serial) stored.push_back(serial->hex());
    }
    if (next == position) return {};
    position = next;
    PKI_TRY_VOID(store.set_meta(kCertificatesPosition, std::to_string(position)));
  }
}

/// Revocations likewise. What the store has already is refused by the states themselves.
Status reconcile_states(Session& session, store::Store& store) {
  PKI_TRY(auto position, position_of(store, kStatesPosition));
  for (;;) {
    PKI_TRY(auto* signer, session.signer());
    PKI_TRY(const auto page, signer->audit_since(position, kPage, "event"));
    auto next = page.next_position;
    for (const auto& event : page.records) {
      if (event.text("what") != kStateChange) continue;
      if (may_be_in_hand(session, base::from_epoch(event.integer("at")))) {
        next = static_cast<std::uint64_t>(event.integer("position"));
        break;
      }
      PKI_TRY(const auto change, state_change_from(event));
      PKI_TRY_VOID(repeat(store, change));
    }
    if (next == position) return {};
    position = next;
    PKI_TRY_VOID(store.set_meta(kStatesPosition, std::to_string(position)));
  }
}

}  // namespace

bool may_be_in_hand(const Session& session, Seconds at) {
  return at >= session.board().server().started_at &&
         at + session.snapshot().server.limits.request_timeout > session.clock().now();
}

Result<std::optional<Serial>> store_if_missing(store::Store& store, const signer::JournalRecord& record) {
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record.certificate));
  const auto known = store.certificate(certificate.serial());
  if (known.ok()) return std::optional<Serial>();
  if (known.error().code() != Code::NotFound) return known.error();
  auto row = to_stored(certificate, record.profile, record.at);
  row.requester = record.requester;
  row.front_end = record.front_end;
  row.rule = record.rule;
  row.evidence = record.evidence;
  row.idempotency_key = record.idempotency_key;
  PKI_TRY(const auto added, store.add_certificate(row));
  if (added != store::Added::New) return std::optional<Serial>();
  base::log_warning("the store lacked " + row.serial.hex() + " " + row.subject + ": stored from the journal");
  return std::optional(row.serial);
}

Result<Json> realm_reconcile(Session& session, const Params& /*params*/) {
  PKI_TRY(auto* store, session.store());
  auto stored = Json::array();
  PKI_TRY_VOID(reconcile_certificates(session, *store, stored));
  PKI_TRY_VOID(reconcile_states(session, *store));
  // Orders and authorizations that ended long ago serve nobody (incident I28); certificates stay. A batch each round is enough.
  PKI_TRY([[maybe_unused]] const auto purged, store->purge_acme(session.clock().now() - kAcmeRetention, kPage));
  return Json::object({{"stored", std::move(stored)}});
}

}  // namespace chancery::worker
