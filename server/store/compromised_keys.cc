#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// Keys that others may have: reported once, certified nowhere again, and every certificate of theirs revoked.
namespace chancery::store {
namespace {

constexpr std::size_t kSweepsAtOnce = 1000;

}  // namespace

Result<std::optional<CompromisedKey>> Store::compromised_key(const std::string& spki) {
  PKI_TRY(const auto out, run("compromised_key_get", {{"spki", spki}}));
  if (out.rows.empty()) return std::optional<CompromisedKey>();
  Row row(out, 0);
  PKI_TRY(auto serial, row.serial("serial"));
  const auto reported_at = row.time("reported_at");
  PKI_TRY_VOID(row.status());
  return std::optional(CompromisedKey{std::move(serial), reported_at});
}

/// Within a transaction. The first report has the key's other certificates looked for.
Status Store::report_compromised(const std::string& spki, const Serial& serial, Seconds at) {
  PKI_TRY(const auto known, run("compromised_key_insert", {{"spki", spki}, {"serial", serial}, {"reported_at", at}}));
  return known.changed == 0 ? Status() : ask_for_sweep(spki);
}

Status Store::ask_for_sweep(const std::string& spki) {
  PKI_TRY([[maybe_unused]] const auto asked, run("key_sweep_ask", {{"spki", spki}}));
  return {};
}

/// Within a transaction: a certificate that was signed while its key was reported is looked for again. @return whether it was
Result<bool> Store::sweep_if_compromised(const NewCertificate& certificate) {
  if (certificate.key.empty()) return false;
  PKI_TRY(const auto report, compromised_key(certificate.key));
  if (report) PKI_TRY_VOID(ask_for_sweep(certificate.key));
  return report.has_value();
}

Result<std::vector<KeySweep>> Store::key_sweeps() {
  PKI_TRY(const auto out, run("key_sweeps", {{"limit", number(kSweepsAtOnce)}}));
  std::vector<KeySweep> sweeps;
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    Row row(out, i);
    sweeps.push_back({row.text("spki"), row.integer("asked")});
    PKI_TRY_VOID(row.status());
  }
  return sweeps;
}

Status Store::end_key_sweep(const KeySweep& sweep) {
  PKI_TRY([[maybe_unused]] const auto ended, run("key_sweep_end", {{"spki", sweep.spki}, {"asked", sweep.asked}}));
  return {};
}

Result<std::vector<LivingCertificate>> Store::living_certificates(const std::optional<LivingCertificate>& after, Seconds now,
                                                                  std::size_t limit) {
  PKI_TRY(const auto out, run("certificates_living", {{"serial", after ? after->serial.hex() : std::string()},
                                                      {"ca", after ? after->ca : std::string()},
                                                      {"revoked", to_text(CertificateState::Revoked)},
                                                      {"now", now},
                                                      {"limit", number(limit)}}));
  std::vector<LivingCertificate> living;
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    Row row(out, i);
    PKI_TRY(auto serial, row.serial("serial"));
    living.push_back({std::move(serial), row.text("ca"), row.bytes("der")});
    PKI_TRY_VOID(row.status());
  }
  return living;
}

}  // namespace chancery::store
