#include "server/worker/retention.h"

#include <algorithm>
#include <charconv>

#include "server/base/log.h"
#include "server/worker/audit.h"
#include "server/worker/reconcile.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kBatch = 100;
constexpr std::chrono::days kShortest{1};  ///< `retention: certificates`; a realm may say now more than it did
constexpr std::chrono::days kAnew{1};      ///< what could not go is looked at again so much later
// How far the certificates have been looked through, and until when the ones that went had ended. The second is raised before any
// of them goes, so that a crash in between leaves none that is missing without a word.
constexpr const char* kPlace = "retention_place";
constexpr const char* kUntil = "retention_until";

/// When somebody looked last, and from when on the clock is believed: "<time> <time>".
constexpr const char* kSeen = "retention_seen";

Result<std::int64_t> number_from(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc() && end == text.data() + text.size()) return number;
  return Error(Code::Corrupt, "the fact " + std::string(kUntil) + " is \"" + text + "\", expected a number");
}

/// Where the next batch begins: "<time> <key of a page>"; before that time there is nothing to do.
struct Place {
  Seconds not_before{};
  std::string after;
};
Result<Place> read_place(store::Store& store) {
  PKI_TRY(const auto text, store.get_meta(kPlace));
  if (!text) return Place{};
  const auto space = text->find(' ');
  const auto at = base::from_rfc3339(text->substr(0, space));
  if (!at.ok() || space == std::string::npos) return Place{};
  return Place{*at, text->substr(space + 1)};
}

Status write_place(store::Store& store, const Place& place) {
  return store.set_meta(kPlace, base::to_rfc3339(place.not_before) + " " + place.after);
}

/// Certificates of CAs are found in the realm's files, and would come back.
bool may_go(const store::CertificateRecord& record) { return record.rule != store::kRolloverRule && record.rule != kRootRule; }

/// @return whether nobody else raised it meanwhile.
Result<bool> raise(store::Store& store, Seconds until) {
  PKI_TRY(const auto text, store.get_meta(kUntil));
  if (text) {
    PKI_TRY(const auto before, number_from(*text));
    if (before >= base::to_epoch(until)) return true;
  }
  return store.replace_meta(kUntil, text, std::to_string(base::to_epoch(until)));
}

/// How many went, for the audit stream; the journal has each of them.
Status record_purge(Session& session, std::int64_t count, Seconds until) {
  return audit_result(session, "retention.purge", Json::object({{"certificates", count}, {"until", base::to_rfc3339(until)}}),
                      "ok");
}

Result<std::int64_t> purge_certificates(Session& session, store::Store& store, std::chrono::seconds kept, Seconds now) {
  PKI_TRY(const auto place, read_place(store));
  if (now < place.not_before) return 0;
  const auto ended_before = now - kept;
  PKI_TRY(const auto page,
          store.certificates_ending(ended_before - std::chrono::seconds(1), kBatch, place.after.empty() ? "0." : place.after));
  if (page.items.empty()) {
    // From the beginning, tomorrow, for what could not go this time; at once, where this was the beginning.
    if (!place.after.empty()) PKI_TRY_VOID(write_place(store, {now + kAnew, ""}));
    return 0;
  }
  PKI_TRY(const bool raised, raise(store, page.items.back().not_after));
  if (!raised) return 0;  // another server is at it
  std::int64_t count = 0;
  for (const auto& record : page.items) {
    if (!may_go(record)) continue;
    const auto gone = store.purge_certificate(record, ended_before);
    if (gone.ok()) ++count;
    if (!gone.ok() && gone.error().code() != Code::Conflict && gone.error().code() != Code::NotFound) return gone.error();
  }
  if (count > 0) PKI_TRY_VOID(record_purge(session, count, page.items.back().not_after));
  // Behind the last page comes what ends next; in a day the beginning comes again, for what could not go.
  if (page.next.empty() && count > 0) return count;
  PKI_TRY_VOID(write_place(store, page.next.empty() ? Place{now + kAnew, ""} : Place{{}, page.next}));
  return count;
}

}  // namespace

Result<Seconds> purged_until(store::Store& store, Seconds now) {
  PKI_TRY(const auto text, store.get_meta(kUntil));
  if (!text) return base::from_epoch(0);
  PKI_TRY(const auto seconds, number_from(*text));
  return std::min(base::from_epoch(seconds), now - kShortest);  // a clock that was ahead has raised it, and nothing else
}

// A clock that has jumped ahead would have living certificates forgotten (PROMISES F17). After a jump, which a long stop looks
// like, too, a day goes by first, for people to see what their CRLs and logs say.
Result<bool> may_forget(store::Store& store, Seconds now) {
  constexpr std::chrono::days kLongStop{2};
  constexpr std::chrono::days kDoubt{1};
  constexpr std::chrono::hours kNoted{1};
  PKI_TRY(const auto text, store.get_meta(kSeen));
  const auto note = [&](Seconds from) { return store.set_meta(kSeen, base::to_rfc3339(now) + " " + base::to_rfc3339(from)); };
  const auto space = text ? text->find(' ') : std::string::npos;
  const auto seen = base::from_rfc3339(text ? text->substr(0, space) : std::string());
  const auto from = base::from_rfc3339(space == std::string::npos ? std::string() : text->substr(space + 1));
  if (!text || !seen.ok() || !from.ok()) {
    PKI_TRY_VOID(note(now + kDoubt));  // nobody has seen yet whether it is right
    return false;
  }
  if (now > *seen + kLongStop || now + kNoted < *seen) {
    base::log_warning("retention: the clock went from " + base::to_rfc3339(*seen) + " to " + base::to_rfc3339(now) +
                      ", nothing leaves the store for a day");
    PKI_TRY_VOID(note(now + kDoubt));
    return false;
  }
  if (now >= *seen + kNoted) PKI_TRY_VOID(note(*from));
  return now >= *from;
}

Result<std::int64_t> purge_ended(Session& session, store::Store& store) {
  const auto kept = session.realm().retention.certificates;
  const auto now = session.clock().now();
  if (kept.count() == 0) return 0;
  PKI_TRY(const bool believed, may_forget(store, now));
  if (!believed) return 0;
  PKI_TRY(const auto count, purge_certificates(session, store, kept, now));
  if (count > 0) base::log_info("retention: " + std::to_string(count) + " certificates left the store");
  return count;
}

}  // namespace chancery::worker
