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

}  // namespace chancery::store
