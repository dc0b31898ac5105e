#include <algorithm>
#include <array>

#include "server/base/file.h"
#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/realm/auto_approval.h"
#include "server/worker/access.h"
#include "server/worker/handlers.h"
#include "server/worker/request_files.h"
#include "server/worker/request_realm.h"
#include "server/worker/request_work.h"

/// request.create, and what is shown of requests.
namespace chancery::worker {
namespace {

using realm::RequestEvent;
using realm::RequestKind;
using realm::RequestState;

constexpr std::int64_t kDefaultPage = 100;

/// Which parameters a kind of request has.
struct Takes {
  RequestKind kind;
  std::string_view needed;
  std::string_view others;
};
constexpr std::array kTakes{
    Takes{RequestKind::Enrolment, "csr", "profile sans days"}, Takes{RequestKind::Renewal, "serial", "csr days"},
    Takes{RequestKind::Revocation, "serial", "reason"},        Takes{RequestKind::NameChange, "serial", "csr dn sans days"},
    Takes{RequestKind::Rollover, "", "ca step from"},          Takes{RequestKind::RuleChange, "config", ""}};
static_assert(kTakes.size() == realm::kRequestKinds);
constexpr std::array<std::string_view, 11> kOfKinds{"csr",    "profile", "sans", "days", "serial", "dn",
                                                    "reason", "ca",      "step", "from", "config"};

/// "serial and at most reason"
std::string expected_of(const Takes& row) {
  const auto others = "at most " + base::join(base::split(std::string(row.others), ' '), ", ");
  if (row.needed.empty() || row.others.empty()) return row.needed.empty() ? others : std::string(row.needed) + " alone";
  return std::string(row.needed) + " and " + others;
}

Status check_kind(RequestKind kind, const Params& params) {
  const auto& row = *std::ranges::find(kTakes, kind, &Takes::kind);
  const auto of = " of " + std::string(realm::to_text(kind));
  if (!row.needed.empty() && !params.has(row.needed))
    return Error(Code::InvalidParams, "parameter " + std::string(row.needed) + ": missing, expected with a request" + of);
  const auto others = base::split(std::string(row.others), ' ');
  for (const auto name : kOfKinds) {
    if (params.has(name) && name != row.needed && std::ranges::find(others, name) == others.end())
      return Error(Code::InvalidParams,
                   "parameter " + std::string(name) + ": found with a request" + of + ", expected " + expected_of(row));
  }
  if (kind == RequestKind::NameChange && !params.has("dn") && !params.has("sans"))
    return Error(Code::InvalidParams, "neither dn nor sans is given, expected the new names");
  const auto step = params.text("step", realm::kWholeRollover);
  if (params.has("from") && step != realm::kWholeRollover && step != "start")
    return Error(Code::InvalidParams, "parameter from: found with the step " + step + ", expected start or whole");
  return {};
}

/// What is asked for of a kind that is about the realm itself.
void read_realm_wish(const Params& params, RequestWish& wish) {
  if (wish.kind == RequestKind::RuleChange) wish.config = params.text("config");
  if (wish.kind != RequestKind::Rollover) return;
  wish.ca = params.text("ca", config::kFirstCa);
  wish.step = params.text("step", realm::kWholeRollover);
  wish.from = params.text("from");
}

Result<RequestWish> read_wish(Session& session, const Params& params) {
  RequestWish wish;
  PKI_TRY(wish.kind, realm::request_kind(params.text("kind", "enrolment")));
  PKI_TRY_VOID(check_kind(wish.kind, params));
  PKI_TRY_VOID(check_may_ask(session, wish.kind));
  read_realm_wish(params, wish);
  if (realm_rule(wish.kind) != nullptr) return wish;
  wish.csr = params.text("csr");
  wish.profile = params.text("profile", "server");
  wish.sans = params.texts("sans");
  wish.days = params.integer("days");
  wish.dn = params.text("dn");
  wish.hmac = params.text("hmac");
  wish.signature = params.text("signature");
  if (params.has("serial")) {
    PKI_TRY(const auto serial, params.serial());
    wish.serial = serial.hex();
  }
  if (wish.kind == RequestKind::Revocation) wish.reason = params.text("reason", "unspecified");
  PKI_TRY(const auto profile, profile_of_wish(session, wish));
  if (wish.kind != RequestKind::Enrolment) wish.profile = profile.text();
  return wish;
}

/// The address that a front end says; nobody says it of himself.
Result<std::string> address_of(const Session& session, const Params& params) {
  if (!params.has("peer")) return std::string();
  if (session.identity().front_end.empty())
    return Error(Code::InvalidParams,
                 "parameter peer: found from " + session.identity().name + ", expected from front ends alone");
  return params.text("peer");
}

std::string known_hosts(const config::ApprovalRules& rules) {
  if (rules.auto_hosts.empty()) return {};
  const auto text = base::read_file(rules.auto_hosts, config::kMostHostsOctets);
  if (text.ok()) return *text;
  base::log_warning("no host is known: " + text.error().message());
  return {};
}

bool is_own_renewal(const Session& session, const RequestWish& wish) {
  return wish.kind == RequestKind::Renewal && session.login() && session.login()->serial().hex() == wish.serial;
}

/// Whether the requester could revoke without a request.
bool may_revoke(Session& session, const RequestWish& wish) {
  const auto serial = Serial::from_hex(wish.serial);
  const auto store = session.store();
  if (!serial.ok() || !store.ok()) return false;
  const auto record = (*store)->certificate(*serial);
  return record.ok() && may_run(session, "certificate.revoke", about_record(*record));
}

/// Whether the requester could have it done without a request.
bool may_directly(Session& session, const RequestWish& wish, const config::Profile* profile) {
  const auto& identity = session.identity();
  if (!identity.front_end.empty()) return false;
  if (wish.kind == RequestKind::Revocation) return may_revoke(session, wish);
  if (realm_rule(wish.kind) != nullptr) return may_take_alone(session, wish);
  if (profile == nullptr || profile->approval.needed > 0) return false;
  auto order = order_for(session, wish);
  if (order.ok()) order->rule = wish.kind == RequestKind::Renewal ? "renewal" : "command";  // as it would come without a request
  const auto decision = order.ok() ? judge(session, *order) : Result<realm::Decision>(order.error());
  if (!decision.ok() || !decision->allowed()) return false;
  const auto& grant = decision->grant;
  return may_run(session, "certificate.issue", realm::about_certificate(profile->name.text(), grant.subject, grant.sans));
}

/// The rule that approves at once; empty: none does.
Result<std::string> rule_for(Session& session, const RequestWish& wish, const store::RequestRow& row, std::string address) {
  const auto* profile = profile_of_request(session, row);
  if (wish.approvals > 0) return std::string();  // points of the policy are missing, which people alone make up for
  if (may_directly(session, wish, profile)) return std::string(kDirectRule);
  if (profile == nullptr || wish.kind == RequestKind::Revocation) return std::string();
  realm::AutoFacts facts{.subject = {},
                         .names = {},
                         .hosts = {},
                         .address = std::move(address),
                         .is_own_renewal = is_own_renewal(session, wish),
                         .now = session.clock().now()};
  for (const auto& text : realm::values_in(row.content, "name")) {
    PKI_TRY(auto name, x509::GeneralName::parse(text));
    facts.names.push_back(std::move(name));
  }
  for (const auto& text : realm::values_in(row.content, "subject")) {
    PKI_TRY(facts.subject, x509::Name::from_slash(text));
  }
  const auto hosts = known_hosts(profile->approval);
  facts.hosts = hosts;
  return realm::approving_rule(profile->approval, facts);
}

/// Rows that the session may see of a page: operators and auditors all, others what is theirs or theirs to decide.
bool sees_all(const Session& session) {
  const auto& identity = session.identity();
  if (identity.roles.allow(Role::RaOperator) || identity.roles.allow(Role::Auditor)) return true;
  const auto& requests = session.realm().requests;
  if (is_shown(session) && (has_role_among(identity, requests.rollover_roles) || has_role_among(identity, requests.rule_roles)))
    return true;
  return is_shown(session) && std::ranges::any_of(session.realm().profiles, [&](const auto& one) {
           return has_role_among(identity, one.second.approval.roles);
         });
}

/// One attachment with its octets, if they are what the history says came.
Result<Json> attachment(Session& session, const Request& request, std::int64_t number) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto file, store->request_file(request.row.id, number));
  const auto line = file.sha256 + " " + file.type + " " + file.name;
  const bool is_told =
      std::ranges::any_of(request.history, [&](const auto& entry) { return std::ranges::count(entry.files, line) != 0; });
  if (!is_told || crypto::sha256_hex(file.octets) != file.sha256)
    return Error(Code::Corrupt, "attachment " + std::to_string(number) + " of request " + request.row.id + " is not what came");
  return Json::object(
      {{"name", file.name}, {"type", file.type}, {"sha256", file.sha256}, {"data", base::to_base64(file.octets)}});
}

}  // namespace

