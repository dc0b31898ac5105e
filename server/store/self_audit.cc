#include "server/store/certificate_rows.h"
#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// What a look at everything that is stored needs.
namespace chancery::store {

Result<std::vector<CertificateRecord>> Store::stored_certificates(const std::string& serial, const std::string& ca,
                                                                  std::size_t limit) {
  PKI_TRY(const auto out,
          run("self_audit_certificates", {{"serial", serial}, {"ca", ca}, {"limit", number(bounded_limit(limit))}}));
  std::vector<CertificateRecord> records;
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    PKI_TRY(auto record, read_certificate(out, i));
    Row row(out, i);
    record.der = row.optional_bytes("der");
    PKI_TRY_VOID(row.status());
    records.push_back(std::move(record));
  }
  return records;
}

Result<bool> Store::replace_meta(const std::string& name, const std::optional<std::string>& old_text, const std::string& text) {
  return transact(*driver_, Access::Write, [&]() -> Result<bool> {
    if (!old_text) {
      PKI_TRY(const auto inserted, run("self_audit_insert", {{"name", name}, {"text", text}}));
      return inserted.changed == 1;
    }
    PKI_TRY(const auto replaced, run("self_audit_replace", {{"name", name}, {"text", text}, {"old_text", *old_text}}));
    return replaced.changed == 1;
  });
}

}  // namespace chancery::store
