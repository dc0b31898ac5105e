#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

/// Registration seeds that an operator made.
namespace chancery::store {
namespace {

Result<SeedRecord> read_seed(const Outcome& outcome, std::size_t index) {
  Row row(outcome, index);
  SeedRecord seed{.id = row.text("id"),
                  .digest = row.text("digest"),
                  .profile = row.text("profile"),
                  .cn = row.text("cn"),
                  .uses_left = row.integer("uses_left"),
                  .used = row.integer("used"),
                  .expires_at = row.time("expires_at"),
                  .created_at = row.time("created_at"),
                  .created_by = row.text("created_by")};
  PKI_TRY_VOID(row.status());
  return seed;
}

Error no_seed(const std::string& id) { return {Code::NotFound, "no seed " + id}; }

}  // namespace

Status Store::add_seed(const SeedRecord& seed) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY([[maybe_unused]] const auto added, run("seed_insert", {{"id", seed.id},
                                                                   {"digest", seed.digest},
                                                                   {"profile", seed.profile},
                                                                   {"cn", seed.cn},
                                                                   {"uses_left", seed.uses_left},
                                                                   {"expires_at", seed.expires_at},
                                                                   {"created_at", seed.created_at},
                                                                   {"created_by", seed.created_by}}));
    return {};
  });
}

Result<SeedRecord> Store::seed(const std::string& id) {
  PKI_TRY(const auto out, run("seed_get", {{"id", id}}));
  if (out.rows.empty()) return no_seed(id);
  return read_seed(out, 0);
}

Result<Page<SeedRecord>> Store::seeds(std::size_t limit, const std::string& after) {
  const auto asked = bounded_limit(limit);
  PKI_TRY(const auto out, run("seed_page", {{"id", after}, {"limit", number(asked)}}));
  Page<SeedRecord> page;
  for (std::size_t i = 0; i < out.rows.size() && i + 1 < asked; ++i) {
    PKI_TRY(auto record, read_seed(out, i));
    page.items.push_back(std::move(record));
  }
  if (out.rows.size() == asked) page.next = page.items.back().id;
  return page;
}

Result<bool> Store::take_seed(const std::string& id, Seconds at) {
  bool taken = false;
  PKI_TRY_VOID(transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto changed, run("seed_take", {{"id", id}, {"at", at}}));
    taken = changed.changed == 1;
    return {};
  }));
  return taken;
}

Status Store::give_back_seed(const std::string& id) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY([[maybe_unused]] const auto changed, run("seed_give_back", {{"id", id}}));
    return {};
  });
}

Status Store::delete_seed(const std::string& id) {
  return transact(*driver_, Access::Write, [&]() -> Status {
    PKI_TRY(const auto gone, run("seed_delete", {{"id", id}}));
    return gone.changed == 1 ? Status() : no_seed(id);
  });
}

Status Store::purge_seeds(Seconds expired_before, std::size_t limit) {
  PKI_TRY(const auto ended, run("seed_ended", {{"expired_before", expired_before}, {"limit", number(limit)}}));
  for (std::size_t i = 0; i < ended.rows.size(); ++i) {
    const auto gone = delete_seed(Row(ended, i).text("id"));
    if (!gone.ok() && gone.error().code() != Code::NotFound) return gone;
  }
  return {};
}

}  // namespace chancery::store
