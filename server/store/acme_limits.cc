#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// How much there was of something within a time, for the limits of ACME policies.
namespace chancery::store {

Result<std::vector<Seconds>> Store::times(std::string_view statement_name, Binds binds) {
  PKI_TRY(const auto out, run(statement_name, binds));
  std::vector<Seconds> found;
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    Row row(out, i);
    found.push_back(row.time("at"));
    PKI_TRY_VOID(row.status());
  }
  return found;
}

Result<std::vector<Seconds>> Store::acme_order_times(const std::string& account, Seconds since, std::size_t most) {
  return times("acme_order_latest", {{"account", account}, {"since", since}, {"limit", number(most)}});
}

Result<std::vector<Seconds>> Store::acme_failure_times(const std::string& account, const std::string& name, Seconds since,
                                                       std::size_t most) {
  return times("acme_failure_latest", {{"account", account}, {"name", name}, {"since", since}, {"limit", number(most)}});
}

Result<std::vector<Seconds>> Store::certificate_times(const std::string& san, Seconds since, std::size_t most) {
  return times("certificate_latest_of_san", {{"san", san}, {"since", since}, {"limit", number(most)}});
}

Result<std::vector<Seconds>> Store::acme_pending_ends(const std::string& account, Seconds since, std::size_t most) {
  return times("acme_authorization_latest",
               {{"account", account}, {"status", "pending"}, {"since", since}, {"limit", number(most)}});
}

Result<std::optional<Seconds>> Store::latest_certificate_end(const std::string& requester) {
  PKI_TRY(const auto found, times("certificate_latest_end", {{"requester", requester}, {"limit", std::int64_t{1}}}));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

Result<std::vector<Seconds>> Store::acme_validation_ends(const std::string& account, const std::string& name, Seconds now,
                                                         std::size_t most) {
  return times("acme_validation_latest", {{"account", account}, {"name", name}, {"since", now}, {"limit", number(most)}});
}

Status Store::begin_acme_validation(AcmeAuthorization& authorization, const AcmeValidation& validation,
                                    const Allowance& allowed) {
  auto written = transact(*driver_, Access::Write, [&]() -> Status {
    if (allowed) PKI_TRY_VOID(allowed());
    PKI_TRY([[maybe_unused]] const auto added, run("acme_validation_insert", {{"account", validation.account},
                                                                              {"name", validation.name},
                                                                              {"ends", validation.ends},
                                                                              {"claim", validation.claim}}));
    return write_authorization(authorization);
  });
  if (written.ok()) ++authorization.version;
  return written;
}

Status Store::end_acme_validation(AcmeAuthorization& authorization, const AcmeValidation& validation,
                                  const std::optional<AcmeFailure>& failure) {
  auto written = transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY_VOID(drop_validation(validation));
    if (failure) {
      PKI_TRY([[maybe_unused]] const auto added,
              run("acme_failure_insert",
                  {{"account", failure->account}, {"name", failure->name}, {"at", failure->at}, {"id", failure->id}}));
    }
    return write_authorization(authorization);
  });
  if (written.ok()) ++authorization.version;
  return written;
}

Status Store::drop_validation(const AcmeValidation& validation) {
  PKI_TRY(
      [[maybe_unused]] const auto gone,
      run("acme_validation_delete",
          {{"account", validation.account}, {"name", validation.name}, {"ends", validation.ends}, {"claim", validation.claim}}));
  return {};
}

Status Store::purge_acme_validations(Seconds before, std::size_t limit) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto lapsed, run("acme_validation_lapsed", {{"before", before}, {"limit", number(limit)}}));
    for (std::size_t i = 0; i < lapsed.rows.size(); ++i) {
      Row row(lapsed, i);
      const AcmeValidation one{row.text("account"), row.text("name"), row.time("ends"), row.text("claim")};
      PKI_TRY_VOID(row.status());
      PKI_TRY_VOID(drop_validation(one));
    }
    return {};
  });
}

Status Store::purge_acme_failures(Seconds before, std::size_t limit) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto ended, run("acme_failure_ended", {{"before", before}, {"limit", number(limit)}}));
    for (std::size_t i = 0; i < ended.rows.size(); ++i) {
      Row row(ended, i);
      const AcmeFailure one{row.text("account"), row.text("name"), row.time("at"), row.text("id")};
      PKI_TRY_VOID(row.status());
      PKI_TRY([[maybe_unused]] const auto gone,
              run("acme_failure_delete", {{"account", one.account}, {"name", one.name}, {"at", one.at}, {"id", one.id}}));
    }
    return {};
  });
}

}  // namespace chancery::store
