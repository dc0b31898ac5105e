#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/names.h"
#include "server/wire/json.h"

namespace chancery::worker {

/// The params of a request that check_params has passed: types are right, so reading them cannot fail. An optional one that is
/// null counts as absent.
class Params {
 public:
  explicit Params(const Json& params) : params_(params) {}

  bool has(std::string_view name) const {
    const auto* value = params_.find(name);
    return value != nullptr && !value->is_null();
  }
  std::string text(std::string_view name, std::string_view fallback = {}) const { return params_.text(name, fallback); }
  std::optional<std::string> optional_text(std::string_view name) const {
    return has(name) ? std::optional(params_.text(name)) : std::nullopt;
  }
  std::int64_t integer(std::string_view name, std::int64_t fallback = 0) const { return params_.integer(name, fallback); }
  bool boolean(std::string_view name, bool fallback = false) const { return params_.boolean(name, fallback); }
  std::vector<std::string> texts(std::string_view name) const { return params_.texts(name); }
  const Json& whole() const { return params_; }
  const Json* json(std::string_view name) const { return has(name) ? params_.find(name) : nullptr; }
  std::optional<Seconds> time(std::string_view name) const {
    if (!has(name)) return std::nullopt;
    return base::from_rfc3339(params_.text(name)).value();
  }
  /// @errors Malformed: zero, or more than 20 octets.
  Result<Serial> serial(std::string_view name = "serial") const { return Serial::from_hex(params_.text(name)); }

 private:
  const Json& params_;
};

}  // namespace chancery::worker