Result<store::RequestRow> new_request(Session& session, RequestWish& wish, const std::string& id) {
  const auto now = session.clock().now();
  realm::RequestContent content;
  content.realm = session.realm().name.text();
  content.id = id;
  content.kind = wish.kind;
  content.requester = session.requester();
  content.front_end = session.identity().front_end;
  content.expires = now + session.realm().requests.lifetime;
  content.certificate = wish.serial;
  content.reason = wish.reason;
  PKI_TRY(content, content_of(session, wish, std::move(content)));
  const auto text = realm::canonical_text(content);
  return store::RequestRow{.id = content.id,
                           .kind = std::string(realm::to_text(wish.kind)),
                           .state = std::string(realm::to_text(RequestState::Pending)),
                           .requester = content.requester,
                           .front_end = content.front_end,
                           .uid = actor_of(session, {}).uid,
                           .profile = wish.profile,
                           .content = text,
                           .digest = realm::digest_of_text(text),
                           .wish = wire::to_text(to_json(wish)),
                           .created_at = now,
                           .expires_at = content.expires};
}

store::RequestStep first_step(const Session& session, const store::RequestRow& row, std::string why,
                              std::vector<store::RequestFile> files) {
  const auto actor = actor_of(session, {});
  realm::HistoryEntry entry{.at = row.created_at,
                            .what = std::string(realm::kCreated),
                            .state = row.state,
                            .who = actor.who,
                            .uid = actor.uid,
                            .roles = actor.roles,
                            .why = std::move(why),
                            .digest = row.digest};
  for (const auto& file : files) entry.files.push_back(file.sha256 + " " + file.type + " " + file.name);
  entry.chain = realm::chain_of(row.digest, entry);
  return {std::move(entry), std::move(files)};
}

