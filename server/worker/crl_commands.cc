#include <algorithm>
#include <thread>

#include "server/base/file.h"
#include "server/base/log.h"
#include "server/store/shared_words.h"
#include "server/store/turn.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"
#include "server/x509/crl.h"
#include "server/x509/pem.h"
#include "server/x509/reasons.h"

namespace chancery::worker {
namespace {

/// The generation whose CRL is asked for: by name, or the one that issues. @errors NotFound.
Result<std::string> label_of(Session& session, const Params& params) {
  const auto wanted = params.text("ca");
  const auto found = session.generation(wanted);
  if (found.ok()) return (*found)->label;
  // A realm's first CA is there, whatever its certificate is like; the signer says what is the matter.
  if (wanted.empty() || wanted == config::kFirstCa) return std::string(config::kFirstCa);
  return found.error();
}

Json describe(const store::CrlRecord& record, const std::string& pem, bool issued) {
  auto out = Json::object({{"ca", record.ca},
                           {"crl", pem},
                           {"number", static_cast<std::int64_t>(record.number)},
                           {"this_update", base::to_rfc3339(record.this_update)},
                           {"next_update", base::to_rfc3339(record.next_update)},
                           {"entries", record.entries},
                           {"issued", issued}});
  if (record.base > 0) out.set("base", static_cast<std::int64_t>(record.base));
  return out;
}

Result<Json> describe_latest(store::Store& store, const std::string& ca, CrlKind kind) {
  PKI_TRY(const auto record, kind == CrlKind::Delta ? store.latest_delta_crl(ca) : store.latest_crl(ca));
  return describe(record, x509::to_pem(x509::kCrlLabel, record.der), false);
}

/// What the signer has published, which it does once the store has it for sure.
Result<Json> describe_published(Session& session, const std::string& ca, CrlKind kind) {
  PKI_TRY(auto* signer, session.signer_beside_store());
  PKI_TRY(const auto der, signer->published_crl(ca, kind == CrlKind::Delta));
  PKI_TRY(const auto crl, x509::Crl::from_der(der));
  session.rest_on_published();
  const store::CrlRecord record{.ca = ca,
                                .number = crl.number(),
                                .this_update = crl.this_update(),
                                .next_update = crl.next_update(),
                                .entries = static_cast<std::int64_t>(crl.entries().size()),
                                .base = crl.base().value_or(0)};
  return describe(record, crl.pem(), false);
}

constexpr std::chrono::minutes kSlack{1};  ///< between the clocks of hosts that share a store

/// Due at half of its life, or when a revocation has waited as long as the realm lets it (PROMISES C8, B10); and when it begins
/// later than now, made by a clock that has been set back since: nobody takes it before then.
Result<bool> is_due(Session& session, store::Store& store, const std::string& ca, Seconds now) {
  const auto latest = store.latest_crl_facts(ca);
  if (!latest.ok() && latest.error().code() == Code::NotFound) return true;
  if (!latest.ok()) return latest.error();
  if (latest->this_update > now + kSlack) return true;
  if (now >= latest->this_update + (latest->next_update - latest->this_update) / 2) return true;
  PKI_TRY(const auto waiting, store.oldest_unlisted_revocation(ca));
  const auto& realm = session.realm();
  return waiting && (*waiting > now + kSlack || now + realm.crl_round() >= *waiting + realm.crl_after_revocation);
}

/// What was revoked by a clock that has been set back since counts from now on, not from then.
Result<std::vector<x509::RevokedEntry>> entries_for(const std::vector<store::RevokedCertificate>& revoked, Seconds now) {
  std::vector<x509::RevokedEntry> entries;
  entries.reserve(revoked.size());
  for (const auto& one : revoked) {
    PKI_TRY(const auto reason, x509::reason_from_name(one.reason));
    entries.push_back({one.serial, std::min(one.revoked_at, now), reason});
  }
  return entries;
}

/// By itself when nobody asks: as often as the realm says, and to each full CRL at once, since the one before adds to another.
Result<bool> is_delta_due(Session& session, store::Store& store, const std::string& ca, Seconds now) {
  PKI_TRY(const auto full, store.latest_crl_facts(ca));
  const auto latest = store.latest_delta_crl_facts(ca);
  if (!latest.ok() && latest.error().code() == Code::NotFound) return true;
  if (!latest.ok()) return latest.error();
  const auto& realm = session.realm();
  return latest->base < full.number || latest->this_update > now + kSlack ||
         now + realm.crl_round() >= latest->this_update + realm.crl_delta;
}

/// What every CRL of a CA needs: its entries, and that the key can be used, said before a number is taken and so each time anew.
struct Ingredients {
  std::uint64_t number = 0;
  std::vector<store::RevokedCertificate> revoked;
  std::vector<x509::RevokedEntry> entries;
};
Result<Ingredients> gather(Session& session, store::Store& store, const std::string& ca, Seconds now) {
  Ingredients out{};
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto authority, signer->authority(ca));
  if (!authority.obstacle.empty())
    return Error(Code::Unavailable, "the CA's key cannot be used: " + authority.obstacle, "secret.status says what is missing");
  PKI_TRY(out.revoked, store.revoked_for_crl(ca, now));
  PKI_TRY(out.entries, entries_for(out.revoked, now));
  PKI_TRY(out.number, store.next_crl_number(ca, authority.last_crl_number));
  return out;
}

void log_crl(std::string_view kind, const store::CrlRecord& record) {
  base::log_info(std::string(kind) + " " + (record.ca == config::kFirstCa ? "" : record.ca + " ") +
                 std::to_string(record.number) + " with " + std::to_string(record.entries) + " entries, until " +
                 base::to_rfc3339(record.next_update));
}

/// Signed, stored, then published as a file: the file is a copy, the store has the word.
Result<Json> make_crl(Session& session, store::Store& store, const std::string& ca, Seconds now) {
  PKI_TRY(auto made_of, gather(session, store, ca, now));
  const signer::CrlRequest request{.number = made_of.number,
                                   .this_update = now,
                                   .next_update = now + session.realm().crl_validity,
                                   .entries = std::move(made_of.entries),
                                   .requester = session.requester(),
                                   .ca = ca};
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto made, signer->sign_crl(request));
  const store::CrlRecord record{.ca = ca,
                                .number = request.number,
                                .this_update = now,
                                .next_update = request.next_update,
                                .entries = static_cast<std::int64_t>(made_of.revoked.size())};
  PKI_TRY_VOID(store.add_crl({ca, request.number, now, request.next_update, made.crl, std::move(made_of.revoked)}));
  PKI_TRY(signer, session.signer());  // which has the store settled
  PKI_TRY_VOID(signer->publish_crl(made.crl, ca));
  log_crl("CRL", record);
  return describe(record, x509::to_pem(x509::kCrlLabel, made.crl), true);
}

