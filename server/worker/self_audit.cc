#include "server/worker/self_audit.h"

#include <algorithm>
#include <array>

namespace chancery::worker {
namespace {

constexpr std::size_t kMostFindings = 500;  ///< of one step

struct Part {
  std::string_view name;
  AuditPart* look;
};
/// What is short comes first: a night that cannot look at all certificates has looked at these.
constexpr std::array kParts{Part{"files", audit_realm_files}, Part{"crls", audit_crls}, Part{"states", audit_states},
                            Part{"journal", audit_journal}, Part{"certificates", audit_certificates}};

}  // namespace

Result<AuditPlace> audit_place_from(const std::string& text) {
  if (text.empty()) return AuditPlace{};
  const auto colon = text.find(':');
  const auto* const part = std::ranges::find(kParts, text.substr(0, colon), &Part::name);
  if (part != kParts.end() && colon != std::string::npos)
    return AuditPlace{static_cast<std::size_t>(part - kParts.begin()), text.substr(colon + 1)};
  return Error(Code::InvalidParams, "after: found \"" + text + "\", expected the `next` of the step before");
}

std::string to_text(const AuditPlace& place) {
  return is_end(place) ? std::string() : std::string(kParts.at(place.part).name) + ":" + place.cursor;
}

bool is_end(const AuditPlace& place) { return place.part >= kParts.size(); }

bool AuditStep::is_over() const {
  return std::chrono::steady_clock::now() >= end_ || findings_.size() >= kMostFindings || certificates_ >= most_certificates_;
}

void AuditStep::found(std::string about, std::string fault) {
  findings_.push_back({std::string(part_), std::move(about), std::move(fault)});
}

Result<AuditPlace> AuditStep::run(AuditPlace place, std::int64_t most_certificates) {
  most_certificates_ = most_certificates;
  while (!is_end(place) && !is_over()) {
    const auto& part = kParts.at(place.part);
    part_ = part.name;
    PKI_TRY(place.cursor, part.look(*this, place.cursor));
    if (place.cursor.empty()) ++place.part;
  }
  return place;
}

}  // namespace chancery::worker
