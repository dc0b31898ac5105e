#include <algorithm>
#include <array>

#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

namespace chancery::store {
namespace {

/// The life of a certificate: from one state to another, and nothing else (PROMISES F18).
struct Transition {
  CertificateState from;
  CertificateState to;
};
constexpr std::array kTransitions{
    Transition{CertificateState::Valid, CertificateState::Held},
    Transition{CertificateState::Valid, CertificateState::Revoked},
    Transition{CertificateState::Held, CertificateState::Revoked},
    Transition{CertificateState::Held, CertificateState::Valid},
};

Status check_transition(const CertificateRecord& record, CertificateState to) {
  const auto fits = [&](const Transition& row) { return row.from == record.state && row.to == to; };
  if (std::ranges::any_of(kTransitions, fits)) return {};
  const std::string since = record.revoked_at ? " since " + base::to_rfc3339(*record.revoked_at) + " for " + record.reason : "";
  const bool release = to == CertificateState::Valid;
  return Error(Code::Conflict, "certificate " + record.serial.hex() + " is " + std::string(to_text(record.state)) + since,
               release ? "only a hold can be taken back" : "");
}

}  // namespace

Result<CertificateRecord> Store::revoke(const Revocation& revocation) {
  return change_state(revocation, state_after(revocation));
}

Result<CertificateRecord> Store::unrevoke(const Serial& serial, Seconds at, const std::string& ca) {
  return change_state({.serial = serial, .reason = {}, .at = at, .by = {}, .ca = ca}, CertificateState::Valid);
}

Result<CertificateRecord> Store::change_state(const Revocation& change, CertificateState wanted) {
  return transact(*driver_, Access::Write, [&] { return apply_state(change, wanted); });
}

/// Within a transaction: reads, decides, and writes only if the state is still the one that was read; then notes that the CRL
/// lags behind.
Result<CertificateRecord> Store::apply_state(const Revocation& change, CertificateState wanted) {
  PKI_TRY(auto record, certificate_row(change.serial, change.ca));
  PKI_TRY_VOID(check_transition(record, wanted));
  const auto before = record.state;
  record.state = wanted;
  record.revoked_at = wanted == CertificateState::Valid ? std::nullopt : std::optional(change.at);
  record.reason = change.reason;
  record.revoked_by = change.by;
  PKI_TRY(const auto changed, run("certificate_change_state", {{"ca", record.ca},
                                                               {"serial", record.serial},
                                                               {"state", to_text(before)},
                                                               {"new_state", to_text(wanted)},
                                                               {"revoked_at", record.revoked_at},
                                                               {"reason", record.reason},
                                                               {"revoked_by", record.revoked_by}}));
  if (changed.changed != 1) return Error(Code::Busy, "certificate " + record.serial.hex() + " changed meanwhile");
  if (!change.compromised_key.empty()) PKI_TRY_VOID(report_compromised(change.compromised_key, change.serial, change.at));
  PKI_TRY(const auto noted, run("crl_pending_insert", {{"ca", record.ca}, {"serial", record.serial}, {"since", change.at}}));
  return record;
}

// ----- what the next CRL must say

namespace {
constexpr std::size_t kBatch = 1000;
}

Result<std::vector<RevokedCertificate>> Store::revoked_for_crl(const std::string& ca, Seconds now) {
  return transact(*driver_, Access::Read, [&]() -> Result<std::vector<RevokedCertificate>> {
    // A certificate that expired before the latest CRL was made stood on that one, unless it is pending.
    Seconds since = base::from_epoch(0);
    const auto latest = latest_crl_facts(ca);
    if (latest.ok()) since = std::min(latest->this_update, now);
    if (!latest.ok() && latest.error().code() != Code::NotFound) return latest.error();
    std::vector<RevokedCertificate> out;
    PKI_TRY_VOID(read_revoked(ca, CertificateState::Revoked, since, out));
    PKI_TRY_VOID(read_revoked(ca, CertificateState::Held, since, out));
    PKI_TRY_VOID(read_pending(ca, out));
    std::ranges::sort(out, {}, &RevokedCertificate::serial);
    const auto same = [](const RevokedCertificate& a, const RevokedCertificate& b) { return a.serial == b.serial; };
    out.erase(std::unique(out.begin(), out.end(), same), out.end());
    return out;
  });
}

/// Those in that state whose end is at or after `since`, by index, batch by batch.
Status Store::read_revoked(const std::string& ca, CertificateState state, Seconds since, std::vector<RevokedCertificate>& out) {
  auto end = since;
  std::string serial;
  for (;;) {
    PKI_TRY(const auto batch,
            run("crl_revoked",
                {{"ca", ca}, {"state", to_text(state)}, {"not_after", end}, {"serial", serial}, {"limit", number(kBatch)}}));
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      Row row(batch, i);
      PKI_TRY(auto one, row.serial("serial"));
      serial = one.hex();
      end = row.time("not_after");
      out.push_back({std::move(one), row.time("revoked_at"), row.text("reason")});
      PKI_TRY_VOID(row.status());
    }
    if (batch.rows.size() < kBatch) return {};
  }
}

/// Those that no CRL shows yet and that are revoked or held, whether expired or not.
Status Store::read_pending(const std::string& ca, std::vector<RevokedCertificate>& out) {
  std::string serial;
  for (;;) {
    PKI_TRY(const auto batch, run("crl_pending_page", {{"ca", ca}, {"serial", serial}, {"limit", number(kBatch)}}));
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      Row row(batch, i);
      PKI_TRY(auto one, row.serial("serial"));
      serial = one.hex();
      const auto revoked_at = row.optional_time("revoked_at");
      if (revoked_at) out.push_back({std::move(one), *revoked_at, row.text("reason")});
      PKI_TRY_VOID(row.status());
    }
    if (batch.rows.size() < kBatch) return {};
  }
}

Result<std::optional<Seconds>> Store::oldest_unlisted_revocation(const std::string& ca) {
  PKI_TRY(const auto out, run("crl_pending_oldest", {{"ca", ca}}));
  if (out.rows.empty()) return std::optional<Seconds>();
  Row row(out, 0);
  const auto since = row.time("since");
  PKI_TRY_VOID(row.status());
  return std::optional(since);
}

}  // namespace chancery::store
