#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// The list of administrators, and the keys that are bound to its names.
namespace chancery::store {

Status Store::insert_admin_keys(const NewAdmin& admin) {
  for (const auto& key : admin.keys) {
    PKI_TRY([[maybe_unused]] const auto bound,
            run("admin_key_insert", {{"dn", admin.dn}, {"spki", key}, {"bound_at", admin.at}, {"bound_by", admin.by}}));
  }
  return {};
}

Result<Added> Store::add_admin(const NewAdmin& admin) {
  return transact(*driver_, Access::Write, [&]() -> Result<Added> {
    PKI_TRY(const auto added, run("admin_insert", {{"dn", admin.dn}, {"added_at", admin.at}, {"added_by", admin.by}}));
    if (added.changed == 0) return Added::Already;
    PKI_TRY_VOID(insert_admin_keys(admin));
    return Added::New;
  });
}

/// Who leaves the list at the same time takes all keys along.
Result<bool> Store::bind_admin_keys(const NewAdmin& admin) {
  return transact(*driver_, Access::Write, [&]() -> Result<bool> {
    PKI_TRY(const auto found, run("admin_get", {{"dn", admin.dn}}));
    if (found.rows.empty()) return false;
    PKI_TRY_VOID(insert_admin_keys(admin));
    return true;
  });
}

Result<std::vector<std::string>> Store::admins() {
  PKI_TRY(const auto out, run("admin_page", {{"dn", ""}, {"limit", number(kMaxPageRows)}}));
  std::vector<std::string> dns;
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    Row row(out, i);
    dns.push_back(row.text("dn"));
    PKI_TRY_VOID(row.status());
  }
  return dns;
}

Result<AdminRecord> Store::admin(const std::string& dn) {
  return transact(*driver_, Access::Read, [&]() -> Result<AdminRecord> {
    PKI_TRY(const auto found, run("admin_get", {{"dn", dn}}));
    AdminRecord admin{.listed = !found.rows.empty()};
    if (!admin.listed) return admin;
    PKI_TRY(const auto out, run("admin_key_page", {{"dn", dn}, {"limit", number(kMaxPageRows)}}));
    for (std::size_t i = 0; i < out.rows.size(); ++i) {
      Row row(out, i);
      admin.keys.push_back(row.text("spki"));
      PKI_TRY_VOID(row.status());
    }
    return admin;
  });
}

Result<bool> Store::is_admin_key(const std::string& dn, const std::string& spki) {
  PKI_TRY(const auto out, run("admin_key_get", {{"dn", dn}, {"spki", spki}}));
  return !out.rows.empty();
}

Result<bool> Store::remove_admin(const std::string& dn) {
  return transact(*driver_, Access::Write, [&]() -> Result<bool> {
    PKI_TRY([[maybe_unused]] const auto keys, run("admin_key_delete", {{"dn", dn}}));
    PKI_TRY(const auto gone, run("admin_delete", {{"dn", dn}}));
    return gone.changed == 1;
  });
}

}  // namespace chancery::store
