#include "server/signer/approved_request.h"

#include "server/base/calendar.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kMostApprovals = 100;
constexpr std::size_t kMaxText = 128;
constexpr std::size_t kMaxRequester = 2048;

Result<Bytes> octets(const Json& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr || !value->is_string()) return Error(Code::Malformed, "approval without " + std::string(name));
  return base::from_base64(*value->as_string());
}

}  // namespace

Json to_json(const ApprovedRequest& request) {
  Json approvals = Json::array();
  for (const auto& one : request.approvals) {
    approvals.push_back(
        Json::object({{"certificate", base::to_base64(one.certificate)}, {"signature", base::to_base64(one.signature)}}));
  }
  return Json::object({{"id", request.id},
                       {"kind", request.kind},
                       {"certificate", request.certificate},
                       {"validity", static_cast<std::int64_t>(request.validity.count())},
                       {"expires", base::to_epoch(request.expires)},
                       {"approvals", std::move(approvals)},
                       {"requester", request.requester},
                       {"front_end", request.front_end},
                       {"step", request.step},
                       {"source", request.source}});
}

Result<ApprovedRequest> approved_request_from_json(const Json& object) {
  PKI_TRY(const auto expires, base::time_from_epoch(object.integer("expires")));
  ApprovedRequest request{.id = object.text("id"),
                          .kind = object.text("kind"),
                          .certificate = object.text("certificate"),
                          .validity = std::chrono::seconds{object.integer("validity")},
                          .expires = expires,
                          .requester = object.text("requester"),
                          .front_end = object.text("front_end"),
                          .step = object.text("step"),
                          .source = object.text("source")};
  for (const auto* text :
       {&request.id, &request.kind, &request.certificate, &request.front_end, &request.step, &request.source}) {
    if (text->size() > kMaxText) return Error(Code::TooLarge, "text of " + std::to_string(text->size()) + " octets in a request");
  }
  if (request.requester.size() > kMaxRequester) return Error(Code::TooLarge, "requester of a request");
  const auto* approvals = object.find("approvals");
  if (approvals == nullptr || !approvals->is_array()) return Error(Code::Malformed, "request without a list of approvals");
  if (approvals->as_array()->size() > kMostApprovals)
    return Error(Code::TooLarge, std::to_string(approvals->as_array()->size()) + " approvals, expected at most " +
                                     std::to_string(kMostApprovals));
  for (const auto& one : *approvals->as_array()) {
    PKI_TRY(auto certificate, octets(one, "certificate"));
    PKI_TRY(auto signature, octets(one, "signature"));
    request.approvals.push_back({std::move(certificate), std::move(signature)});
  }
  return request;
}

}  // namespace chancery::signer
