#include "server/x509/reasons.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"

namespace chancery::x509 {
namespace {

struct Reason {
  int number;
  std::string_view name;
};
constexpr std::array kReasons{
    Reason{0, "unspecified"},        Reason{1, "keyCompromise"}, Reason{2, "cACompromise"},
    Reason{3, "affiliationChanged"}, Reason{4, "superseded"},    Reason{5, "cessationOfOperation"},
    Reason{6, "certificateHold"},    Reason{8, "removeFromCRL"},  // 7 is not used
    Reason{9, "privilegeWithdrawn"}, Reason{10, "aACompromise"},
};

std::string folded(std::string_view name) {
  auto out = base::to_lower_ascii(name);
  std::erase_if(out, [](char c) { return c == '_' || c == '-'; });
  return out;
}

}  // namespace

std::string_view reason_name(int reason) {
  const auto row = std::ranges::find(kReasons, reason, &Reason::number);
  return row == kReasons.end() ? std::string_view() : row->name;
}

Result<int> reason_from_name(std::string_view name) {
  const auto wanted = folded(name);
  for (const auto& row : kReasons) {
    if (folded(row.name) == wanted) return row.number;
  }
  std::string known;
  for (const auto& row : kReasons) known += (known.empty() ? "" : ", ") + std::string(row.name);
  return Error(Code::InvalidParams, "reason \"" + base::printable(name, 40) + "\", expected one of " + known);
}

}  // namespace chancery::x509
