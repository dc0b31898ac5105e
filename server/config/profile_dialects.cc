#include "server/config/profile_dialects.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace chancery::config {
namespace {

/// One setting's names.
struct Names {
  std::string_view of_programs;
  std::string_view of_documentation;
};
constexpr std::array kNames{
    Names{"keyType", "key_type"},   Names{"keyLen", "key_length"},
    Names{"duration", "validity"},  Names{"altnames", "subject_alt_name"},
    Names{"keyUsage", "key_usage"}, Names{"extendedKeyUsage", "extended_key_usage"},
    Names{"certType", "type"},      Names{"pathLen", "path_length"},
};

enum class Dialect { Neither, Programs, Documentation };

struct Spoken {
  Dialect dialect = Dialect::Neither;
  std::string_view elsewhere;  ///< its name in the other one
};

Spoken spoken(std::string_view name) {
  for (const auto& one : kNames) {
    if (name == one.of_programs) return {Dialect::Programs, one.of_documentation};
    if (name == one.of_documentation) return {Dialect::Documentation, one.of_programs};
  }
  return {};
}

}  // namespace

void check_one_dialect(const Node& profile, Report& report) {
  const Node* first = nullptr;
  for (const auto& child : profile.children) {
    const auto found = spoken(child.name);
    if (found.dialect == Dialect::Neither) continue;
    if (first == nullptr) first = &child;
    if (found.dialect == spoken(first->name).dialect || profile.find(found.elsewhere) != nullptr) continue;
    report.error_at_name(child, "found " + child.name + " beside " + first->name + ", expected " + std::string(found.elsewhere) +
                                    ": a profile has uPKI's names or those of its documentation, not both");
  }
  if (profile.find("subject_alt_name") == nullptr) return;
  for (const auto& child : profile.children) {
    if (child.name != "altnames" && child.name != "san_types") continue;
    report.error_at_name(
        child, "found " + child.name + " beside subject_alt_name, expected one of them: both say which names are allowed");
  }
}

}  // namespace chancery::config
