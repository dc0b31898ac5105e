#include <algorithm>

#include "server/base/text.h"
#include "server/config/policy_settings.h"
#include "server/realm/rules.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"
#include "server/worker/policy_facts.h"
#include "server/worker/policy_text.h"
#include "server/worker/refusals.h"

namespace chancery::worker {
namespace {

constexpr std::int64_t kPageDefault = 100;
constexpr std::string_view kDefaultSpan = "90d";
constexpr std::int64_t kMostDays = 36525;
constexpr std::int64_t kDaySeconds = 86400;

/// What is asked again long after: how many there were at that time nobody knows, so there was room.
class PastFacts : public PolicyFacts {
 public:
  /// @param answers  of that time
  PastFacts(Session& session, std::map<std::string, bool> answers) : PolicyFacts(session), past_(std::move(answers)) {}
  Result<int> living_of_subject(const std::string& /*subject*/, int /*most*/) const override { return 0; }
  Result<int> living_of_requester(const std::string& /*requester*/, int /*most*/) const override { return 0; }
  Result<std::string> standing_of(const std::string& /*subject*/) const override { return std::string("nothing"); }
  Result<bool> shows(const config::Proof& proof, const realm::Question& /*question*/) const override {
    const auto then = past_.find(proof.label());
    return then != past_.end() && then->second;
  }
  /// Nobody is asked anew but files, which cost nothing and change nothing.
  Result<bool> look_up(const std::string& where, const realm::Question& question) const override {
    if (const auto then = past_.find(answer_name(where, question)); then != past_.end()) return then->second;
    if (where.starts_with(config::kFileLookUp)) return PolicyFacts::look_up(where, question);
    return Error(Code::Unavailable, "nobody knows what look-up " + where + " would have said");
  }

 private:
  std::map<std::string, bool> past_;
};

Result<std::chrono::seconds> span_of(const Params& params) {
  const config::SettingInfo info{.unit = "s", .least = 1, .most = kMostDays * kDaySeconds, .type = "duration"};
  auto span = config::Codec<std::chrono::seconds>::parse(info, params.text("since", kDefaultSpan));
  if (!span.ok()) return Error(Code::InvalidParams, "parameter since: " + span.error().message());
  return span;
}

/// The request that a certificate came of, as far as records tell.
Result<realm::Wish> wish_of(const config::Profile& profile, const store::CertificateRecord& record) {
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record.der));
  realm::Wish wish;
  wish.profile = &profile;
  wish.subject = certificate.subject();
  wish.sans = certificate.sans();
  wish.key = certificate.public_key();
  wish.subject_from = realm::SubjectFrom::Rule;
  wish.not_before = certificate.not_before();
  wish.not_after = certificate.not_after();
  wish.roles = roles_in_evidence(record.evidence);
  wish.role_names = role_names_in_evidence(record.evidence);
  wish.way = realm::way_of(record.rule);
  wish.requester = record.requester;
  if (wish.way == "renewal") wish.follows_until = record.issued_at;  // when the one before ended is not in the record
  return wish;
}

struct Redecided {
  bool allowed = true;
  std::string why;
  std::string rule;
};

Result<Redecided> decide_again(Session& session, const config::RealmConfig& realm, const store::CertificateRecord& record) {
  PKI_TRY(const auto name, ProfileName::parse(record.profile));
  const auto profile = realm.profiles.find(name);
  if (profile == realm.profiles.end()) return Redecided{false, "there is no profile " + name.text(), {}};
  PKI_TRY(auto wish, wish_of(profile->second, record));
  const auto ruling = realm::rule_on(realm, wish, record.issued_at, PastFacts(session, answers_in_evidence(record.evidence)));
  if (!ruling.ok()) return Redecided{false, ruling.error().message(), {}};
  if (const auto blocked = realm::blocked_name(realm.policy, wish.subject, wish.sans); !blocked.empty())
    return Redecided{false, blocked + " is blocked", {}};
  return Redecided{ruling->granted, ruling->detail, ruling->rule};
}