Result<Json> request_create(Session& session, const Params& params) {
  PKI_TRY(auto wish, read_wish(session, params));
  PKI_TRY(auto address, address_of(session, params));
  PKI_TRY(auto files, files_from(session, params.json("attachments"), {}));
  PKI_TRY(const auto row, new_request(session, wish, base::to_hex(base::random_bytes(kRequestIdOctets))));
  PKI_TRY(const auto rule, rule_for(session, wish, row, std::move(address)));
  const std::vector<store::RequestStep> steps{first_step(session, row, params.text("comment"), std::move(files))};
  PKI_TRY(auto* store, session.store());
  PKI_TRY_VOID(store->add_request(row, steps, static_cast<std::size_t>(session.realm().requests.open_per_requester)));
  PKI_TRY(auto request, load_request(session, row.id));
  if (!rule.empty()) PKI_TRY_VOID(advance(session, request, realm_itself(), {.event = RequestEvent::Grant, .why = rule}));
  return describe_request(session, request);
}

Result<Json> request_get(Session& session, const Params& params) {
  PKI_TRY(const auto request, load_request(session, params.text("request")));
  PKI_TRY(auto out, describe_request(session, request));
  if (!params.has("attachment")) return out;
  PKI_TRY(auto file, attachment(session, request, params.integer("attachment")));
  return out.set("attached", std::move(file));
}

Result<Json> request_list(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  store::RequestFilter filter{.state = params.text("state"), .requester = params.text("requester")};
  if (params.boolean("mine")) filter.requester = session.requester();
  const bool all = sees_all(session);
  if (!all && !filter.requester.empty() && filter.requester != session.requester())
    return Json::object({{"requests", Json::array()}});
  if (!all) filter.requester = session.requester();
  const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(params.integer("limit", kDefaultPage), 1));
  PKI_TRY(const auto page, store->requests(filter, limit, params.text("after")));
  Json rows = Json::array();
  for (const auto& row : page.items) {
    if (realm::may_see(parts_of(session, row))) rows.push_back(describe_row(session, row));
  }
  auto out = Json::object({{"requests", std::move(rows)}});
  if (!page.next.empty()) out.set("next", page.next);
  return out;
}

}  // namespace chancery::worker
