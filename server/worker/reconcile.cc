#include <charconv>

#include "server/base/log.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"

/// The journal is the record of issuing, the store follows it (DESIGN 1): what a crash kept from the store is brought here.
namespace chancery::worker {
namespace {

constexpr std::string_view kPosition = "journal_position";
constexpr std::size_t kPage = 500;

Result<std::uint64_t> position_of(store::Store& store) {
  PKI_TRY(const auto text, store.get_meta(std::string(kPosition)));
  if (!text) return std::uint64_t{0};
  std::uint64_t position = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), position);
  if (failure != std::errc() || end != text->data() + text->size())
    return Error(Code::Corrupt, "journal position \"" + *text + "\" is no number");
  return position;
}

/// A record this young may belong to a request in hand, whose worker is about to store it with more than the journal knows; one
/// from before the server's start does not.
bool may_be_in_hand(const Session& session, const signer::JournalRecord& record) {
  return record.at >= session.board().server().started_at &&
         record.at + session.snapshot().server.limits.request_timeout > session.clock().now();
}

Result<bool> store_if_missing(store::Store& store, const signer::JournalRecord& record) {
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record.certificate));
  const auto known = store.certificate(certificate.serial());
  if (known.ok()) return false;
  if (known.error().code() != Code::NotFound) return known.error();
  auto row = to_stored(certificate, record.profile, record.at);
  row.requester = record.requester;
  row.front_end = record.front_end;
  row.rule = record.rule;
  row.evidence = record.evidence;
  row.idempotency_key = record.idempotency_key;
  PKI_TRY(const auto added, store.add_certificate(row));
  return added == store::Added::New;
}

}  // namespace

Result<Json> realm_reconcile(Session& session, const Params& /*params*/) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(auto position, position_of(*store));
  Json stored = Json::array();
  for (;;) {
    PKI_TRY(const auto page, signer->journal_since(position, kPage));
    auto next = page.next_position;
    for (const auto& record : page.records) {
      if (may_be_in_hand(session, record)) {
        next = record.position;
        break;
      }
      PKI_TRY(const bool missing, store_if_missing(*store, record));
      if (!missing) continue;
      const auto certificate = x509::Certificate::from_der(record.certificate).value();
      base::log_warning("the store lacked " + certificate.serial().hex() + " " + certificate.subject().to_slash() +
                        ": stored from the journal");
      stored.push_back(certificate.serial().hex());
    }
    if (next == position) break;
    position = next;
    PKI_TRY_VOID(store->set_meta(std::string(kPosition), std::to_string(position)));
  }
  return Json::object({{"stored", std::move(stored)}});
}

}  // namespace chancery::worker
