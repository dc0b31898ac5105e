#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "server/base/result.h"
#include "server/wire/json.h"

namespace chancery::client {
class Client;
}

namespace chancery::http {

/// The way to the daemon: sessions on its socket, opened as this front end, one realm each. All that this program may do is
/// what the daemon gives these sessions. Any thread may call; a session serves one call at a time.
class Gateway {
 public:
  Gateway(std::string socket, std::string front_end);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// One command in one realm. A session whose worker ended meanwhile is replaced and the call made once more.
  ///
  /// @param acting_for  whom this is for: "acme:<account>", "http:<address>"; both names go to the audit line.
  /// @errors what the command answers; NotFound: no such realm; Unavailable, Timeout, Busy: the daemon.
  Result<Json> call(const std::string& realm, std::string_view method, Json params, const std::string& acting_for);

 private:
  struct Idle;
  Result<std::unique_ptr<client::Client>> open(const std::string& realm);
  std::unique_ptr<client::Client> take(const std::string& realm);
  void give_back(const std::string& realm, std::unique_ptr<client::Client> session);

  std::string socket_;
  std::string front_end_;
  std::mutex mutex_;
  std::map<std::string, std::deque<Idle>> idle_;  ///< newest at the back
};

}  // namespace chancery::http
