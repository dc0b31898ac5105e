#include "server/store/schema.h"

#include <array>

#include "server/store/transaction.h"

namespace chancery::store {
namespace {

/// The version row: schema file `version` is complete, and `step` statements of the next one are done.
struct Level {
  std::int64_t version = 0;
  std::int64_t step = 0;
};

/// @errors NotFound: there is no version row, as in a new database.
Result<Level> read_level(Driver& driver) {
  PKI_TRY(const auto out, driver.run(statement("schema_read"), {}));
  if (out.rows.empty()) return Error(Code::NotFound, "database: no schema version");
  const auto* version = std::get_if<std::int64_t>(&out.rows.front().at(0));
  const auto* step = std::get_if<std::int64_t>(&out.rows.front().at(1));
  if (version != nullptr && step != nullptr && *version >= 0 && *step >= 0) return Level{*version, *step};
  return Error(Code::Corrupt, "database: the schema version is no number", "restore a backup");
}

std::int64_t newest_version() { return static_cast<std::int64_t>(schema_steps().size()); }

Status check_known(const Level& level) {
  if (level.version < newest_version() || (level.version == newest_version() && level.step == 0)) return {};
  return Error(Code::Unsupported,
               "database: schema version " + std::to_string(level.version) + ", this program knows up to " +
                   std::to_string(newest_version()),
               "a newer chancery has used it: run that version, or restore the backup from before the upgrade");
}

/// One statement of the schema and the note that it is done, both or none. When somebody else was faster, nothing.
Status take_step(Driver& driver, const Level& from) {
  const auto& file = schema_steps()[static_cast<std::size_t>(from.version)];
  const auto index = static_cast<std::size_t>(from.step);
  if (index >= file.statements.size())
    return Error(Code::Corrupt, "database: the schema step is beyond its last", "restore a backup");
  const bool last = index + 1 == file.statements.size();
  const std::int64_t new_version = last ? from.version + 1 : from.version;
  const std::int64_t new_step = last ? 0 : from.step + 1;
  return transact(driver, Access::Write, [&]() -> Status {
    PKI_TRY(const auto now, read_level(driver));
    if (now.version != from.version || now.step != from.step) return {};
    PKI_TRY(const auto changed, driver.run(Statement{"schema step", file.statements[index], {}}, {}));
    const std::array<Value, 4> values{new_version, new_step, from.version, from.step};
    PKI_TRY(const auto advanced, driver.run(statement("schema_advance"), values));
    if (advanced.changed != 1) return Error(Code::Busy, "database: another process changes the schema");
    return {};
  });
}

Status make_version_row(Driver& driver) {
  return transact(driver, Access::Write, [&]() -> Status {
    PKI_TRY(const auto made, driver.run(statement("schema_make"), {}));
    PKI_TRY(const auto started, driver.run(statement("schema_start"), {}));
    return {};
  });
}

Status take_steps(Driver& driver, bool is_new) {
  if (is_new) PKI_TRY_VOID(make_version_row(driver));
  for (;;) {
    PKI_TRY(const auto now, read_level(driver));
    PKI_TRY_VOID(check_known(now));
    if (now.version == newest_version()) return {};
    PKI_TRY_VOID(take_step(driver, now));
  }
}

}  // namespace

Status bring_up_to_date(Driver& driver) {
  // A database without the version table fails the first statement; that happens once in its life.
  const auto first = read_level(driver);
  const bool is_new = !first.ok() && (first.error().code() == Code::NotFound || first.error().code() == Code::StoreFailed);
  if (!first.ok() && !is_new) return first.error();
  if (first.ok() && first->version == newest_version()) return check_known(*first);
  return take_steps(driver, is_new);  // those that a crash takes back are taken again
}

Status check_schema(Driver& driver) {
  const auto level = read_level(driver);
  if (level.ok()) return check_known(*level);
  const auto code = level.error().code();
  return code == Code::NotFound || code == Code::StoreFailed ? Status() : level.error();
}

Result<bool> is_up_to_date(Driver& driver) {
  PKI_TRY_VOID(check_schema(driver));
  const auto level = read_level(driver);
  return level.ok() && level->version == newest_version();
}

}  // namespace chancery::store
