#include <array>

#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CrlView;

Verdict entries_not_ahead(const View& v) {
  const auto is_ahead = [&](const RevokedEntry& entry) { return entry.revoked_at > v.crl.this_update(); };
  return unless(std::ranges::none_of(v.crl.entries(), is_ahead), "an entry is revoked after this update");
}

Verdict entries_unique(const View& v) {
  std::vector<std::string_view> serials;
  serials.reserve(v.crl.entries().size());
  for (const auto& entry : v.crl.entries()) serials.push_back(entry.serial.hex());
  std::ranges::sort(serials);
  return unless(std::ranges::adjacent_find(serials) == serials.end(), "a serial stands twice");
}

bool has_reason(const View& v, int reason) {
  return std::ranges::any_of(v.crl.entries(), [reason](const RevokedEntry& entry) { return entry.reason == reason; });
}

Verdict no_removal(const View& v) {
  return unless(v.crl.base() || !has_reason(v, kReasonRemoveFromCrl), "removeFromCRL in a CRL that is no delta CRL");
}

Verdict no_hold(const View& v) { return unless(!has_reason(v, kReasonCertificateHold), "a certificate on hold"); }

constexpr std::array kRules{
    Rule<View>{{"crl_entries_not_ahead", "RFC 5280 5.1.2.6"}, entries_not_ahead},
    Rule<View>{{"crl_entries_unique", "RFC 5280 5.1.2.6"}, entries_unique},
    Rule<View>{{"crl_no_removal", "RFC 5280 5.3.1"}, no_removal},
    Rule<View>{{"crl_no_hold", "CABF BR 7.2.2, PROMISES B11", Severity::Warning}, no_hold},
};

}  // namespace

std::span<const Rule<CrlView>> crl_entry_rules() { return kRules; }

}  // namespace chancery::x509
