#include <algorithm>

#include "server/store/crl_rows.h"
#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// Delta CRLs beside the full ones of crls.cc. They cross off no pending change: that is for a full CRL, since what appeared on a
/// delta CRL has to stay on each one until a full CRL shows it (RFC 5280 5.2.4).
namespace chancery::store {
namespace {

constexpr std::uint64_t kDeltasKept = 16;  ///< numbers whose DER stays

Result<std::pair<CrlRecord, std::int64_t>> read_delta(const Outcome& out, const std::string& ca) {
  if (out.rows.empty()) return Error(Code::NotFound, "CA " + ca + " has made no delta CRL yet");
  Row row(out, 0);
  CrlRecord record{.ca = ca,
                   .number = static_cast<std::uint64_t>(row.integer("number")),
                   .this_update = row.time("this_update"),
                   .next_update = row.time("next_update"),
                   .entries = row.integer("entries"),
                   .base = static_cast<std::uint64_t>(row.integer("base"))};
  const auto chunks = row.integer("chunks");
  PKI_TRY_VOID(row.status());
  return std::pair(std::move(record), chunks);
}

}  // namespace

Status Store::add_delta_crl(const NewCrl& crl) {
  PKI_CHECK(crl.base > 0 && crl.base < crl.number);
  PKI_TRY_VOID(add_crl_chunks(crl));
  return transact(*driver_, Access::Write, [&]() -> Status {
    // Never one without its base, nor one that adds to what is replaced meanwhile.
    PKI_TRY(const auto full, latest_crl_facts(crl.ca));
    if (full.number != crl.base) {
      return Error(Code::Conflict, "delta CRL " + std::to_string(crl.number) + " adds to CRL " + std::to_string(crl.base) +
                                       ", but the latest is " + std::to_string(full.number));
    }
    const auto latest = latest_delta_crl_facts(crl.ca);
    if (!latest.ok() && latest.error().code() != Code::NotFound) return latest.error();
    if (latest.ok() && latest->number > crl.number) {
      return Error(Code::Conflict,
                   "delta CRL number " + std::to_string(crl.number) + " is below the latest, " + std::to_string(latest->number));
    }
    PKI_TRY(const auto inserted, run("crl_delta_insert", {{"ca", crl.ca},
                                                          {"number", number(crl.number)},
                                                          {"base", number(crl.base)},
                                                          {"this_update", crl.this_update},
                                                          {"next_update", crl.next_update},
                                                          {"entries", number(crl.entries.size())},
                                                          {"chunks", number(crl_chunks(crl.der.size()))}}));
    if (inserted.changed == 0) return Error(Code::Exists, "delta CRL number " + std::to_string(crl.number) + " is there already");
    const auto oldest_kept = crl.number > kDeltasKept ? crl.number - kDeltasKept : 0;
    PKI_TRY([[maybe_unused]] const auto chunks,
            run("crl_delta_chunks_delete", {{"ca", crl.ca}, {"base", number(crl.base)}, {"number", number(oldest_kept)}}));
    PKI_TRY([[maybe_unused]] const auto rows, run("crl_delta_delete", {{"ca", crl.ca}, {"number", number(oldest_kept)}}));
    return {};
  });
}

Result<CrlRecord> Store::latest_delta_crl_facts(const std::string& ca) {
  PKI_TRY(const auto out, run("crl_delta_latest", {{"ca", ca}}));
  PKI_TRY(auto found, read_delta(out, ca));
  return std::move(found.first);
}

Result<CrlRecord> Store::latest_delta_crl(const std::string& ca) {
  return transact(*driver_, Access::Read, [&]() -> Result<CrlRecord> {
    PKI_TRY(const auto out, run("crl_delta_latest", {{"ca", ca}}));
    PKI_TRY(auto found, read_delta(out, ca));
    PKI_TRY(found.first.der, read_crl_der(ca, found.first.number, found.second));
    return std::move(found.first);
  });
}

}  // namespace chancery::store
