#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// Renewals that holders had by themselves.
namespace chancery::store {

Result<std::optional<Seconds>> Store::take_own_renewal(const OwnRenewal& renewal, Seconds since, std::size_t most) {
  return transact(*driver_, Access::Write, [&]() -> Result<std::optional<Seconds>> {
    PKI_TRY(const auto out, run("own_renewal_latest", {{"names", renewal.names}, {"since", since}, {"limit", number(most)}}));
    if (out.rows.size() >= most) {
      Row row(out, most - 1);
      const auto at = row.time("at");
      PKI_TRY_VOID(row.status());
      return std::optional(at);
    }
    PKI_TRY([[maybe_unused]] const auto taken,
            run("own_renewal_insert", {{"names", renewal.names}, {"at", renewal.at}, {"id", renewal.id}}));
    return std::optional<Seconds>();
  });
}

Status Store::give_back_own_renewal(const OwnRenewal& renewal) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY([[maybe_unused]] const auto gone,
            run("own_renewal_delete", {{"names", renewal.names}, {"at", renewal.at}, {"id", renewal.id}}));
    return {};
  });
}

Status Store::purge_own_renewals(Seconds before, std::size_t limit) {
  PKI_TRY(const auto ended, run("own_renewal_ended", {{"before", before}, {"limit", number(limit)}}));
  for (std::size_t i = 0; i < ended.rows.size(); ++i) {
    Row row(ended, i);
    const OwnRenewal renewal{row.text("names"), row.text("id"), row.time("at")};
    PKI_TRY_VOID(row.status());
    PKI_TRY_VOID(give_back_own_renewal(renewal));
  }
  return {};
}

}  // namespace chancery::store
