#include "server/worker/seeds.h"

#include <algorithm>

#include "server/base/file.h"
#include "server/base/log.h"
#include "server/base/text.h"
#include "server/config/value.h"
#include "server/crypto/digest.h"
#include "server/wire/message.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kMaxSeedBytes = 1024;
constexpr int kMostWrongSeeds = 5;  ///< of one connection, which then ends
constexpr std::size_t kIdOctets = 8;
constexpr std::size_t kSecretOctets = 24;
constexpr char kSeparator = '.';  ///< between the id of a seed in the store and its secret
constexpr std::int64_t kDay = 86400;
constexpr std::chrono::days kKept{30};  ///< an expired seed is listed so long
constexpr std::size_t kPurgedAtOnce = 100;
constexpr std::size_t kDefaultPage = 100;
constexpr const char* kUsedUp = "used up or expired";

std::string digest_of(std::string_view seed) { return crypto::sha256_hex(base::as_bytes(seed)); }

/// The first and the last of a session are logged, so that guessing fills no disk.
Error refuse(Session& session, const std::string& why) {
  const auto count = session.count_wrong_seed();
  session.closing = count >= kMostWrongSeeds;
  if (count == 1) base::log_warning(why + " registration seed from " + session.requester());
  if (!session.closing) return {Code::AuthFailed, "Invalid registration seed"};
  base::log_warning(std::to_string(count) + " wrong registration seeds from " + session.requester() + ": the session ends");
  return {Code::AuthFailed, "Invalid registration seed", std::string(wire::kConnectAgain)};
}

/// Whether it is the realm's own; never in a realm that has none.
Result<bool> is_realms_own(const Session& session, const std::string& offered) {
  if (session.realm().seed_file.empty()) return false;
  PKI_TRY(const auto text, base::read_secret_file(session.realm().seed_file, kMaxSeedBytes));
  const auto seed = base::trim(base::as_text(text.view()));
  return !seed.empty() && base::equal_in_constant_time(base::as_bytes(seed), base::as_bytes(offered));
}

/// The seed in the store that an offered text is, if it is one.
Result<std::optional<store::SeedRecord>> find(Session& session, const std::string& offered) {
  PKI_TRY(auto* store, session.store());
  auto record = store->seed(offered.substr(0, offered.find(kSeparator)));
  if (!record.ok() && record.error().code() == Code::NotFound) return std::optional<store::SeedRecord>();
  if (!record.ok()) return record.error();
  const bool same = base::equal_in_constant_time(base::as_bytes(record->digest), base::as_bytes(digest_of(offered)));
  return same ? std::optional(std::move(record).value()) : std::nullopt;
}

Json describe(const store::SeedRecord& seed, Seconds now) {
  auto out = Json::object({{"id", seed.id}, {"profile", seed.profile}});
  if (!seed.cn.empty()) out.set("cn", seed.cn);
  const auto* state = seed.uses_left == 0 ? "used" : seed.expires_at <= now ? "expired" : "good";
  return out.set("state", state)
      .set("uses_left", seed.uses_left)
      .set("used", seed.used)
      .set("expires_at", base::to_rfc3339(seed.expires_at))
      .set("created_at", base::to_rfc3339(seed.created_at))
      .set("created_by", seed.created_by);
}

Result<std::chrono::seconds> lifetime_from(const std::string& text) {
  const auto parsed =
      config::Codec<std::chrono::seconds>::parse(config::SettingInfo{.least = 60, .most = 366 * kDay, .type = "duration"}, text);
  if (!parsed.ok()) return Error(Code::InvalidParams, "expires: " + parsed.error().message());
  return parsed;
}

/// A seed for RAs makes RAs, so who may not have one certified gives out no such seed.
Status check_may_make_seed(const Session& session, const config::Profile& profile) {
  PKI_TRY_VOID(check_registrable(profile));
  const auto given = config::holders_role(profile);
  if (!given) return {};
  return check_may_give_role(session, "a seed for profile " + profile.name.text() + " makes " + std::string(given->what),
                             "name another profile");
}

}  // namespace

Status check_registrable(const config::Profile& profile) {
  const auto given = config::holders_role(profile);
  if (!given || given->by_seed) return {};
  return Error(Code::PolicyRefused,
               "registration never makes " + std::string(given->what) + ", and profile " + profile.name.text() + " does");
}

Result<SeedGrant> read_seed(Session& session, const std::string& offered) {
  PKI_TRY(const bool own, is_realms_own(session, offered));
  PKI_TRY(const auto found, find(session, offered));
  if (own) return SeedGrant{};
  if (!found) {
    if (session.realm().seed_file.empty() && offered.find(kSeparator) == std::string::npos)
      return Error(Code::Denied, "registration is closed in this realm",
                   "set seed_file in ca.config.yml, or seed.create makes one");
    return refuse(session, "wrong");
  }
  if (found->uses_left == 0 || found->expires_at <= session.clock().now()) return refuse(session, kUsedUp);
  PKI_TRY(auto profile, ProfileName::parse(found->profile));
  return SeedGrant{found->id, std::move(profile), found->cn};
}

Status take_use(Session& session, const SeedGrant& grant) {
  if (grant.id.empty()) return {};
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const bool taken, store->take_seed(grant.id, session.clock().now()));
  return taken ? Status() : refuse(session, kUsedUp);
}

void give_back(Session& session, const SeedGrant& grant, const Error& why) {
  if (grant.id.empty() || !is_refusal(why)) return;
  const auto store = session.store();
  const auto done = store.ok() ? (*store)->give_back_seed(grant.id) : Status(store.error());
  if (!done.ok()) base::log_error("a use of seed " + grant.id + " is lost: " + done.error().message());
}

Result<Json> seed_create(Session& session, const Params& params) {
  PKI_TRY(const auto profile, ProfileName::parse(params.text("profile", "ra")));
  PKI_TRY(const auto* found, profile_of(session, profile));
  PKI_TRY_VOID(check_may_make_seed(session, *found));
  PKI_TRY(const auto lifetime, lifetime_from(params.text("expires", "24h")));
  const auto now = session.clock().now();
  const auto id = base::to_hex(base::random_bytes(kIdOctets));
  const auto text = id + kSeparator + base::to_base64url(base::random_bytes(kSecretOctets));
  const store::SeedRecord seed{.id = id,
                               .digest = digest_of(text),
                               .profile = profile.text(),
                               .cn = params.text("cn"),
                               .uses_left = params.integer("uses", 1),
                               .used = 0,
                               .expires_at = now + lifetime,
                               .created_at = now,
                               .created_by = session.requester()};
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->purge_seeds(now - kKept, kPurgedAtOnce));
  PKI_TRY_VOID(store->add_seed(seed));
  base::log_info("seed " + id + " for profile " + seed.profile + " made by " + session.requester());
  return describe(seed, now).set("seed", text);
}

Result<Json> seed_list(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  const auto limit = std::max<std::int64_t>(params.integer("limit", kDefaultPage), 1);
  PKI_TRY(const auto page, store->seeds(static_cast<std::size_t>(limit), params.text("after")));
  Json rows = Json::array();
  for (const auto& seed : page.items) rows.push_back(describe(seed, session.clock().now()));
  auto out = Json::object({{"seeds", std::move(rows)}});
  if (!page.next.empty()) out.set("next", page.next);
  return out;
}

Result<Json> seed_revoke(Session& session, const Params& params) {
  const auto id = params.text("id");
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->delete_seed(id));
  base::log_info("seed " + id + " revoked by " + session.requester());
  return Json::object({{"id", id}});
}

}  // namespace chancery::worker
