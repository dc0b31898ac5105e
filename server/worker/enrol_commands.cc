#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/worker/clients_mode.h"
#include "server/worker/describe.h"
#include "server/worker/enrolment_proofs.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"
#include "server/worker/refusals.h"
#include "server/worker/request_work.h"

/// certificate.enrol: for whom the realm's rules alone decide, by what the request shows (doc/enrolment.md).
namespace chancery::worker {
namespace {

/// A key of its own for each request, so that nobody asks for what another one got.
std::string key_of(const x509::Csr& csr, const std::string& key) {
  return key.empty() ? std::string() : "enrol " + crypto::sha256_hex(csr.der()) + " " + key;
}

/// Whether the session is for the one who asks. The roles of a front end that speaks for somebody are nothing of that one's.
bool is_own(const Session& session) { return session.requester() == session.identity().name; }

Result<Order> read_order(const Session& session, const Params& params) {
  PKI_TRY(auto order, order_from_csr(params.text("csr")));
  if (!is_own(session)) order.roles = Roles();
  PKI_TRY(order.profile, ProfileName::parse(params.text("profile", "server")));
  PKI_TRY_VOID(set_sans(order, params.texts("sans")));
  if (params.has("days")) order.validity = std::chrono::days{params.integer("days")};
  order.hmac = params.text("hmac");
  order.signature = params.text("signature");
  order.idempotency_key = key_of(*order.csr, params.text("idempotency_key"));
  order.rule = config::kEnrolWay;
  return order;
}

/// What is said instead of who is asked, which names are locked and what else a realm has.
struct Short {
  Code code;
  Code said;
  std::string_view message;
  std::string_view hint;
};
constexpr std::string_view kRefused = "enrolment refused";
constexpr std::string_view kWhoSees = "the realm's operators see why: policy.refused";
constexpr std::string_view kNotNow = "enrolment is not possible now";
constexpr std::string_view kLater = "try again later; the realm's administrators see why in the log";
constexpr std::array kShort{
    Short{Code::PolicyRefused, Code::PolicyRefused, kRefused, kWhoSees},
    Short{Code::Denied, Code::PolicyRefused, kRefused, kWhoSees},
    Short{Code::NotFound, Code::PolicyRefused, kRefused, kWhoSees},
    Short{Code::Unavailable, Code::Unavailable, kNotNow, kLater},
    Short{Code::Busy, Code::Busy, kNotNow, kLater},
    Short{Code::Conflict, Code::Conflict, kNotNow, kLater},
};

/// Who has no role is not told what the rules want, nor which names they know.
Error in_short(const Session& session, const Error& why) {
  const bool is_told = is_own(session) && session.identity().roles.allow(Role::User);
  const auto* const one = std::ranges::find(kShort, why.code(), &Short::code);
  if (is_told || one == kShort.end()) return why;
  base::log_info("enrolment refused to " + session.requester() + ": " + why.message());
  return {one->said, std::string(one->message), std::string(one->hint)};
}

// ----- what people decide

/// Whether requests are opened by themselves at all.
bool may_ask_people(const config::RealmConfig& realm) {
  return std::ranges::any_of(realm.policy.rules, [](const auto& rule) { return rule.if_short == "request"; });
}

RequestWish wish_of(const Params& params) {
  return RequestWish{.kind = realm::RequestKind::Enrolment,
                     .csr = params.text("csr"),
                     .profile = params.text("profile", "server"),
                     .sans = params.texts("sans"),
                     .days = params.integer("days")};
}

/// The same request is the same one, whoever brings it: its octets are signed by the key that will be certified.
std::string id_of(const RequestWish& wish, const x509::Csr& csr) {
  const auto asked = Json::object({{"way", config::kEnrolWay},
                                   {"profile", wish.profile},
                                   {"sans", Json::strings(wish.sans)},
                                   {"days", wish.days},
                                   {"csr", crypto::sha256_hex(csr.der())}});
  auto digest = crypto::sha256(base::as_bytes(wire::to_text(asked)));
  digest.resize(kRequestIdOctets);
  return base::to_hex(digest);
}

Json pending(const std::string& id) { return Json::object({{"state", "pending"}, {"request", id}}); }

/// What became of the request that an earlier enrol opened. An approved one is done now.
Result<Json> go_on(Session& session, const std::string& id) {
  using realm::RequestState;
  const realm::Parts shown{realm::Part::Requester};
  PKI_TRY(const auto request, decide_on(
                                  session, id,
                                  [&](Request& one) -> Result<Request> {
                                    if (one.state == RequestState::Pending) return one;
                                    const auto done = carry_out(session, one, actor_of(session, shown));
                                    // Where other people have to agree by now, it waits again.
                                    if (!done.ok() && one.state != RequestState::Pending) return done.error();
                                    return one;
                                  },
                                  shown));
  return request.state == RequestState::Pending ? Result<Json>(pending(id)) : describe_made(session, request);
}

/// One that was refused, taken back or left too long is asked for anew, by another request.
Error ended(const Error& why) { return {Code::PolicyRefused, why.message(), "make another PKCS#10 request to ask once more"}; }

/// Opens the request. Of several enrols of it at once one does, and the others find it.
Result<Json> ask_people(Session& session, RequestWish wish, const realm::Ruling& ruling, const std::string& id) {
  note_shown(wish, ruling);
  PKI_TRY(const auto row, new_request(session, wish, id));
  const std::vector<store::RequestStep> steps{first_step(session, row, "by certificate.enrol", {})};
  PKI_TRY(auto* store, session.store());
  const auto added = store->add_request(row, steps, static_cast<std::size_t>(session.realm().requests.open_per_requester));
  if (!added.ok()) return store->request(id).ok() ? go_on(session, id) : Result<Json>(added.error());
  base::log_info("request " + id + " is opened for " + row.requester + ", who enrols and is short of points");
  return pending(id);
}

/// The answer, where people have a say in it; none: they have none. Then `ruling` is what the rules said, where they were asked.
struct ByPeople {
  std::optional<Json> answer;
  std::optional<realm::Ruling> ruling{};
};
Result<ByPeople> enrol_by_people(Session& session, const Params& params, const Order& order) {
  if (!may_ask_people(session.realm())) return ByPeople{};
  PKI_TRY_VOID(order.csr->verify_possession());
  const auto wish = wish_of(params);
  const auto id = id_of(wish, *order.csr);
  PKI_TRY(auto* store, session.store());
  const auto known = store->request(id);
  if (known.ok()) {
    auto answer = go_on(session, id);
    if (!answer.ok()) return answer.error().code() == Code::Conflict ? ended(answer.error()) : answer.error();
    return ByPeople{std::move(answer).value()};
  }
  if (known.error().code() != Code::NotFound) return known.error();
  // What its HMAC got already is issue()'s to say, before limits are asked.
  if (const auto key = key_of_hmac(order)) {
    PKI_TRY(const auto before, store->by_idempotency_key(*key));
    if (before) return ByPeople{};
  }
  auto approved = order;
  approved.is_approved = true;
  PKI_TRY(const auto decision, judge(session, approved));
  if (!decision.allowed()) {
    note_refusal(session, order, decision);
    return decision.refusal();
  }
  PKI_TRY(const auto* profile, profile_of(session, order.profile));
  const bool is_short = decision.ruling && (decision.ruling->points.missing() > 0 || profile->approval.needed > 0);
  if (!is_short || !decision.ruling->asks_people) return ByPeople{{}, decision.ruling};
  PKI_TRY(auto answer, ask_people(session, wish, *decision.ruling, id));
  return ByPeople{std::move(answer)};
}

}  // namespace

Result<Json> certificate_enrol(Session& session, const Params& params) {
  PKI_TRY(const auto order, read_order(session, params));
  PKI_TRY_VOID(check_clients_mode(session, Asks::Signature,
                                  {order.subject.common_name().value_or(""), order.subject.to_slash(), order.sans}));
  PKI_TRY_VOID(session.check_wanted());
  const auto by_people = enrol_by_people(session, params, order);
  if (!by_people.ok()) return in_short(session, by_people.error());
  if (by_people->answer) return *by_people->answer;
  const auto issued = issue(session, order, by_people->ruling);
  if (!issued.ok()) return in_short(session, issued.error());
  return describe_issued(session, issued->certificate, issued->profile);
}

}  // namespace chancery::worker
