#include "server/config/upkeep_settings.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kLongest = 36525LL * 86400;
constexpr std::chrono::days kTwoYears{730};

/// "03:10"
Status check_time_of_day(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool has_form =
      text.size() == 5 && text[2] == ':' && is_digit(text[0]) && is_digit(text[1]) && is_digit(text[3]) && is_digit(text[4]);
  if (has_form && text.substr(0, 2) < "24" && text[3] < '6') return {};
  return Error(Code::BadConfig, "found \"" + base::printable(text, 80) + "\", expected a time of day in UTC like 03:10");
}

constexpr std::array kRetention{
    row<&RetentionConfig::certificates>(
        {.name = "certificates",
         .unit = "d",
         .least = 0,
         .most = kLongest,
         .doc = "How long after its end a certificate stays in the store; the journal keeps it for ever. A bare number is days. "
                "0: for ever."}),
    row<&RetentionConfig::below_two_years>({.name = "below_two_years",
                                            .doc = "Allow times below two years, which public CAs have to keep records (CABF BR "
                                                   "5.4.3)."}),
};

constexpr std::array kSelfAudit{
    row<&SelfAuditConfig::at>({.name = "at",
                               .check = check_time_of_day,
                               .doc = "When it begins, in UTC, each day. Empty: only when chancery audit self asks for it.",
                               .type = "time"}),
    row<&SelfAuditConfig::certificates>({.name = "certificates",
                                         .least = 1,
                                         .most = 100'000'000,
                                         .doc = "How many certificates are looked at in one night; the next one goes on."}),
};

void check_kept(std::chrono::seconds kept, std::string_view name, const Node& section, Report& report) {
  if (kept.count() == 0 || kept >= kTwoYears) return;
  report.error(place_of(section, name),
               "found " + duration_text(kept) + ", expected at least 730d (CABF BR 5.4.3), 0 for ever, or below_two_years: true");
}

}  // namespace

std::span<const Setting<RetentionConfig>> retention_settings() { return kRetention; }
std::span<const Setting<SelfAuditConfig>> self_audit_settings() { return kSelfAudit; }

void read_retention(const Node& section, RetentionConfig& retention, Report& report) {
  if (!is_section(section, report)) return;
  check_names(section, names_of(retention_settings()), report);
  read_settings(retention_settings(), section, retention, report);
}

Node write_retention(const RetentionConfig& retention) {
  Node section = map(std::string(kRetentionSection));
  write_settings(retention_settings(), retention, section);
  return section;
}

void check_retention(const RealmConfig& realm, const Node& root, Report& report) {
  const Node* section = root.find(kRetentionSection);
  if (section == nullptr || section->kind != Node::Kind::Map) return;
  const auto kept = realm.retention.certificates;
  if (kept.count() > 0 && kept < std::chrono::days{1})
    return report.error(place_of(*section, "certificates"),
                        "found " + duration_text(kept) + ", expected at least 1d, or 0 for ever");
  if (realm.retention.below_two_years) return;
  check_kept(realm.retention.certificates, "certificates", *section, report);
}

void read_self_audit(const Node& section, SelfAuditConfig& self_audit, Report& report) {
  if (!is_section(section, report)) return;
  check_names(section, names_of(self_audit_settings()), report);
  read_settings(self_audit_settings(), section, self_audit, report);
}

Node write_self_audit(const SelfAuditConfig& self_audit) {
  Node section = map(std::string(kSelfAuditSection));
  write_settings(self_audit_settings(), self_audit, section);
  return section;
}

}  // namespace chancery::config