/// The signer adds to what it has published. Where a crash came between storing a full CRL and that, it is published now.
Result<signer::SignedCrl> sign_delta(Session& session, store::Store& store, const signer::CrlRequest& request) {
  PKI_TRY(auto* signer, session.signer());
  auto made = signer->sign_crl(request);
  if (made.ok() || made.error().code() != Code::NotFound) return made;
  PKI_TRY(const auto full, store.latest_crl(request.ca));
  if (full.number != request.base) return Error(Code::Conflict, "another full CRL came meanwhile");
  PKI_TRY(signer, session.signer());  // which has the store settled
  PKI_TRY_VOID(signer->publish_crl(full.der, request.ca));
  made = signer->sign_crl(request);
  if (!made.ok() && made.error().code() == Code::NotFound) return Error(Code::Conflict, made.error().message());
  return made;
}

/// To the latest full CRL, which is made first where it is due itself: nobody adds to one that has run out.
Result<Json> make_delta_crl(Session& session, store::Store& store, const std::string& ca, Seconds now) {
  PKI_TRY(const bool full_is_due, is_due(session, store, ca, now));
  if (full_is_due) {
    PKI_TRY([[maybe_unused]] const auto full, make_crl(session, store, ca, now));
  }
  PKI_TRY(const auto base, store.latest_crl_facts(ca));
  PKI_TRY(auto made_of, gather(session, store, ca, now));
  const signer::CrlRequest request{.number = made_of.number,
                                   .this_update = now,
                                   .next_update = now + session.realm().crl_delta_validity(),
                                   .entries = std::move(made_of.entries),
                                   .requester = session.requester(),
                                   .ca = ca,
                                   .base = base.number};
  PKI_TRY(const auto made, sign_delta(session, store, request));
  PKI_TRY(const auto crl, x509::Crl::from_der(made.crl));
  const store::CrlRecord record{.ca = ca,
                                .number = request.number,
                                .this_update = now,
                                .next_update = request.next_update,
                                .entries = static_cast<std::int64_t>(crl.entries().size()),
                                .base = base.number};
  std::vector<store::RevokedCertificate> changes;
  for (const auto& one : crl.entries())
    changes.push_back({one.serial, one.revoked_at, std::string(x509::reason_name(one.reason))});
  PKI_TRY_VOID(store.add_delta_crl({ca, request.number, now, request.next_update, made.crl, std::move(changes), base.number}));
  PKI_TRY(auto* signer, session.signer());  // which has the store settled
  PKI_TRY_VOID(signer->publish_crl(made.crl, ca));
  log_crl("delta CRL", record);
  return describe(record, crl.pem(), true);
}

