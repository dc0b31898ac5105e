#include <algorithm>
#include <array>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/worker/clients_mode.h"
#include "server/worker/describe.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"

/// certificate.enrol: for whom the realm's rules alone decide, by what the request shows (doc/enrolment.md).
namespace chancery::worker {
namespace {

/// A key of its own for each request, so that nobody asks for what another one got.
std::string key_of(const x509::Csr& csr, const std::string& key) {
  return key.empty() ? std::string() : "enrol " + base::to_hex(crypto::sha256(csr.der())) + " " + key;
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

}  // namespace

Result<Json> certificate_enrol(Session& session, const Params& params) {
  PKI_TRY(const auto order, read_order(session, params));
  PKI_TRY_VOID(check_clients_mode(session, Asks::Signature,
                                  {order.subject.common_name().value_or(""), order.subject.to_slash(), order.sans}));
  PKI_TRY_VOID(session.check_wanted());
  const auto issued = issue(session, order);
  if (!issued.ok()) return in_short(session, issued.error());
  return describe_issued(session, issued->certificate, issued->profile);
}

}  // namespace chancery::worker
