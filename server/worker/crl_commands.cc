#include <algorithm>

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
  return Json::object({{"ca", record.ca},
                       {"crl", pem},
                       {"number", static_cast<std::int64_t>(record.number)},
                       {"this_update", base::to_rfc3339(record.this_update)},
                       {"next_update", base::to_rfc3339(record.next_update)},
                       {"entries", record.entries},
                       {"issued", issued}});
}

Result<Json> describe_latest(store::Store& store, const std::string& ca) {
  PKI_TRY(const auto record, store.latest_crl(ca));
  return describe(record, x509::to_pem(x509::kCrlLabel, record.der), false);
}

/// Due at half of its life, or when a revocation has waited as long as the realm lets it (PROMISES C8, B10); and when it begins
/// later than now, made by a clock that has been set back since: nobody takes it before then. Hosts that share a store may
/// differ by the slack.
Result<bool> is_due(Session& session, store::Store& store, const std::string& ca, Seconds now) {
  const auto latest = store.latest_crl_facts(ca);
  if (!latest.ok() && latest.error().code() == Code::NotFound) return true;
  if (!latest.ok()) return latest.error();
  constexpr std::chrono::minutes kSlack{1};
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

/// Signed, stored, then published as a file: the file is a copy, the store has the word.
Result<Json> make_crl(Session& session, store::Store& store, const std::string& ca, Seconds now) {
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto authority, signer->authority(ca));
  if (!authority.obstacle.empty())  // said before a number is taken for it, and so each time anew
    return Error(Code::Unavailable, "the CA's key cannot be used: " + authority.obstacle, "secret.status says what is missing");
  PKI_TRY(auto revoked, store.revoked_for_crl(ca, now));
  PKI_TRY(auto entries, entries_for(revoked, now));
  PKI_TRY(const auto number, store.next_crl_number(ca, authority.last_crl_number));
  const signer::CrlRequest request{number, now, now + session.realm().crl_validity, std::move(entries), session.requester(), ca};
  PKI_TRY(signer, session.signer());
  PKI_TRY(const auto made, signer->sign_crl(request));
  const auto pem = x509::to_pem(x509::kCrlLabel, made.crl);
  const auto count = static_cast<std::int64_t>(revoked.size());
  PKI_TRY_VOID(store.add_crl({ca, number, request.this_update, request.next_update, made.crl, std::move(revoked)}));
  PKI_TRY(signer, session.signer());
  PKI_TRY_VOID(signer->publish_crl(made.crl, ca));
  base::log_info("CRL " + (ca == config::kFirstCa ? "" : ca + " ") + std::to_string(number) + " with " + std::to_string(count) +
                 " entries, until " + base::to_rfc3339(request.next_update));
  return describe({ca, number, request.this_update, request.next_update, count, {}}, pem, true);
}

Result<Json> crl_if_wanted(Session& session, const std::string& ca, bool only_if_due) {
  PKI_TRY(auto* store, session.store());
  const auto now = session.clock().now();
  if (only_if_due) {
    PKI_TRY(const bool due, is_due(session, *store, ca, now));
    if (!due) return describe_latest(*store, ca);
  }
  return make_crl(session, *store, ca, now);
}

}  // namespace

Result<Json> crl_get(Session& session, const Params& params) {
  PKI_TRY(const auto ca, label_of(session, params));
  PKI_TRY(auto* store, session.store());
  auto latest = describe_latest(*store, ca);
  if (!latest.ok() && latest.error().code() == Code::NotFound) {
    return Error(Code::NotFound, "this CA has made no CRL yet", "crl.issue makes one");
  }
  return latest;
}

Result<Json> crl_issue(Session& session, const Params& params) {
  PKI_TRY(const auto ca, label_of(session, params));
  return issue_crl(session, ca, params.boolean("if_due"));
}

Result<Json> issue_crl(Session& session, const std::string& ca, bool only_if_due) {
  // One at a time: what is due is then made once, and who waited is not overtaken but by another host.
  const store::SharedWords words(session.realm().database_file().string() + "-crl-turn");
  store::Turn turn(words.get() == nullptr ? nullptr : &words.get()->write_turn);
  turn.take();
  constexpr int kMostAttempts = 10;
  for (int attempt = 1;; ++attempt) {
    auto made = crl_if_wanted(session, ca, only_if_due);
    // Once more, with a new number: where the signer was restarted since the last request, and where another's CRL of a higher
    // number came first, which may lack what this one saw.
    const bool restarted = !made.ok() && made.error().code() == Code::Closed;
    const bool overtaken = !made.ok() && made.error().code() == Code::Conflict;
    if ((!restarted && !overtaken) || attempt == kMostAttempts) return made;
    if (restarted) session.drop_signer();
  }
}

}  // namespace chancery::worker
