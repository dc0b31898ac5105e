#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/wire/json.h"

namespace chancery::cli {

/// `chancery acme watch`: what becomes of a realm's ACME orders while one looks. It asks what any operator may ask (acme.orders,
/// acme.show), so that it costs the server nothing when nobody watches.
class OrderWatch {
 public:
  using Call = std::function<Result<Json>(std::string_view command, Json params)>;
  explicit OrderWatch(Call call) : call_(std::move(call)) {}

  /// @return what happened since the look before, by order and time: {at, order, account, what} each. The first look gives
  /// nothing: it learns what there is. @errors those of the commands.
  Result<std::vector<Json>> look();

 private:
  struct Seen {
    std::string status;
    std::size_t lines = 0;  ///< of its story
  };
  using Orders = std::map<std::string, Seen>;

  Result<std::vector<Json>> newest();
  bool is_settled(const Json& row) const;
  Status follow(const Json& row, Orders& now, std::vector<Json>& happened);

  Call call_;
  Orders seen_;
  bool has_looked_ = false;
};

}  // namespace chancery::cli