struct Making {
  Result<bool> (*is_due)(Session&, store::Store&, const std::string&, Seconds);
  Result<Json> (*make)(Session&, store::Store&, const std::string&, Seconds);
};
constexpr Making kFull{is_due, make_crl};
constexpr Making kDelta{is_delta_due, make_delta_crl};

Result<Json> crl_if_wanted(Session& session, const std::string& ca, bool only_if_due, CrlKind kind) {
  PKI_TRY(auto* store, session.store());
  const auto now = session.clock().now();
  const auto& making = kind == CrlKind::Delta ? kDelta : kFull;
  if (only_if_due) {
    const auto due = making.is_due(session, *store, ca, now);
    // A delta CRL needs a full one first: whoever makes it makes that.
    const bool has_no_base = kind == CrlKind::Delta && !due.ok() && due.error().code() == Code::NotFound;
    if (!due.ok() && !has_no_base) return due.error();
    if (due.ok() && !*due) return describe_latest(*store, ca, kind);
  }
  return making.make(session, *store, ca, now);
}

Result<CrlKind> kind_of(Session& session, const Params& params) {
  if (params.text("kind") != "delta") return CrlKind::Full;
  if (session.realm().crl_delta.count() > 0) return CrlKind::Delta;
  return Error(Code::NotFound, "this realm makes no delta CRLs", "crl_delta in ca.config.yml says how often one is made");
}

}  // namespace

Result<Json> crl_get(Session& session, const Params& params) {
  PKI_TRY(const auto ca, label_of(session, params));
  PKI_TRY(const auto kind, kind_of(session, params));
  PKI_TRY(auto* store, session.store());
  auto latest = describe_latest(*store, ca, kind);
  // Of a store whose disk failed nobody knows what it keeps (PROMISES F8), but verifiers need a CRL meanwhile.
  if (const auto durable = session.settle(); !durable.ok()) {
    auto published = describe_published(session, ca, kind);
    return published.ok() ? std::move(published) : durable.error();
  }
  if (!latest.ok() && latest.error().code() == Code::NotFound) {
    return Error(Code::NotFound, kind == CrlKind::Delta ? "this CA has made no delta CRL yet" : "this CA has made no CRL yet",
                 "crl.issue makes one");
  }
  return latest;
}

Result<Json> crl_issue(Session& session, const Params& params) {
  PKI_TRY(const auto ca, label_of(session, params));
  PKI_TRY(const auto kind, kind_of(session, params));
  return issue_crl(session, ca, params.boolean("if_due"), kind);
}

Result<Json> issue_crl(Session& session, const std::string& ca, bool only_if_due, CrlKind kind) {
  // One at a time: what is due is then made once, and who waited is not overtaken but by another host.
  const store::SharedWords words(store::SharedWords::file_of(session.realm().database_file()));
  store::Turn turn(words.turn(&store::Words::crl_turn));
  turn.take();
  constexpr int kMostAttempts = 10;
  constexpr std::chrono::milliseconds kPause{50};
  for (int attempt = 1;; ++attempt) {
    auto made = crl_if_wanted(session, ca, only_if_due, kind);
    // Once more, with a new number: where the signer was restarted since the last request, and where another's CRL of a higher
    // number came first, which may lack what this one saw.
    const bool restarted = !made.ok() && made.error().code() == Code::Closed;
    const bool overtaken = !made.ok() && made.error().code() == Code::Conflict;
    if ((!restarted && !overtaken) || attempt == kMostAttempts) return made;
    if (overtaken) std::this_thread::sleep_for(kPause);  // what the journal has and the store lacks may be on its way there
  }
}

}  // namespace chancery::worker
