#include <algorithm>

#include "server/store/crl_rows.h"
#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

namespace chancery::store {
namespace {

constexpr std::size_t kChunksAtOnce = 16;  ///< rows of one transaction: it stays short (PROMISES Q11)
constexpr std::size_t kCrossedOffAtOnce = 500;
constexpr std::uint64_t kCrlsKept = 16;  ///< numbers whose DER stays

std::string counter_name(const std::string& ca) { return "crl/" + ca; }

std::size_t chunks_of(const NewCrl& crl) { return crl_chunks(crl.der.size()); }

Bytes chunk(const NewCrl& crl, std::size_t part) {
  const auto from = part * kCrlChunkBytes;
  const auto size = std::min(kCrlChunkBytes, crl.der.size() - from);
  const auto begin = crl.der.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

/// Whether the CRL shows the certificate as it is now: on it for the present reason, or not on it and not revoked.
bool shows(const NewCrl& crl, const Serial& serial, const std::optional<Seconds>& revoked_at, const std::string& reason) {
  const auto entry = std::ranges::lower_bound(crl.entries, serial, {}, &RevokedCertificate::serial);
  const bool listed = entry != crl.entries.end() && entry->serial == serial;
  if (!revoked_at) return !listed;
  return listed && entry->reason == reason && entry->revoked_at == *revoked_at;
}

}  // namespace

Result<std::uint64_t> Store::next_crl_number(const std::string& ca, std::uint64_t above) {
  return transact(*driver_, Access::Write, [&]() -> Result<std::uint64_t> {
    PKI_TRY(const auto out, run("crl_next_number", {{"name", counter_name(ca)}, {"above", number(above)}}));
    Row row(out, 0);
    const auto n = row.integer("n");
    PKI_TRY_VOID(row.status());
    return static_cast<std::uint64_t>(n);
  });
}

Status Store::add_crl(const NewCrl& crl) {
  PKI_CHECK(std::ranges::is_sorted(crl.entries, {}, &RevokedCertificate::serial));
  PKI_TRY_VOID(add_crl_chunks(crl));
  PKI_TRY_VOID(transact(*driver_, Access::Write, [&]() -> Status {
    const auto latest = latest_crl_facts(crl.ca);
    if (!latest.ok() && latest.error().code() != Code::NotFound) return latest.error();
    if (latest.ok() && latest->number > crl.number) {
      return Error(Code::Conflict,
                   "CRL number " + std::to_string(crl.number) + " is below the latest, " + std::to_string(latest->number));
    }
    PKI_TRY(const auto inserted, run("crl_insert", {{"ca", crl.ca},
                                                    {"number", number(crl.number)},
                                                    {"this_update", crl.this_update},
                                                    {"next_update", crl.next_update},
                                                    {"entries", number(crl.entries.size())},
                                                    {"chunks", number(chunks_of(crl))}}));
    if (inserted.changed == 0) return Error(Code::Exists, "CRL number " + std::to_string(crl.number) + " is there already");
    auto oldest_kept = crl.number > kCrlsKept ? crl.number - kCrlsKept : 0;
    // The delta CRL that is served until the next one is made has its DER among them.
    if (const auto delta = latest_delta_crl_facts(crl.ca); delta.ok()) oldest_kept = std::min(oldest_kept, delta->number);
    PKI_TRY(const auto dropped, run("crl_chunks_delete", {{"ca", crl.ca}, {"number", number(oldest_kept)}}));
    return {};
  }));
  return cross_off(crl);
}

/// The DER in rows, before the row that makes them visible. A number is given to one caller only, so nobody else writes them.
Status Store::add_crl_chunks(const NewCrl& crl) {
  for (std::size_t part = 0; part < chunks_of(crl); part += kChunksAtOnce) {
    PKI_TRY_VOID(transact(*driver_, Access::Write, [&]() -> Status {
      for (auto i = part; i < std::min(part + kChunksAtOnce, chunks_of(crl)); ++i) {
        PKI_TRY(const auto stored,
                run("crl_chunk_insert",
                    {{"ca", crl.ca}, {"number", number(crl.number)}, {"part", number(i)}, {"der", chunk(crl, i)}}));
      }
      return {};
    }));
  }
  return {};
}

/// Forgets the changes that this CRL shows. What changed after its entries were read stays: the next one is due for it. When
/// this is cut off, a CRL is made early, which does no harm.
Status Store::cross_off(const NewCrl& crl) {
  std::string serial;
  for (bool more = true; more;) {
    PKI_TRY(serial, transact(*driver_, Access::Write, [&]() -> Result<std::string> {
              auto last = serial;
              PKI_TRY(const auto batch,
                      run("crl_pending_page", {{"ca", crl.ca}, {"serial", last}, {"limit", number(kCrossedOffAtOnce)}}));
              for (std::size_t i = 0; i < batch.rows.size(); ++i) {
                Row row(batch, i);
                PKI_TRY(const auto one, row.serial("serial"));
                last = one.hex();
                if (!shows(crl, one, row.optional_time("revoked_at"), row.text("reason"))) continue;
                PKI_TRY_VOID(row.status());
                PKI_TRY(const auto gone, run("crl_pending_delete", {{"ca", crl.ca}, {"serial", one}}));
              }
              more = batch.rows.size() == kCrossedOffAtOnce;
              return last;
            }));
  }
  return {};
}

namespace {

struct Facts {
  CrlRecord record;
  std::int64_t chunks;
};

Result<Facts> read_facts(const Outcome& out, const std::string& ca) {
  if (out.rows.empty()) return Error(Code::NotFound, "CA " + ca + " has made no CRL yet");
  Row row(out, 0);
  Facts facts{.record = {.ca = ca,
                         .number = static_cast<std::uint64_t>(row.integer("number")),
                         .this_update = row.time("this_update"),
                         .next_update = row.time("next_update"),
                         .entries = row.integer("entries")},
              .chunks = row.integer("chunks")};
  PKI_TRY_VOID(row.status());
  return facts;
}

}  // namespace

Result<CrlRecord> Store::latest_crl_facts(const std::string& ca) {
  PKI_TRY(const auto out, run("crl_latest", {{"ca", ca}}));
  PKI_TRY(auto facts, read_facts(out, ca));
  return std::move(facts.record);
}

Result<CrlRecord> Store::latest_crl(const std::string& ca) {
  return transact(*driver_, Access::Read, [&]() -> Result<CrlRecord> {
    PKI_TRY(const auto out, run("crl_latest", {{"ca", ca}}));
    PKI_TRY(auto facts, read_facts(out, ca));
    PKI_TRY(facts.record.der, read_crl_der(ca, facts.record.number, facts.chunks));
    return std::move(facts.record);
  });
}

/// Within a transaction. @errors Corrupt.
Result<Bytes> Store::read_crl_der(const std::string& ca, std::uint64_t crl, std::int64_t chunks) {
  Bytes der;
  for (std::int64_t part = 0; part < chunks; part += number(kChunksAtOnce)) {
    PKI_TRY(const auto batch,
            run("crl_chunks", {{"ca", ca}, {"number", number(crl)}, {"part", part}, {"limit", number(kChunksAtOnce)}}));
    const auto wanted = std::min(number(kChunksAtOnce), chunks - part);
    if (number(batch.rows.size()) != wanted) return Error(Code::Corrupt, "CRL " + std::to_string(crl) + " lacks a part");
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      Row row(batch, i);
      const auto bytes = row.bytes("der");
      PKI_TRY_VOID(row.status());
      der.insert(der.end(), bytes.begin(), bytes.end());
    }
  }
  return der;
}

}  // namespace chancery::store
