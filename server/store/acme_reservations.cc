#include "server/store/acme_reservation.h"

#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// How many certificates of a name there are is counted where one more is taken: in one transaction, so that of many who ask at
/// once as many get one as the limit says (PROMISES C30).
namespace chancery::store {

Result<std::vector<AcmeNameInUse>> Store::reserve_acme_certificate(const AcmeReservation& wanted) {
  return transact(*driver_, Access::Write, [&]() -> Result<std::vector<AcmeNameInUse>> {
    std::vector<AcmeNameInUse> full;
    for (const auto& name : wanted.names) {
      AcmeNameInUse use{.name = name, .certificates = {}, .reservations = {}};
      PKI_TRY(use.certificates, certificate_times(name, wanted.since, wanted.most));
      PKI_TRY(
          use.reservations,
          times("acme_reservation_latest_of_others",
                {{"name", name}, {"since", wanted.alive_since}, {"acme_order", wanted.order}, {"limit", number(wanted.most)}}));
      if (use.certificates.size() + use.reservations.size() >= wanted.most) full.push_back(std::move(use));
    }
    // An earlier one of the same order stays as it is: another worker may be signing by it.
    if (!full.empty()) return full;
    PKI_TRY_VOID(drop_reservations(wanted.order));
    for (const auto& name : wanted.names) {
      PKI_TRY([[maybe_unused]] const auto put,
              run("acme_reservation_insert", {{"name", name}, {"at", wanted.at}, {"acme_order", wanted.order}}));
    }
    return full;
  });
}

Status Store::drop_reservations(const std::string& order) {
  PKI_TRY([[maybe_unused]] const auto gone, run("acme_reservation_delete", {{"acme_order", order}}));
  return {};
}

Status Store::release_acme_certificate(const std::string& order) {
  return transact(*driver_, Access::Write, [&]() -> Status { return drop_reservations(order); });
}

Status Store::purge_acme_reservations(Seconds before, std::size_t limit) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto lapsed, run("acme_reservation_lapsed", {{"before", before}, {"limit", number(limit)}}));
    for (std::size_t i = 0; i < lapsed.rows.size(); ++i) {
      Row row(lapsed, i);
      const auto order = row.text("acme_order");
      PKI_TRY_VOID(row.status());
      PKI_TRY_VOID(drop_reservations(order));
    }
    return {};
  });
}

}  // namespace chancery::store
