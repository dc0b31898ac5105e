#include <algorithm>
#include <charconv>

#include "server/worker/handlers.h"

namespace chancery::worker {
namespace {

constexpr std::int64_t kPage = 100;

Result<std::uint64_t> position_from(const std::string& text) {
  std::uint64_t position = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (text.empty() || (failure == std::errc() && end == text.data() + text.size())) return position;
  return Error(Code::InvalidParams, "after: found \"" + text + "\", expected the `next` of the page before");
}

/// As the wire has it: times in words, and what only machines read left out.
Json shown(const Json& record) {
  auto out = Json::object();
  for (const auto& [name, value] : *record.as_object()) {
    if (name == "tbs" || name == "signature" || name == "spki" || name == "digest" || name == "certificate") continue;
    const auto* seconds = value.as_integer();
    const bool is_time = seconds != nullptr && (name == "at" || name == "this_update");
    out.set(name, is_time ? Json(base::to_rfc3339(base::from_epoch(*seconds))) : value);
  }
  return out;
}

}  // namespace

Result<Json> audit_list(Session& session, const Params& params) {
  PKI_TRY(const auto position, position_from(params.text("after")));
  const auto limit = static_cast<std::size_t>(params.integer("limit", kPage));
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY(const auto page, signer->audit_since(position, std::max<std::size_t>(limit, 1)));
  auto records = Json::array();
  for (const auto& record : page.records) {
    if (record.is_object()) records.push_back(shown(record));
  }
  auto answer = Json::object({{"records", std::move(records)}});
  if (page.records.size() == std::max<std::size_t>(limit, 1)) answer.set("next", std::to_string(page.next_position));
  return answer;
}

Result<Json> audit_verify(Session& session, const Params& /*params*/) {
  PKI_TRY(auto* signer, session.signer());
  PKI_TRY_VOID(signer->audit_verify());
  return Json::object({{"whole", true}});
}

}  // namespace chancery::worker
