#include "clients/acme/quorum.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "clients/acme/problems.h"
#include "server/base/text.h"

namespace chancery::acme {
namespace {

// Of sixteen points all together less than acme.challenge.finish takes.
constexpr std::size_t kMaxDetail = 200;
constexpr std::size_t kMaxEvidence = 640;
constexpr std::string_view kOwnFault = "serverInternal";  ///< nobody's who asks: tells least

/// Why that one does not count; none: it found the same.
std::optional<Error> fault_of(const Verdict& verdict, const Verdict& own) {
  if (verdict.error) return verdict.error;
  if (own.caa_checked && !verdict.caa_checked) return acme_error(kOwnFault, "it did not look at CAA");
  return std::nullopt;
}

std::string_view most_common(const std::map<std::string_view, int>& types) {
  const auto found =
      std::ranges::max_element(types, {}, [](const auto& one) { return std::tuple(one.second, one.first != kOwnFault); });
  return found->first;
}

std::string evidence_of(const Finding& finding, const std::optional<Error>& fault) {
  const auto said = fault ? "no: " + to_problem(*fault).detail : std::string("yes");
  const auto shown = finding.verdict.evidence.empty() ? "" : " (" + finding.verdict.evidence + ")";
  return "; vantage point " + address_of(finding.point) + ": " + base::printable(said + shown, kMaxEvidence);
}

}  // namespace

std::string address_of(const std::string& point) { return point.substr(0, point.find(' ')); }

bool agrees(const Verdict& verdict, const Verdict& own) { return !fault_of(verdict, own); }

Verdict decide(const Verdict& own, std::span<const Finding> findings, std::size_t quorum) {
  Verdict verdict = own;
  std::size_t agreeing = 0;
  std::map<std::string_view, int> types;
  std::string details;
  for (const auto& finding : findings) {
    const auto fault = fault_of(finding.verdict, own);
    verdict.evidence += evidence_of(finding, fault);
    if (!fault) {
      ++agreeing;
      continue;
    }
    const auto problem = to_problem(*fault);
    ++types[problem.type];
    details += (details.empty() ? "" : "; ") + address_of(finding.point) + ": " + base::printable(problem.detail, kMaxDetail);
  }
  if (own.error || agreeing >= quorum) return verdict;
  verdict.caa_checked = false;
  const auto failed = std::to_string(findings.size() - agreeing) + " of " + std::to_string(findings.size());
  verdict.error = acme_error(types.empty() ? kOwnFault : most_common(types),
                             failed + " vantage points did not find it, and " + std::to_string(quorum) + " must: " + details);
  return verdict;
}

}  // namespace chancery::acme
