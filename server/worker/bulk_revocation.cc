#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/worker/access.h"
#include "server/worker/certificate_filter.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/revocation.h"

/// Many certificates at once: looked at first, and revoked by whoever can say how many they are.
namespace chancery::worker {
namespace {

constexpr std::size_t kMostAtOnce = 500;  ///< what is revoked within the time of one request
constexpr int kMostPages = 40;            ///< of the search, 5000 rows each at most

constexpr std::array<std::string_view, 9> kFilters{
    "subject", "san", "profile", "requester", "expires_before", "expires_after", "issued_before", "issued_after", "serial"};

using Found = std::vector<store::CertificateRecord>;

/// @errors InvalidParams: nothing narrows it, which would be every certificate there is.
Status check_narrowed(const Params& params) {
  // An empty text narrows nothing either.
  const auto narrows = [&](std::string_view name) { return params.has(name) && !params.text(name).empty(); };
  if (std::ranges::any_of(kFilters, narrows)) return {};
  return Error(Code::InvalidParams,
               "nothing says which certificates, expected at least one of subject, san, serial, profile, requester, "
               "expires_before, expires_after, issued_before, issued_after");
}

Error too_many(const std::string& what) { return {Code::TooLarge, what, "narrow the filter, and revoke them in several steps"}; }

/// All that match. @errors TooLarge.
Result<Found> gather(store::Store& store, const store::CertificateFilter& filter) {
  Found found;
  std::string after;
  for (int i = 0; i < kMostPages; ++i) {
    PKI_TRY(auto page, store.search(filter, kMostAtOnce, after));
    std::ranges::move(page.items, std::back_inserter(found));
    if (found.size() > kMostAtOnce) return too_many("more than " + std::to_string(kMostAtOnce) + " certificates match");
    if (page.next.empty()) return found;
    after = page.next;
  }
  return too_many("the search for what matches goes through too many certificates");
}

Json describe_all(const Found& found, Seconds now) {
  Json rows = Json::array();
  for (const auto& one : found) rows.push_back(describe_record(one, now));
  return rows;
}

/// One after the other; what another changed meanwhile is told and not in the way of the rest.
/// @errors those of the store and the journal, after which nobody knows about the one in hand; the hint says how many are
/// revoked.
Result<Json> revoke_all(Session& session, const Found& found, const std::string& reason) {
  Json done = Json::array();
  Json refused = Json::array();
  std::size_t count = 0;
  for (const auto& one : found) {
    const auto revoked = revoke(session, one.serial, reason);
    if (revoked.ok()) {
      done.push_back(one.serial.hex());
      ++count;
      continue;
    }
    const auto& why = revoked.error();
    if (why.code() != Code::Conflict && why.code() != Code::NotFound)
      return Error(why.code(), why.message(),
                   std::to_string(count) + " of " + std::to_string(found.size()) +
                       " are revoked; the same command without apply shows the rest");
    refused.push_back(Json::object({{"serial", one.serial.hex()}, {"why", why.message()}}));
  }
  base::log_info("revoked " + std::to_string(count) + " certificates " + reason + " by " + session.requester());
  return Json::object({{"applied", true},
                       {"count", static_cast<std::int64_t>(found.size())},
                       {"revoked", std::move(done)},
                       {"refused", std::move(refused)}});
}

}  // namespace

Result<Json> certificate_revoke_many(Session& session, const Params& params) {
  PKI_TRY_VOID(check_narrowed(params));
  const bool apply = params.boolean("apply");
  if (apply && !params.has("expected"))
    return Error(Code::InvalidParams, "apply without expected: the number of certificates is missing",
                 "without apply the command says how many they are");
  PKI_TRY(auto* store, session.store());
  const auto now = session.clock().now();
  PKI_TRY(auto filter, filter_from(params, now));
  filter.state = params.text("state", "valid");
  PKI_TRY(const auto found, gather(*store, filter));
  for (const auto& one : found) PKI_TRY_VOID(check_access_to(session, store->certificate(one.serial, one.ca)));  // all or nothing
  const auto count = static_cast<std::int64_t>(found.size());
  if (!apply) return Json::object({{"applied", false}, {"count", count}, {"certificates", describe_all(found, now)}});
  if (params.integer("expected") != count)
    return Error(Code::Conflict,
                 "found " + std::to_string(count) + " certificates, expected " + std::to_string(params.integer("expected")) +
                     ": nothing was revoked",
                 "look again without apply");
  return revoke_all(session, found, params.text("reason", "unspecified"));
}

}  // namespace chancery::worker
