#include "server/store/store.h"

#include <algorithm>

#include "server/store/rows.h"
#include "server/store/schema.h"
#include "server/store/sqlite_driver.h"

namespace chancery::store {
namespace {

constexpr std::string_view kRealmParameter = "realm_id";

/// The statement's values in their order. A name too few or too many is a mistake of ours.
std::vector<Value> in_order(const Statement& statement, std::span<const Bind> binds, const RealmName& realm) {
  std::vector<Value> values;
  values.reserve(statement.parameters.size());
  std::size_t used = 0;
  for (const auto name : statement.parameters) {
    if (name == kRealmParameter) {
      values.emplace_back(realm.text());
      continue;
    }
    const auto bind = std::ranges::find(binds, name, &Bind::name);
    if (bind == binds.end())
      base::raise_bug(__FILE__, __LINE__, (std::string(statement.name) + " lacks :" + std::string(name)).c_str());
    values.push_back(bind->value);
    ++used;
  }
  PKI_CHECK(used == binds.size());
  return values;
}

}  // namespace

Store::Store(DriverPtr driver, RealmName realm) : driver_(std::move(driver)), realm_(std::move(realm)) {}

Result<Store> Store::open(const base::Path& file, RealmName realm) {
  PKI_TRY(auto driver, open_sqlite_driver(file));
  return over(std::move(driver), std::move(realm));
}

Status Store::check(const base::Path& file) {
  PKI_TRY(const auto driver, look_at_sqlite(file));
  return driver == nullptr ? Status() : check_schema(*driver);
}

Result<std::optional<Store>> Store::look(const base::Path& file, RealmName realm) {
  PKI_TRY(auto driver, look_at_sqlite(file));
  if (driver == nullptr) return std::optional<Store>();
  PKI_TRY(const bool is_whole, is_up_to_date(*driver));
  if (!is_whole) return std::optional<Store>();
  return std::optional(Store(std::move(driver), std::move(realm)));
}

Result<Store> Store::over(DriverPtr driver, RealmName realm) {
  PKI_TRY_VOID(bring_up_to_date(*driver));
  return Store(std::move(driver), std::move(realm));
}

Status Store::settle() { return driver_->settle(); }

Result<Outcome> Store::run(std::string_view name, Binds binds) { return run_all(name, {binds.begin(), binds.size()}); }

Result<Outcome> Store::run_all(std::string_view name, std::span<const Bind> binds) {
  const auto& found = statement(name);
  return driver_->run(found, in_order(found, binds, realm_));
}

}  // namespace chancery::store
