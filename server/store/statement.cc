#include "server/store/statement.h"

#include <algorithm>

#include "server/base/result.h"

namespace chancery::store {

const Statement& statement(std::string_view name) {
  const auto all = statements();
  const auto found = std::ranges::lower_bound(all, name, {}, &Statement::name);
  PKI_CHECK(found != all.end() && found->name == name);
  return *found;
}

std::string in_sqlite(std::string_view text) {
  constexpr std::string_view kClustered = "/* clustered */";
  std::string own(text);
  if (const auto at = own.find(kClustered); at != std::string::npos) own.replace(at, kClustered.size(), "WITHOUT ROWID");
  return own;
}

}  // namespace chancery::store
