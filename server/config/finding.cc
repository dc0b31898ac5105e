#include "server/config/finding.h"

#include <algorithm>

#include "server/base/text.h"

namespace chancery::config {

std::string to_line(const Finding& finding) {
  std::string line =
      base::printable(finding.file) + ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column) + ": ";
  if (!finding.path.empty()) line += base::printable(finding.path) + ": ";
  if (finding.severity == Finding::Warning) line += "warning: ";
  return line + base::printable(finding.message, 1024);
}

bool has_errors(const std::vector<Finding>& findings) {
  return std::ranges::any_of(findings, [](const Finding& one) { return one.severity == Finding::Error; });
}

}  // namespace chancery::config
