#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// What binds ACME accounts to somebody who is known otherwise: keys of RFC 8555 7.3.4, and policies.
namespace chancery::store {
namespace {

Result<AcmeEab> read_eab(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  AcmeEab key{.kid = row.text("kid"),
              .mac_key = row.text("mac_key"),
              .label = row.text("label"),
              .policy = row.text("policy"),
              .uses_left = row.optional_integer("uses_left"),
              .used = row.integer("used"),
              .expires_at = row.optional_time("expires_at"),
              .created_at = row.time("created_at"),
              .created_by = row.text("created_by")};
  PKI_TRY_VOID(row.status());
  return key;
}

Result<AcmeBinding> read_binding(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  AcmeBinding binding{.account = row.text("account"), .eab = row.text("eab"), .policy = row.text("policy")};
  PKI_TRY_VOID(row.status());
  return binding;
}

Error no_key(const std::string& kid) { return {Code::NotFound, "no key " + kid + " of external accounts"}; }

}  // namespace

Status Store::add_acme_eab(const AcmeEab& key) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY([[maybe_unused]] const auto added, run("acme_eab_insert", {{"kid", key.kid},
                                                                       {"mac_key", key.mac_key},
                                                                       {"label", key.label},
                                                                       {"policy", key.policy},
                                                                       {"uses_left", key.uses_left},
                                                                       {"expires_at", key.expires_at},
                                                                       {"created_at", key.created_at},
                                                                       {"created_by", key.created_by}}));
    return {};
  });
}

Result<AcmeEab> Store::acme_eab(const std::string& kid) {
  PKI_TRY(const auto out, run("acme_eab_get", {{"kid", kid}}));
  if (out.rows.empty()) return no_key(kid);
  return read_eab(out, 0);
}

Result<Page<AcmeEab>> Store::acme_eabs(std::size_t limit, const std::string& after) {
  const auto asked = bounded_limit(limit);
  PKI_TRY(const auto out, run("acme_eab_page", {{"kid", after}, {"limit", number(asked)}}));
  Page<AcmeEab> page;
  for (std::size_t i = 0; i < out.rows.size() && i + 1 < asked; ++i) {
    PKI_TRY(auto key, read_eab(out, i));
    page.items.push_back(std::move(key));
  }
  if (out.rows.size() == asked) page.next = page.items.back().kid;
  return page;
}

Status Store::delete_acme_eab(const std::string& kid) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto gone, run("acme_eab_delete", {{"kid", kid}}));
    return gone.changed == 1 ? Status() : no_key(kid);
  });
}

Status Store::purge_acme_eabs(Seconds expired_before, std::size_t limit) {
  PKI_TRY(const auto ended, run("acme_eab_ended", {{"expired_before", expired_before}, {"limit", number(limit)}}));
  for (std::size_t i = 0; i < ended.rows.size(); ++i) {
    const auto gone = delete_acme_eab(Row(ended, i).text("kid"));
    if (!gone.ok() && gone.error().code() != Code::NotFound) return gone;
  }
  return {};
}

Status Store::add_bound_acme_account(const AcmeAccount& account, const AcmeBinding& binding, Seconds at) {
  auto added = transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto taken, run("acme_eab_take", {{"kid", binding.eab}, {"at", at}}));
    if (taken.changed != 1)
      return Error(Code::Denied, "key " + binding.eab + " of external accounts is used up, expired or gone");
    PKI_TRY_VOID(insert_account(account));
    PKI_TRY([[maybe_unused]] const auto bound,
            run("acme_binding_insert", {{"account", account.id}, {"eab", binding.eab}, {"policy", binding.policy}}));
    return {};
  });
  if (!added.ok() && added.error().code() == Code::Exists) return Error(Code::Exists, "another account has this key");
  return added;
}

Result<AcmeBinding> Store::acme_binding(const std::string& account) {
  PKI_TRY(const auto out, run("acme_binding_get", {{"account", account}}));
  if (out.rows.empty()) return AcmeBinding{.account = account};
  return read_binding(out, 0);
}

Result<Page<AcmeBinding>> Store::acme_bindings_of(const std::string& eab, std::size_t limit, const std::string& after) {
  const auto asked = bounded_limit(limit);
  PKI_TRY(const auto out, run("acme_binding_of_eab", {{"eab", eab}, {"account", after}, {"limit", number(asked)}}));
  Page<AcmeBinding> page;
  for (std::size_t i = 0; i < out.rows.size() && i + 1 < asked; ++i) {
    PKI_TRY(auto binding, read_binding(out, i));
    page.items.push_back(std::move(binding));
  }
  if (out.rows.size() == asked) page.next = page.items.back().account;
  return page;
}

Status Store::set_acme_policy(const std::string& account, const std::string& policy) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY([[maybe_unused]] const auto set, run("acme_binding_set_policy", {{"account", account}, {"policy", policy}}));
    return {};
  });
}

}  // namespace chancery::store
