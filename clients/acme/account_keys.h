#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "clients/acme/jwk.h"

namespace chancery::acme {

/// The keys of accounts that were seen lately, so that the daemon is not asked for the account before each of its requests, and
/// a key is not taken apart and checked again. Whether it is the account's still is the daemon's word, with whatever the request
/// asks for (`signed_by`). Any thread.
class AccountKeys {
 public:
  /// Null: not known.
  std::shared_ptr<const Jwk> find(const std::string& realm, const std::string& account);
  void keep(const std::string& realm, const std::string& account, std::shared_ptr<const Jwk> key);
  void forget(const std::string& realm, const std::string& account);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Jwk>> keys_;
};

}  // namespace chancery::acme
