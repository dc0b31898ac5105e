#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "clients/http/settings.h"
#include "server/base/result.h"
#include "server/wire/json.h"

/// The two ports of a CA on another machine (UPKI.md 1), as a client of them. The one door to libzmq in this program.
namespace chancery::ra {

struct Keys;

/// One connection. A question at a time; one thread at a time.
class Link {
 public:
  ~Link();
  Link(Link&&) noexcept;
  Link& operator=(Link&&) = delete;

  /// Asks one task. @param params  an object. @param limit  for the answer.
  /// @return its DATA.
  /// @errors Unavailable: nobody took it, so that it was not done; Timeout: no answer in time; Denied: an UPKI ERROR, with its
  /// text; Malformed: no answer of uPKI's; Closed: not usable; TooLarge: not sent, above what the ports take.
  Result<Json> ask(std::string_view task, const Json& params, std::chrono::milliseconds limit);
  /// Not after a question that had no answer: a late one would be taken for the next one's.
  bool is_usable() const;

 private:
  friend class CaHost;
  struct Socket;
  explicit Link(std::unique_ptr<Socket> socket);
  std::unique_ptr<Socket> socket_;
};

/// Where the CA is, and the keys to it. Any thread may make links; they may outlive this.
class CaHost {
 public:
  /// @errors BadConfig: a key that is none, or no server key though the host is not this machine: an answer may have a private
  /// key in it, and without CURVE it can be read on its way; those of read_secret_file.
  static Result<CaHost> find(const http::RemoteCa& ca);

  /// Does not wait for the connection. @errors BadConfig: no address.
  Result<Link> operations() const { return link(ca_.port); }
  Result<Link> registration() const { return link(ca_.port + 1); }
  const http::RemoteCa& settings() const { return ca_; }

 private:
  CaHost(http::RemoteCa ca, std::shared_ptr<Keys> keys) : ca_(std::move(ca)), keys_(std::move(keys)) {}
  Result<Link> link(int port) const;

  http::RemoteCa ca_;
  std::shared_ptr<Keys> keys_;
};

}  // namespace chancery::ra
