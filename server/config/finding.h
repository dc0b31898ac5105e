#pragma once

#include <string>
#include <vector>

/// What is wrong with a configuration, and where.
namespace chancery::config {

struct Finding {
  enum Severity { Error, Warning };
  Severity severity = Error;
  std::string file;
  int line = 1;         ///< from 1; 0: `file` itself, which could not be reached
  int column = 1;       ///< from 1, in octets
  std::string path;     ///< "acme.http01_port", "chancery/limits/@grace", "profiles[0]"; empty: the file as a whole
  std::string message;  ///< what was found, what was expected (did you mean ...?)
};

/// `file:line:column: path: message`, or `file: message` without a line; one line, foreign text in it is escaped. A warning's
/// message starts with "warning: ".
std::string to_line(const Finding& finding);

/// Orders the findings of each file by their places; the files stay in the order in which they came first.
void sort_by_place(std::vector<Finding>& findings);

/// Whether one of them is an error.
bool has_errors(const std::vector<Finding>& findings);

}  // namespace chancery::config
