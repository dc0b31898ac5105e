#include "clients/acme/problems.h"

#include <algorithm>
#include <array>

namespace chancery::acme {
namespace {

constexpr std::string_view kUrn = "urn:ietf:params:acme:error:";
constexpr std::string_view kHintWord = "acme:";

constexpr std::array kTypes{
    ProblemType{"accountDoesNotExist", 400},
    ProblemType{"alreadyReplaced", 409},
    ProblemType{"alreadyRevoked", 400},
    ProblemType{"badCSR", 400},
    ProblemType{"badNonce", 400},
    ProblemType{"badPublicKey", 400},
    ProblemType{"badRevocationReason", 400},
    ProblemType{"badSignatureAlgorithm", 400},
    ProblemType{"caa", 403},
    ProblemType{"compound", 400},
    ProblemType{"connection", 400},
    ProblemType{"dns", 400},
    ProblemType{"externalAccountRequired", 403},
    ProblemType{"incorrectResponse", 403},
    ProblemType{"invalidContact", 400},
    ProblemType{"invalidProfile", 400},
    ProblemType{"malformed", 400},
    ProblemType{"orderNotReady", 403},
    ProblemType{"rateLimited", 429},
    ProblemType{"rejectedIdentifier", 400},
    ProblemType{"serverInternal", 500},
    ProblemType{"tls", 400},
    ProblemType{"unauthorized", 403},
    ProblemType{"unsupportedContact", 400},
    ProblemType{"unsupportedIdentifier", 400},
    ProblemType{"userActionRequired", 403},
};
static_assert(std::ranges::is_sorted(kTypes, {}, &ProblemType::name));

/// What an error without an ACME word becomes. Codes that are not listed are serverInternal, 500.
struct CodeMap {
  Code code;
  std::string_view type;
  int status;
};
constexpr std::array kCodes{
    CodeMap{Code::Malformed, "malformed", 400},
    CodeMap{Code::InvalidParams, "malformed", 400},
    CodeMap{Code::TooLarge, "malformed", 413},
    CodeMap{Code::Denied, "unauthorized", 403},
    CodeMap{Code::AuthFailed, "unauthorized", 403},
    CodeMap{Code::NotFound, "malformed", 404},
    CodeMap{Code::Exists, "malformed", 409},
    CodeMap{Code::Conflict, "malformed", 409},
    CodeMap{Code::PolicyRefused, "rejectedIdentifier", 403},
    CodeMap{Code::BadKey, "badPublicKey", 400},
    CodeMap{Code::BadProof, "badCSR", 400},
    CodeMap{Code::LintFailed, "badCSR", 400},
    CodeMap{Code::Busy, "serverInternal", 503},
    CodeMap{Code::Timeout, "serverInternal", 503},
    CodeMap{Code::Unavailable, "serverInternal", 503},
    CodeMap{Code::Closed, "serverInternal", 503},
    CodeMap{Code::Unsupported, "malformed", 501},
};

/// Statuses of which the client learns what happened inside; the others say only that the server failed.
constexpr int kFirstServerFault = 500;

const ProblemType* find_type(std::string_view name) {
  const auto found = std::ranges::lower_bound(kTypes, name, {}, &ProblemType::name);
  return found != kTypes.end() && found->name == name ? &*found : nullptr;
}

/// "acme:badCSR the names differ" -> "badCSR"; empty without such a word.
std::string_view word_of(std::string_view hint) {
  if (!hint.starts_with(kHintWord)) return {};
  hint.remove_prefix(kHintWord.size());
  return hint.substr(0, hint.find(' '));
}

/// What stands behind the word; the whole hint without one.
std::string_view behind_word(std::string_view hint) {
  if (!word_of(hint).empty()) hint.remove_prefix(std::min(hint.size(), kHintWord.size() + word_of(hint).size() + 1));
  return hint;
}

/// The object behind the word; null when there is advice, or nothing.
Json more_of(std::string_view hint) {
  const auto rest = behind_word(hint);
  return rest.starts_with('{') ? wire::parse_json(rest).value_or(Json()) : Json();
}

std::string detail_of(const Error& error) {
  std::string_view advice = behind_word(error.hint());
  if (advice.starts_with('{')) advice = {};
  return error.message() + (advice.empty() ? "" : " (" + std::string(advice) + ")");
}

http::Response respond(const Problem& problem, std::chrono::seconds retry_after) {
  auto document = problem_document(problem);
  if (problem.type == "badSignatureAlgorithm") {
    document.set("algorithms", Json::strings({"ES256", "ES384", "ES512", "RS256", "EdDSA"}));
  }
  auto response = http::content(problem.status, "application/problem+json", wire::to_text(document) + "\n");
  response.kind = problem.type;
  response.reason = problem.detail;
  if (!problem.terms.empty()) response.add("Link", "<" + problem.terms + ">;rel=\"terms-of-service\"");
  if (problem.status == 503 || problem.status == 429)
    response.add("Retry-After", std::to_string(problem.retry_after.value_or(retry_after).count()));
  return response;
}

}  // namespace

const ProblemType& problem_type(std::string_view name) {
  const auto* row = find_type(name);
  PKI_CHECK(row != nullptr);
  return *row;
}

Problem to_problem(const Error& error) {
  if (const auto* row = find_type(word_of(error.hint())); row != nullptr) {
    Problem problem{row->name, row->status, detail_of(error)};
    const auto more = more_of(error.hint());
    if (const Json* list = more.find("subproblems"); list != nullptr && list->is_array()) problem.subproblems = *list;
    problem.terms = more.text("terms");
    if (const auto wait = more.integer("retry_after"); wait > 0) problem.retry_after = std::chrono::seconds(wait);
    return problem;
  }
  const auto mapped = std::ranges::find(kCodes, error.code(), &CodeMap::code);
  if (mapped == kCodes.end()) return {"serverInternal", kFirstServerFault, "the server failed; its log has the details"};
  return {mapped->type, mapped->status, detail_of(error)};
}

Error acme_error(std::string_view type, std::string detail) {
  return {Code::Malformed, std::move(detail), std::string(kHintWord) + std::string(problem_type(type).name)};
}

Error passing_error(std::string_view type, std::string detail) {
  return {Code::Unavailable, std::move(detail), std::string(kHintWord) + std::string(problem_type(type).name)};
}

bool is_passing(const Error& error) { return error.code() == Code::Unavailable; }

Error as_acme(const Error& error, std::string_view type) { return acme_error(type, detail_of(error)); }

http::Response problem_response(const Error& error, std::chrono::seconds retry_after) {
  auto response = respond(to_problem(error), retry_after);
  response.reason = base::to_line(error);
  return response;
}

http::Response problem_response(int status, std::string_view detail) {
  return respond({status >= kFirstServerFault ? "serverInternal" : "malformed", status, std::string(detail)}, kRetryAfter);
}

Json problem_document(const Problem& problem) {
  auto document = Json::object(
      {{"type", std::string(kUrn) + std::string(problem.type)}, {"detail", problem.detail}, {"status", problem.status}});
  if (!problem.terms.empty()) document.set("instance", problem.terms);
  if (problem.subproblems) document.set("subproblems", *problem.subproblems);
  return document;
}

}  // namespace chancery::acme
