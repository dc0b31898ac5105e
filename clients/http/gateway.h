#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "clients/http/session.h"
#include "server/base/result.h"
#include "server/wire/json.h"

namespace chancery::http {

/// The way to the daemon: sessions of this front end, one realm each. All that this program may do is what the daemon gives
/// these sessions. Any thread may call; a session serves one call at a time.
class Gateway {
 public:
  class Attested;

  explicit Gateway(std::unique_ptr<Connector> connector);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// One command in one realm. A session that ended before it read the request, as after a reload, is replaced as often as
  /// client::kMostSessions says; one that ended without an answer once, if client::is_repeatable() says so: of other commands
  /// nobody knows whether they were carried out, and the caller is told.
  ///
  /// @param acting_for  whom this is for: "acme:<account>", "http:<address>"; both names go to the audit line.
  /// @errors what the command answers; NotFound: no such realm; Unavailable, Timeout, Busy: the daemon.
  Result<Json> call(const std::string& realm, std::string_view method, const Json& params, const std::string& acting_for);

  /// A session that stands for the holder of a certificate. Who it is and what that one may do is the daemon's word
  /// (session.attest), which looks at the certificate again before each command.
  ///
  /// @param certificate_pem  whose possession the caller has seen proved.
  /// @errors AuthFailed: it is not this realm's, revoked, or not valid now; those of call().
  Result<Attested> attest(const std::string& realm, const std::string& certificate_pem);

  /// One command over a session that is not kept, for what is asked of many realms and seldom. @errors those of call().
  Result<Json> call_once(const std::string& realm, std::string_view method, const std::string& acting_for);

 private:
  struct Idle;
  using Sessions = std::map<std::string, std::deque<Idle>>;
  std::unique_ptr<Session> take(Sessions& from, const std::string& realm);
  void give_back(Sessions& to, const std::string& realm, std::unique_ptr<Session> session);

  std::unique_ptr<Connector> connector_;
  std::mutex mutex_;
  Sessions idle_;           ///< newest at the back
  Sessions idle_attested_;  ///< those that stood for somebody: attest() alone takes them, and has them stand for another first
};

/// One of Gateway's sessions, for one request: it goes back when this goes.
class Gateway::Attested {
 public:
  Attested(Gateway& gateway, std::string realm, std::unique_ptr<Session> session, Json evidence, Json identity);
  Attested(Attested&&) noexcept;
  Attested& operator=(Attested&&) = delete;
  ~Attested();

  /// What session.attest gave: identity, roles, serial, dn, cn, profile.
  const Json& identity() const { return identity_; }
  /// One command as that identity; never sent twice but to a session that ended before it read the first. @errors what the
  /// command answers; AuthFailed: in another session, that identity is no longer good; Unavailable, Timeout, Closed: the daemon.
  Result<Json> call(std::string_view method, const Json& params);

 private:
  Gateway* gateway_;
  std::string realm_;
  std::unique_ptr<Session> session_;
  Json evidence_;
  Json identity_;
};

}  // namespace chancery::http
