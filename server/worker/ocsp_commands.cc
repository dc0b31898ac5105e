#include <algorithm>

#include "server/base/log.h"
#include "server/worker/ask_signer.h"
#include "server/worker/handlers.h"
#include "server/x509/ocsp.h"
#include "server/x509/reasons.h"

/// ocsp.answer: what an OCSP responder of the realm says (RFC 6960). What it says is looked up here and held against its journal
/// by the signer, which alone has the responder's key.
namespace chancery::worker {
namespace {

using x509::OcspRefusal;
using x509::OcspStatus;

Json refused(OcspRefusal why) {
  return Json::object({{"status", x509::to_text(why)}, {"response", base::to_base64(x509::ocsp_response(why))}});
}

/// The generation that is meant by what is asked: by the first certificate that is of one of them.
const realm::Generation* meant(const std::vector<realm::Generation>& all, const x509::OcspRequest& asked) {
  for (const auto& id : asked.asked) {
    for (const auto& one : all) {
      if (one.authority && id.is_of(one.authority->certificate)) return &one;
    }
  }
  return nullptr;
}

/// What the store has of it. Of another CA nothing is said: its own responder answers (RFC 6960 2.2).
Result<x509::OcspSingle> look_up(store::Store& store, const x509::CertId& id, const realm::Generation& of) {
  x509::OcspSingle answer{.id = id};
  if (!id.serial || !id.is_of(of.authority->certificate)) return answer;
  const auto record = store.certificate(*id.serial);
  if (!record.ok() && record.error().code() == Code::NotFound) return answer;
  if (!record.ok()) return record.error();
  if (record->ca != of.label) return answer;
  answer.status = record->state == store::CertificateState::Valid ? OcspStatus::Good : OcspStatus::Revoked;
  if (answer.status == OcspStatus::Good || !record->revoked_at) return answer;
  answer.revoked_at = *record->revoked_at;
  PKI_TRY(answer.reason, x509::reason_from_name(record->reason));
  return answer;
}

Result<signer::OcspQuestion> question_about(Session& session, const x509::OcspRequest& asked, const realm::Generation& of) {
  PKI_TRY(auto* store, session.store());
  signer::OcspQuestion question{.ca = of.label, .answers = {}, .nonce = asked.nonce};
  for (const auto& id : asked.asked) {
    PKI_TRY(auto answer, look_up(*store, id, of));
    question.answers.push_back(std::move(answer));
  }
  return question;
}

/// RFC 6960 2.3: who may not answer says so, and what passes is worth another try.
OcspRefusal refusal_for(const Error& why) {
  constexpr std::array kPasses{Code::Unavailable, Code::Busy, Code::Conflict, Code::Timeout, Code::Closed};
  if (why.code() == Code::NotFound) return OcspRefusal::Unauthorized;
  if (std::ranges::find(kPasses, why.code()) != kPasses.end()) return OcspRefusal::TryLater;
  base::log_error("OCSP request is not answered: " + why.message());
  return OcspRefusal::InternalError;
}

Result<signer::OcspAnswer> answer(Session& session, const x509::OcspRequest& asked) {
  PKI_TRY(const auto* all, session.generations());
  const auto* const of = meant(*all, asked);
  if (of == nullptr || realm::responder_for(session.realm(), of->name()).empty())
    return Error(Code::NotFound, "nobody answers for that CA");
  PKI_TRY(const auto question, question_about(session, asked, *of));
  auto said = ask_signer(session, [&](auto& signer) { return signer.sign_ocsp(question); });
  // There is to be one, which has no key in force just now: that passes.
  if (!said.ok() && said.error().code() == Code::NotFound && of->state == realm::GenerationState::Active)
    return Error(Code::Unavailable, said.error().message(), "chancery ca service renew makes its next key");
  return said;
}

}  // namespace

Result<Json> ocsp_answer(Session& session, const Params& params) {
  const auto der = base::from_base64(params.text("request"));
  const auto asked = der.ok() ? x509::parse_ocsp_request(*der) : Result<x509::OcspRequest>(der.error());
  if (!asked.ok()) return refused(OcspRefusal::MalformedRequest);
  const auto said = answer(session, *asked);
  if (!said.ok()) return refused(refusal_for(said.error()));
  return Json::object({{"status", "successful"},
                       {"response", base::to_base64(said->response)},
                       {"this_update", base::to_rfc3339(said->this_update)},
                       {"next_update", base::to_rfc3339(said->next_update)},
                       {"has_nonce", asked->nonce.has_value()}});
}

}  // namespace chancery::worker
