#pragma once

#include <memory>

#include "clients/http/session.h"
#include "clients/ra/ca_host.h"

namespace chancery::ra {

/// Sessions with a daemon on another machine: each command is one message of the task `command` at its port of operations. What
/// this front end may do there is decided there, by the row of its CURVE key. A message that has no answer ends its session and
/// its connection; the next session has a new one, so that a CA host that comes back is served by at once. Why it had none is
/// logged: who asked learns that the CA cannot be reached, and no more.
class Relay : public http::Connector {
 public:
  explicit Relay(CaHost host) : host_(std::move(host)) {}
  /// Does not wait for the CA host: the first command does. @errors NotFound: not the one realm that is served there.
  Result<std::unique_ptr<http::Session>> open(const std::string& realm) override;

 private:
  CaHost host_;
};

}  // namespace chancery::ra
