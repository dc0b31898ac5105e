#include "server/worker/acme_refusals.h"

#include <algorithm>

#include "server/worker/acme_common.h"
#include "server/worker/acme_terms.h"

namespace chancery::worker {
namespace {

constexpr std::string_view kHintWord = "acme:";

Json subproblems_of(const std::vector<BadIdentifier>& bad) {
  Json list = Json::array();
  for (const auto& one : bad) {
    list.push_back(
        Json::object({{"type", "urn:ietf:params:acme:error:" + one.type}, {"detail", one.why}, {"identifier", one.identifier}}));
  }
  return list;
}

Error with_more(std::string_view type, Code code, std::string message, const Json& more) {
  return acme_error(std::string(type) + " " + wire::to_text(more), code, std::move(message));
}

/// "rejectedIdentifier" of "acme:rejectedIdentifier"; what has no such word is malformed.
std::string type_of(const Error& error) {
  const auto& hint = error.hint();
  if (!hint.starts_with(kHintWord)) return "malformed";
  const auto word = hint.substr(kHintWord.size());
  return word.substr(0, word.find(' '));
}

}  // namespace

std::string problem_of(const Error& error) { return acme_problem(type_of(error), error.message()); }

Error refuse_identifiers(const std::vector<BadIdentifier>& bad) {
  PKI_CHECK(!bad.empty());
  const auto& first = bad.front();
  const bool same = std::ranges::all_of(bad, [&](const auto& one) { return one.type == first.type; });
  const auto others =
      bad.size() > 1 ? "; and " + std::to_string(bad.size() - 1) + " more of the order's identifiers" : std::string();
  return with_more(same ? first.type : "compound", Code::PolicyRefused, first.why + others,
                   Json::object({{"subproblems", subproblems_of(bad)}}));
}

Error rate_limited(std::string message, std::chrono::seconds wait, const std::vector<BadIdentifier>& bad) {
  auto more = Json::object({{"retry_after", std::int64_t{wait.count()}}});
  if (!bad.empty()) more.set("subproblems", subproblems_of(bad));
  return with_more("rateLimited", Code::PolicyRefused, std::move(message), more);
}

Result<std::vector<x509::GeneralName>> names_for_order(const Json& identifiers) {
  std::vector<BadIdentifier> bad;
  std::vector<x509::GeneralName> names;
  for (const auto& one : *identifiers.as_array()) {
    auto name = name_of(one);
    if (name.ok())
      names.push_back(std::move(*name));
    else
      bad.push_back({one, type_of(name.error()), name.error().message()});
  }
  if (!bad.empty()) return refuse_identifiers(bad);
  return each_once(names);
}

}  // namespace chancery::worker
