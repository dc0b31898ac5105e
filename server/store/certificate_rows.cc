#include "server/store/certificate_rows.h"

#include <algorithm>
#include <array>

#include "server/store/rows.h"

namespace chancery::store {
namespace {

struct StateName {
  CertificateState state;
  std::string_view text;
};
constexpr std::array kStates{
    StateName{CertificateState::Valid, "valid"},
    StateName{CertificateState::Revoked, "revoked"},
    StateName{CertificateState::Held, "held"},
};

}  // namespace

std::string_view to_text(CertificateState state) { return std::ranges::find(kStates, state, &StateName::state)->text; }

std::optional<CertificateState> certificate_state(std::string_view text) {
  const auto* row = std::ranges::find(kStates, text, &StateName::text);
  return row == kStates.end() ? std::nullopt : std::optional(row->state);
}

Result<CertificateRecord> read_certificate(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  PKI_TRY(auto serial, row.serial("serial"));
  const auto state = certificate_state(row.text("state"));
  if (!state) return Error(Code::Corrupt, "certificate " + serial.hex() + " is in an unknown state");
  CertificateRecord record{.serial = std::move(serial),
                           .ca = row.text("ca"),
                           .state = *state,
                           .profile = row.text("profile"),
                           .subject = row.text("subject"),
                           .cn = row.text("cn"),
                           .sans = row.lines("sans"),
                           .not_before = row.time("not_before"),
                           .not_after = row.time("not_after"),
                           .issued_at = row.time("issued_at"),
                           .requester = row.text("requester"),
                           .front_end = row.text("front_end"),
                           .rule = row.text("rule"),
                           .evidence = row.text("evidence"),
                           .acme_account = row.text("acme_account"),
                           .acme_order = row.text("acme_order"),
                           .revoked_at = row.optional_time("revoked_at"),
                           .reason = row.text("reason"),
                           .revoked_by = row.text("revoked_by")};
  PKI_TRY_VOID(row.status());
  return record;
}

}  // namespace chancery::store