/// Those that were refused and would be granted. @param asked  grows by as many as were decided again
Result<Json> grantable(Session& session, const config::RealmConfig& realm, Seconds since, std::int64_t& asked) {
  constexpr std::size_t kMost = 1000;
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto rows, store->refused_requests(since, {}, kMost));
  auto list = Json::array();
  for (const auto& row : rows) {
    const auto again = refused_wish(realm, row);
    if (!again.ok()) continue;  // its profile is gone: refused
    ++asked;
    const auto& wish = again->wish;
    const auto ruling = realm::rule_on(realm, wish, row.last_at, PastFacts(session, again->answers));
    const bool enrols_by_none = ruling.ok() && wish.way == config::kEnrolWay && ruling->rule.empty();
    if (!ruling.ok() || !ruling->granted || ruling->points.missing() > 0 || enrols_by_none) continue;
    if (!realm::blocked_name(realm.policy, wish.subject, wish.sans).empty()) continue;
    list.push_back(Json::object({{"id", row.id},
                                 {"subject", wish.subject.to_slash()},
                                 {"profile", wish.profile->name.text()},
                                 {"requester", wish.requester},
                                 {"last_at", base::to_rfc3339(row.last_at)},
                                 {"times", row.times},
                                 {"rule_now", ruling->rule}}));
  }
  return list;
}

Json describe_difference(const store::CertificateRecord& record, const Redecided& now) {
  return Json::object({{"serial", record.serial.hex()},
                       {"subject", record.subject},
                       {"profile", record.profile},
                       {"requester", record.requester},
                       {"issued_at", base::to_rfc3339(record.issued_at)},
                       {"allowed", now.allowed},
                       {"why", now.why},
                       {"rule", rule_in_evidence(record.evidence)},
                       {"rule_now", now.rule}});
}

}  // namespace

Result<Json> policy_replay(Session& session, const Params& params) {
  std::vector<config::Finding> findings;
  const auto realm = realm_with_rules(session.realm(), params.text("config"), findings);
  auto lines = Json::array();
  for (const auto& finding : findings) lines.push_back(config::to_line(finding));
  if (!realm)
    return Json::object({{"asked", 0},
                         {"differences", Json::array()},
                         {"refused_asked", 0},
                         {"grantable", Json::array()},
                         {"findings", std::move(lines)}});
  PKI_TRY(const auto span, span_of(params));
  PKI_TRY(auto* store, session.store());
  const auto now = session.clock().now();
  store::CertificateFilter filter{.issued_after = now - span, .now = now};
  PKI_TRY(const auto page,
          store->search(filter, static_cast<std::size_t>(params.integer("limit", kPageDefault)), params.text("after")));
  auto differences = Json::array();
  std::int64_t asked = 0;
  for (const auto& row : page.items) {
    const bool is_nobodys = row.rule == signer::kImportedRule || row.rule == signer::kServiceRule;
    if (realm::way_of(row.rule) == "listener" || is_nobodys) continue;
    PKI_TRY(const auto record, store->certificate(row.serial));
    PKI_TRY(const auto again, decide_again(session, *realm, record));
    ++asked;
    if (!again.allowed || again.rule != rule_in_evidence(record.evidence))
      differences.push_back(describe_difference(record, again));
  }
  std::int64_t refused_asked = 0;
  auto granted_now = Json::array();
  if (!params.has("after")) {
    PKI_TRY(granted_now, grantable(session, *realm, now - span, refused_asked));
  }
  auto answer = Json::object({{"asked", asked},
                              {"differences", std::move(differences)},
                              {"refused_asked", refused_asked},
                              {"grantable", std::move(granted_now)},
                              {"findings", std::move(lines)}});
  if (!page.next.empty()) answer.set("next", page.next);
  return answer;
}

}  // namespace chancery::worker
