#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/base/result.h"
#include "server/wire/json.h"

namespace chancery::http {

/// One session of this front end with the daemon, in one realm for life. One thread at a time.
class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  /// One command. @param acting_for  whom this is for, else empty. @errors what the command answers; Unavailable, Timeout,
  /// Closed: the daemon.
  virtual Result<Json> call(std::string_view method, const Json& params, const std::string& acting_for) = 0;
  /// Whether it stood at the end of the last call.
  virtual bool connected() const = 0;
  /// Whether the daemon has ended it since. @pre no call is under way
  virtual bool is_over() const = 0;
};

/// How sessions begin: on the daemon's socket, or over ZMQ on another machine's (clients/ra).
class Connector {
 public:
  Connector() = default;
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;
  virtual ~Connector() = default;

  /// Any thread. @errors NotFound: no such realm; Denied; Unavailable, Timeout, Busy: the daemon.
  virtual Result<std::unique_ptr<Session>> open(const std::string& realm) = 0;
};

/// @param socket  path of the daemon's. @param front_end  name under which sessions are opened.
std::unique_ptr<Connector> connect_by_socket(std::string socket, std::string front_end);

}  // namespace chancery::http
