#include "clients/acme/account_keys.h"

#include <utility>

namespace chancery::acme {
namespace {

constexpr std::size_t kMost = 10000;  ///< some 20 MB

/// Neither part of it can hold a space.
std::string name_of(const std::string& realm, const std::string& account) { return realm + " " + account; }

}  // namespace

std::shared_ptr<const Jwk> AccountKeys::find(const std::string& realm, const std::string& account) {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(name_of(realm, account));
  return found == keys_.end() ? nullptr : found->second;
}

/// Where there is no room any one goes: those in use are back with their next request.
void AccountKeys::keep(const std::string& realm, const std::string& account, std::shared_ptr<const Jwk> key) {
  const std::lock_guard lock(mutex_);
  if (keys_.size() >= kMost) keys_.erase(keys_.begin());
  keys_.insert_or_assign(name_of(realm, account), std::move(key));
}

void AccountKeys::forget(const std::string& realm, const std::string& account) {
  const std::lock_guard lock(mutex_);
  keys_.erase(name_of(realm, account));
}

}  // namespace chancery::acme
