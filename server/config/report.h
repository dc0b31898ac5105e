#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/config/finding.h"
#include "server/config/node.h"

namespace chancery::config {

/// Collects the findings of one file.
class Report {
 public:
  Report(std::string file, std::vector<Finding>& findings) : file_(std::move(file)), findings_(findings) {}

  const std::string& file() const { return file_; }
  bool failed() const { return failed_; }
  /// Whether something was said about that node already, so that consequences of a mistake need not be said too.
  bool has_reported(const Node& at) const {
    return std::any_of(findings_.begin(), findings_.end(),
                       [&](const Finding& one) { return one.file == file_ && one.path == at.path && !at.path.empty(); });
  }

  void error(const Node& at, std::string message) { add(Finding::Error, at.line, at.column, at.path, std::move(message)); }
  void warning(const Node& at, std::string message) { add(Finding::Warning, at.line, at.column, at.path, std::move(message)); }
  /// At the name, not at the value.
  void error_at_name(const Node& at, std::string message) {
    add(Finding::Error, at.name_line, at.name_column, at.path, std::move(message));
  }
  void error_at(int line, int column, std::string message) { add(Finding::Error, line, column, {}, std::move(message)); }

 private:
  void add(Finding::Severity severity, int line, int column, std::string path, std::string message) {
    if (severity == Finding::Error) failed_ = true;
    findings_.push_back({severity, file_, line, column, std::move(path), std::move(message)});
  }

  std::string file_;
  std::vector<Finding>& findings_;
  bool failed_ = false;
};

}  // namespace chancery::config
