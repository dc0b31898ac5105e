#include "server/signer/service_messages.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMaxNameOctets = 80;
constexpr std::int64_t kMostReason = 10;  ///< CRLReason

Result<Bytes> octets_in(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr || !value->is_string()) return Error(Code::Malformed, "no member " + std::string(name));
  return base::from_base64(*value->as_string());
}

Result<std::string> name_in(const Json& object, std::string_view name) {
  auto text = object.text(name);
  if (text.empty() || text.size() > kMaxNameOctets)
    return Error(Code::Malformed, "member " + std::string(name) + " of " + std::to_string(text.size()) + " octets");
  return text;
}

/// The rows of an array, at most so many.
Result<const std::vector<Json>*> rows_in(const Json& object, std::string_view name, std::size_t most) {
  const auto* list = object.find(name);
  if (list == nullptr || !list->is_array()) return Error(Code::Malformed, "no list of " + std::string(name));
  if (list->as_array()->size() > most)
    return Error(Code::TooLarge,
                 std::to_string(list->as_array()->size()) + " " + std::string(name) + ", at most " + std::to_string(most));
  return list->as_array();
}

Json to_json(const x509::OcspSingle& answer) {
  auto row = Json::object({{"id", base::to_base64(answer.id.der)}, {"status", x509::to_text(answer.status)}});
  if (answer.status == x509::OcspStatus::Revoked)
    row.set("revoked_at", base::to_epoch(answer.revoked_at)).set("reason", answer.reason);
  return row;
}

Result<x509::OcspSingle> answer_from(const Json& row) {
  x509::OcspSingle answer;
  PKI_TRY(const auto der, octets_in(row, "id"));
  PKI_TRY(answer.id, x509::CertId::from_der(der));
  const auto status = x509::ocsp_status_from(row.text("status"));
  if (!status) return Error(Code::Malformed, "an answer without a status");
  answer.status = *status;
  if (*status != x509::OcspStatus::Revoked) return answer;
  const auto reason = row.integer("reason");
  if (reason < 0 || reason > kMostReason) return Error(Code::Malformed, "reason " + std::to_string(reason));
  answer.reason = static_cast<int>(reason);
  answer.revoked_at = base::from_epoch(row.integer("revoked_at"));
  return answer;
}

}  // namespace

Json to_json(const std::vector<ServiceInfo>& services) {
  auto list = Json::array();
  for (const auto& one : services)
    list.push_back(Json::object({{"label", one.label},
                                 {"purpose", one.purpose},
                                 {"ca", one.ca},
                                 {"state", one.state},
                                 {"certificate", one.certificate},
                                 {"requester", one.requester},
                                 {"at", base::to_epoch(one.at)}}));
  return Json::object({{"services", std::move(list)}});
}

Result<std::vector<ServiceInfo>> services_from_json(const Json& result) {
  const auto* list = result.find("services");
  if (list == nullptr || !list->is_array()) return Error(Code::Malformed, "an answer without services");
  std::vector<ServiceInfo> out;
  for (const auto& row : *list->as_array())
    out.push_back({row.text("label"), row.text("purpose"), row.text("ca"), row.text("state"), row.text("certificate"),
                   row.text("requester"), base::from_epoch(row.integer("at"))});
  return out;
}

Json to_json(const OcspQuestion& question) {
  auto answers = Json::array();
  for (const auto& one : question.answers) answers.push_back(to_json(one));
  auto out = Json::object({{"ca", question.ca}, {"answers", std::move(answers)}});
  if (question.nonce) out.set("nonce", base::to_base64(*question.nonce));
  return out;
}

Result<OcspQuestion> ocsp_question_from_json(const Json& params) {
  OcspQuestion question;
  PKI_TRY(question.ca, name_in(params, "ca"));
  PKI_TRY(const auto* rows, rows_in(params, "answers", x509::kMostOcspAsked));
  for (const auto& row : *rows) {
    PKI_TRY(auto answer, answer_from(row));
    question.answers.push_back(std::move(answer));
  }
  if (params.find("nonce") == nullptr) return question;
  PKI_TRY(question.nonce, octets_in(params, "nonce"));
  return question;
}

Json to_json(const OcspAnswer& answer) {
  return Json::object({{"response", base::to_base64(answer.response)},
                       {"this_update", base::to_epoch(answer.this_update)},
                       {"next_update", base::to_epoch(answer.next_update)}});
}

Result<OcspAnswer> ocsp_answer_from_json(const Json& result) {
  OcspAnswer answer;
  PKI_TRY(answer.response, octets_in(result, "response"));
  answer.this_update = base::from_epoch(result.integer("this_update"));
  answer.next_update = base::from_epoch(result.integer("next_update"));
  return answer;
}

Json to_json(const RaQuestion& question) {
  auto attributes = Json::array();
  for (const auto& one : question.attributes)
    attributes.push_back(Json::object({{"oid", one.oid}, {"value", base::to_base64(one.value)}}));
  return Json::object(
      {{"service", question.service}, {"octets", base::to_base64(question.octets)}, {"attributes", std::move(attributes)}});
}

Result<RaQuestion> ra_question_from_json(const Json& params) {
  RaQuestion question;
  PKI_TRY(question.service, name_in(params, "service"));
  PKI_TRY(question.octets, octets_in(params, "octets"));
  PKI_TRY(const auto* rows, rows_in(params, "attributes", x509::kMostSignedAttributes));
  for (const auto& row : *rows) {
    x509::SignedAttribute one{row.text("oid"), {}};
    PKI_TRY(one.value, octets_in(row, "value"));
    question.attributes.push_back(std::move(one));
  }
  return question;
}

}  // namespace chancery::signer
