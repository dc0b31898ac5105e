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

Result<std::int64_t> Store::purge_requests(std::string_view state, Seconds ended_before, std::size_t limit) {
  PKI_TRY(const auto ended, run("request_ended", {{"state", state}, {"now", ended_before}, {"limit", number(limit)}}));
  std::int64_t count = 0;
  for (std::size_t i = 0; i < ended.rows.size(); ++i) {
    const auto id = Row(ended, i).text("id");
    PKI_TRY(const bool gone, transact(*driver_, Access::Write, [&]() -> Result<bool> {
              PKI_TRY(const auto request, run("retention_request_delete", {{"id", id}, {"state", state}}));
              if (request.changed == 0) return false;
              PKI_TRY([[maybe_unused]] const auto history, run("retention_history_delete", {{"request", id}}));
              PKI_TRY([[maybe_unused]] const auto files, run("retention_files_delete", {{"request", id}}));
              return true;
            }));
    count += gone ? 1 : 0;
  }
  return count;
}

}  // namespace chancery::store
