#include "server/worker/refusals.h"

#include <algorithm>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/realm/rules.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kPurgedAtOnce = 200;
constexpr std::int64_t kDefaultPage = 100;
constexpr std::uint8_t kOneIn = 16;  // every so many times there is a look at how many are kept

/// Who enrols can be approved by nobody: points that are missing refuse like a rule.
bool is_of_rules(const Order& order, const realm::Check& one) {
  return !one.passed && (one.rule == "policy" || (one.rule == "approvals" && order.rule == config::kEnrolWay));
}

bool rules_refused(const Order& order, const realm::Decision& decision) {
  return std::ranges::any_of(decision.checks, [&](const realm::Check& one) { return is_of_rules(order, one); });
}

std::string why(const Order& order, const realm::Decision& decision) {
  const auto one = std::ranges::find_if(decision.checks, [&](const realm::Check& check) { return is_of_rules(order, check); });
  return one == decision.checks.end() ? std::string() : one->detail;
}

/// What makes it the same request when it comes again.
Json content_of(const Session& session, const Order& order, const realm::Decision& decision) {
  auto content =
      Json::object({{"way", realm::way_of(order.rule)},
                    {"profile", order.profile.text()},
                    {"requester", order.requester.value_or(session.requester())},
                    {"subject", decision.grant.subject.to_slash()},
                    {"sans", Json::strings(san_texts(decision.grant.sans))},
                    {"roles", Json::strings(order.roles ? order.roles->names() : session.identity().roles.names())},
                    {"role_names", Json::strings(order.roles ? order.roles->names() : session.identity().role_names())},
                    {"is_holders", order.is_holders}});
  if (order.validity) content.set("validity", static_cast<std::int64_t>(order.validity->count()));
  if (!order.key.empty() && !order.key_stands_in) content.set("key", base::to_hex(order.key.spki()));
  return content;
}

Status remember(Session& session, const Order& order, const realm::Decision& decision) {
  const auto& limits = session.realm().enrolment;
  auto content = content_of(session, order, decision);
  auto same = content;
  same.set("key", order.key.empty() ? "" : base::to_text(order.key.spec()));  // a client that makes a new key each time
  store::RefusedRequest refused{.id = crypto::sha256_hex(base::as_bytes(wire::to_text(same))),
                                .last_at = session.clock().now(),
                                .why = why(order, decision)};
  if (order.follows_until)
    content.set("renews_left", static_cast<std::int64_t>((*order.follows_until - refused.last_at).count()));
  auto answers = Json::object();
  if (decision.ruling) {
    for (const auto& [name, yes] : decision.ruling->answers) answers.set(name, yes);
  }
  refused.content = wire::to_text(content.set("answers", std::move(answers)));
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->add_refused_request(refused));
  if (base::random_bytes(1)[0] % kOneIn != 0) return {};
  PKI_TRY_VOID(store->keep_refused_requests(static_cast<std::size_t>(limits.refused_kept), kPurgedAtOnce));
  return store->purge_policy_records(refused.last_at - limits.refused_for, refused.last_at - limits.refused_for, kPurgedAtOnce);
}

Json describe(const store::RefusedRequest& refused) {
  const auto content = wire::parse_json(refused.content);
  auto out = Json::object({{"id", refused.id}});
  if (content.ok()) {
    for (const auto* name : {"way", "profile", "requester", "subject", "sans"}) {
      if (const auto* value = content->find(name)) out.set(name, *value);
    }
  }
  return out.set("why", refused.why)
      .set("times", refused.times)
      .set("first_at", base::to_rfc3339(refused.first_at))
      .set("last_at", base::to_rfc3339(refused.last_at));
}

}  // namespace

void note_refusal(Session& session, const Order& order, const realm::Decision& decision) {
  if (session.realm().enrolment.refused_kept == 0 || !rules_refused(order, decision)) return;
  const auto done = remember(session, order, decision);
  if (!done.ok()) base::log_warning("a refused request is not remembered: " + done.error().message());
}

Result<RefusedWish> refused_wish(const config::RealmConfig& realm, const store::RefusedRequest& refused) {
  PKI_TRY(const auto content, wire::parse_json(refused.content));
  PKI_TRY(const auto name, ProfileName::parse(content.text("profile")));
  const auto profile = realm.profiles.find(name);
  if (profile == realm.profiles.end()) return Error(Code::NotFound, "there is no profile " + name.text());
  RefusedWish out;
  auto& wish = out.wish;
  wish.profile = &profile->second;
  PKI_TRY(wish.subject, x509::Name::from_slash(content.text("subject")));
  for (const auto& text : content.texts("sans")) {
    PKI_TRY(auto san, x509::GeneralName::parse(text));
    wish.sans.push_back(std::move(san));
  }
  wish.subject_from = realm::SubjectFrom::Rule;  // as it would have been
  for (const auto& text : content.texts("roles")) {
    if (const auto role = base::role_from_text(text); role.ok()) wish.roles.add(*role);
  }
  wish.role_names = content.texts("role_names");
  wish.way = content.text("way");
  wish.requester = content.text("requester");
  wish.is_holders = content.boolean("is_holders");
  if (content.find("validity") != nullptr) wish.validity = std::chrono::seconds{content.integer("validity")};
  if (content.find("renews_left") != nullptr)
    wish.follows_until = refused.last_at + std::chrono::seconds{content.integer("renews_left")};
  if (const auto key = content.text("key"); !key.empty()) {
    PKI_TRY(const auto spki, base::from_hex(key));
    PKI_TRY(wish.key, crypto::PublicKey::from_spki(spki));
  }
  if (const auto* answers = content.find("answers"); answers != nullptr && answers->is_object()) {
    for (const auto& [who, yes] : *answers->as_object()) out.answers[who] = yes.as_bool() != nullptr && *yes.as_bool();
  }
  return out;
}

Result<Json> policy_refused(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  const auto limit = static_cast<std::size_t>(params.integer("limit", kDefaultPage));
  std::optional<store::RefusedRequest> after;
  if (params.has("after")) {
    const auto text = params.text("after");
    const auto blank = text.find(' ');
    const auto at = base::from_rfc3339(text.substr(0, blank));
    if (blank == std::string::npos || !at.ok())
      return Error(Code::InvalidParams, "parameter after: found what is no page's next");
    after = store::RefusedRequest{.id = text.substr(blank + 1), .last_at = *at};
  }
  const auto since = session.clock().now() - session.realm().enrolment.refused_for;
  PKI_TRY(const auto rows, store->refused_requests(since, after, limit));
  auto list = Json::array();
  for (const auto& row : rows) list.push_back(describe(row));
  auto answer = Json::object({{"refused", std::move(list)}});
  if (rows.size() == limit) answer.set("next", base::to_rfc3339(rows.back().last_at) + " " + rows.back().id);
  return answer;
}

}  // namespace chancery::worker
