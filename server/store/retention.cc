#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// What has ended leaves the store; whether it may is decided here once more, within the transaction.
namespace chancery::store {
namespace {

/// RFC 5280 3.3: what is revoked stays until it was on a CRL that was made after its end.
Status check_listed(const CertificateRecord& record, const Result<CrlRecord>& latest) {
  if (!record.revoked_at) return {};
  if (latest.ok() && latest->this_update >= record.not_after) return {};
  return Error(Code::Conflict, "certificate " + record.serial.hex() + " was on no CRL since its end");
}

}  // namespace

Status Store::purge_certificate(const CertificateRecord& seen, Seconds ended_before) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto record, certificate_row(seen.serial, seen.ca));
    if (record.not_after >= ended_before)
      return Error(Code::Conflict, "certificate " + record.serial.hex() + " has not ended long enough ago");
    PKI_TRY(const auto pending, run("retention_pending", {{"ca", record.ca}, {"serial", record.serial}}));
    if (!pending.rows.empty()) return Error(Code::Conflict, "no CRL shows yet what became of certificate " + record.serial.hex());
    PKI_TRY_VOID(check_listed(record, latest_crl_facts(record.ca)));
    for (const auto& san : record.sans) {
      PKI_TRY([[maybe_unused]] const auto gone,
              run("retention_san_delete",
                  {{"san", san}, {"issued_at", record.issued_at}, {"serial", record.serial}, {"ca", record.ca}}));
    }
    PKI_TRY([[maybe_unused]] const auto der, run("retention_der_delete", {{"serial", record.serial}, {"ca", record.ca}}));
    PKI_TRY([[maybe_unused]] const auto node,
            run("retention_node_delete", {{"cn", record.cn}, {"serial", record.serial}, {"ca", record.ca}}));
    PKI_TRY(
        const auto gone,
        run("retention_certificate_delete",
            {{"serial", record.serial}, {"ca", record.ca}, {"state", to_text(record.state)}, {"not_after", record.not_after}}));
    if (gone.changed == 1) return {};
    return Error(Code::Conflict, "certificate " + record.serial.hex() + " changed meanwhile");
  });
}

}  // namespace chancery::store
