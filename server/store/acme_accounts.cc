#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

namespace chancery::store {
namespace {

Result<AcmeAccount> read_account(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  AcmeAccount account{.id = row.text("id"),
                      .thumbprint = row.text("thumbprint"),
                      .jwk = row.text("jwk"),
                      .status = row.text("status"),
                      .contact = row.text("contact"),
                      .terms_agreed = row.boolean("terms_agreed"),
                      .created_at = row.time("created_at"),
                      .version = row.integer("version")};
  PKI_TRY_VOID(row.status());
  return account;
}

/// One row with what it agreed to.
Result<AcmeAccount> read_whole_account(const Outcome& outcome) {
  PKI_TRY(auto account, read_account(outcome, 0));
  account.terms = Row(outcome, 0).text("terms");
  return account;
}

Error key_is_taken() { return {Code::Exists, "another account has this key"}; }

}  // namespace

Status Store::insert_account(const AcmeAccount& account) {
  PKI_TRY([[maybe_unused]] const auto inserted, run("acme_account_insert", {{"id", account.id},
                                                                            {"thumbprint", account.thumbprint},
                                                                            {"jwk", account.jwk},
                                                                            {"status", account.status},
                                                                            {"contact", account.contact},
                                                                            {"terms_agreed", number(account.terms_agreed)},
                                                                            {"created_at", account.created_at}}));
  return note_agreement(account);
}

Status Store::note_agreement(const AcmeAccount& account) {
  if (account.terms.empty()) return {};
  PKI_TRY([[maybe_unused]] const auto noted, run("acme_agreement_set", {{"account", account.id}, {"terms", account.terms}}));
  return {};
}

Status Store::add_acme_account(const AcmeAccount& account) {
  auto added = transact(*driver_, Access::Write, [&]() -> Status { return insert_account(account); });
  if (!added.ok() && added.error().code() == Code::Exists) return key_is_taken();
  return added;
}

Result<AcmeAccount> Store::acme_account(const std::string& id) {
  PKI_TRY(const auto out, run("acme_account_get", {{"id", id}}));
  if (out.rows.empty()) return Error(Code::NotFound, "no such account");
  return read_whole_account(out);
}

Result<std::optional<AcmeAccount>> Store::find_acme_account_by_thumbprint(const std::string& thumbprint) {
  PKI_TRY(const auto out, run("acme_account_by_thumbprint", {{"thumbprint", thumbprint}}));
  if (out.rows.empty()) return std::optional<AcmeAccount>();
  PKI_TRY(auto account, read_whole_account(out));
  return std::optional(std::move(account));
}

Status Store::update_acme_account(AcmeAccount& account) {
  auto updated = transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto changed, run("acme_account_update", {{"id", account.id},
                                                            {"version", account.version},
                                                            {"thumbprint", account.thumbprint},
                                                            {"jwk", account.jwk},
                                                            {"status", account.status},
                                                            {"contact", account.contact},
                                                            {"terms_agreed", number(account.terms_agreed)}}));
    return changed.changed == 1 ? note_agreement(account) : Error(Code::Conflict, "the account changed meanwhile");
  });
  if (!updated.ok() && updated.error().code() == Code::Exists) return key_is_taken();
  if (updated.ok()) ++account.version;
  return updated;
}

Status Store::delete_acme_account(const AcmeAccount& account) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto gone, run("acme_account_delete", {{"id", account.id}, {"version", account.version}}));
    if (gone.changed != 1) return Error(Code::Conflict, "the account changed meanwhile");
    PKI_TRY([[maybe_unused]] const auto unbound, run("acme_binding_delete", {{"account", account.id}}));
    PKI_TRY([[maybe_unused]] const auto forgotten, run("acme_agreement_delete", {{"account", account.id}}));
    return {};
  });
}

Result<Page<AcmeAccount>> Store::acme_accounts(std::size_t limit, const std::string& after) {
  const auto asked = bounded_limit(limit);
  PageKey key{-1, {}};
  if (!after.empty()) {
    PKI_TRY(key, parse_page_key(after));
  }
  PKI_TRY(const auto out,
          run("acme_account_page", {{"key_created_at", key.number}, {"key_id", key.text}, {"limit", number(asked)}}));
  Page<AcmeAccount> page;
  for (std::size_t i = 0; i < out.rows.size() && i + 1 < asked; ++i) {
    PKI_TRY(auto account, read_account(out, i));
    page.items.push_back(std::move(account));
  }
  if (out.rows.size() == asked) page.next = to_text(PageKey{base::to_epoch(page.items.back().created_at), page.items.back().id});
  return page;
}

}  // namespace chancery::store
