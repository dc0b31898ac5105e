#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/fd.h"
#include "server/wire/message.h"

/// The C++ client of chanceryd's socket (DESIGN 4): Client speaks it, calls.h has a function for each command, Rows walks over
/// lists that come in pages.
///
/// Nothing here throws because of the world: what may fail is a Result<T>, whose Error has a code() for programs, a message() of
/// one line for people and a hint() with advice, which may be empty; doc/errors.md lists the codes. Times on the wire are RFC
/// 3339 UTC texts, certificates and requests PEM, serial numbers lower-case hexadecimal.
namespace chancery::client {

/// How a Client connects and how long it waits.
struct Options {
  /// Path of the socket, at most 107 octets; empty: default_socket().
  std::string socket{};
  /// The longest that a call waits for the server to take the request, and then for the whole answer; from 1 ms. A connection
  /// whose call timed out is closed.
  std::chrono::milliseconds request_timeout{60000};
  /// For how long a call tries to connect anew when the server went away, restarted perhaps; 0: not at all. See Client.
  std::chrono::milliseconds reconnect_for{0};
};

/// One connection, one session. Calls block; one thread at a time.
///
/// Errors of the server come back with their code, message and hint, and the connection goes on. After an error of the connection
/// itself (Closed, Timeout, TooLarge, Malformed) connected() is false: nobody knows whether the request was carried out.
///
/// Without Options::reconnect_for every further call is then refused, as Closed. With it, a call
/// - connects first, if the connection has ended, and opens a session as the one before: nothing was sent, so any command may do
/// that;
/// - sends its request once more over a new connection if the old one ended before the server read it (says_connect_again()), or
///   without an answer, and then only if is_repeatable() says so:
///   commands that read, and certificate.issue and certificate.renew with an idempotency_key. Others give the error; whether they
///   were carried out is to be looked up. A request that timed out is never sent again.
///
/// Not connected anew: a socket that was adopted, and a session after session.login or session.close, since the new one would
/// be another.
class Client {
 public:
  /// Connects, without a session.
  ///
  /// @errors Unavailable: nobody listens; Io: the path is too long, or the operating system refuses it.
  static Result<Client> connect(const Options& options = {});
  /// As above. @param socket  its path; empty: default_socket().
  static Result<Client> connect(const std::string& socket) { return connect(Options{.socket = socket}); }
  /// connect() and open(). One that the server ended before it read session.open, as while configurations are loaded one after
  /// the other, is followed by another, up to kMostSessions.
  ///
  /// @errors those of both.
  static Result<Client> connect_to_realm(const Options& options, std::string_view realm, std::string_view front_end = {});
  /// Talks over a socket that is connected already, and never connects anew.
  static Client adopt(base::UniqueFd socket, Options options = {});

  /// One command. calls.h has this with typed parameters.
  ///
  /// @param method  its name, "certificate.issue" (doc/commands.md).
  /// @param params  an object; the whole request is at most wire::kMaxLineBytes.
  /// @param acting_for  whom a front end acts for, else empty; at most 128 octets.
  /// @return what the command gives, an object.
  /// @errors those of the server (doc/errors.md); Closed; Timeout; TooLarge: an answer above wire::kMaxReplyBytes; Malformed:
  /// an answer that is none, or cut off; Unavailable: no server within Options::reconnect_for; Io.
  Result<Json> call(std::string_view method, const Json& params = Json::object(), std::string_view acting_for = {});

  /// session.open: binds the connection to one realm, for life. Once for each connection.
  ///
  /// @param realm  empty: the server's default.
  /// @param front_end  name of the configured front end to act as; empty: as oneself.
  /// @return realm, identity, roles and the challenge for session.login.
  /// @errors those of call(); NotFound: no such realm; Denied.
  Result<Json> open(std::string_view realm = {}, std::string_view front_end = {});

  /// Who one is, for session.login by a login stack of the realm (doc/people.md). What the stack does not ask for stays empty.
  struct Login {
    std::string_view stack;       ///< name of the stack
    std::string_view user{};      ///< name of the person
    std::string_view password{};  ///< that person's
    std::string_view token{};     ///< a personal token, instead of both
  };
  /// session.login. The connection is not made anew from here on, since nobody keeps the secret.
  ///
  /// @return as open(), with the new identity and its roles.
  /// @errors those of call(); AuthFailed: one for every reason; Busy: too many failures, the hint says how long to wait; Denied:
  /// no role in this realm.
  Result<Json> login(const Login& who);

  /// Leaves the connection, connects again and opens a session as the one before, if there was one. Tries once, and again until
  /// Options::reconnect_for is over as long as nobody listens or the server is busy or not ready.
  ///
  /// @errors Closed: this client is not connected anew (see above); those of connect() and open().
  Status reconnect();

  /// Whether the connection stood at the end of the last call. That the server has gone since then shows at the next.
  bool connected() const { return static_cast<bool>(socket_); }
  /// Options::request_timeout of the calls from now on.
  void set_request_timeout(std::chrono::milliseconds timeout) { options_.request_timeout = timeout; }
  /// For a front end: whose request the calls from now on carry out, and how long the answer is of use to that one. The server is
  /// told the time and begins nothing later that cannot be undone; when the other end of `asker` hangs up, a call that waits
  /// hangs up, too, as Closed, and the server sees that nobody waits.
  /// @param asker  a descriptor that stays the caller's own; -1: nobody's. @param within  1 ms to an hour.
  void answer_for(int asker, std::chrono::milliseconds within) {
    asker_ = asker;
    within_ = within;
  }
  /// The socket's descriptor, which stays the client's own; -1 after the connection's end.
  int fd() const { return socket_.get(); }

 private:
  Client(base::UniqueFd socket, Options options);
  Status wait_for_answer();
  Error hang_up(const Error& why);
  bool renews() const { return may_reconnect_ && options_.reconnect_for.count() > 0; }
  bool is_usable() const;
  Status reconnect_once();
  Result<Json> exchange(std::string_view method, const Json& params, std::string_view acting_for);
  void note_session(std::string_view method, const Json& params);

  base::UniqueFd socket_;
  Options options_;
  std::unique_ptr<wire::LineReader> reader_;
  std::int64_t last_id_ = 0;
  std::optional<Json> session_;  ///< params of session.open
  bool may_reconnect_ = true;
  int asker_ = -1;
  std::optional<std::chrono::milliseconds> within_;
};

/// The path in the environment variable CHANCERY_SOCKET, if that is there and not empty, else /run/chancery/chanceryd.sock.
std::string default_socket();

}  // namespace chancery::client
