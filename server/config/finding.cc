#include "server/config/finding.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "server/base/text.h"

namespace chancery::config {

std::string to_line(const Finding& finding) {
  std::string line = base::printable(finding.file) + ":";
  if (finding.line > 0) line += std::to_string(finding.line) + ":" + std::to_string(finding.column) + ":";
  line += " ";
  if (!finding.path.empty()) line += base::printable(finding.path) + ": ";
  if (finding.severity == Finding::Warning) line += "warning: ";
  return line + base::printable(finding.message, 1024);
}

void sort_by_place(std::vector<Finding>& findings) {
  std::map<std::string, std::size_t> rank;
  for (const auto& one : findings) rank.emplace(one.file, rank.size());
  std::ranges::stable_sort(findings, {}, [&](const Finding& one) { return std::tuple(rank.at(one.file), one.line, one.column); });
}

bool has_errors(const std::vector<Finding>& findings) {
  return std::ranges::any_of(findings, [](const Finding& one) { return one.severity == Finding::Error; });
}

}  // namespace chancery::config
