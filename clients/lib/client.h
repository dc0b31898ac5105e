#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/base/fd.h"
#include "server/wire/message.h"

/// The C++ client of chanceryd's socket (DESIGN 4).
namespace chancery::client {

struct Options {
  std::string socket;  ///< empty: $CHANCERY_SOCKET, else /run/chancery/chanceryd.sock
  std::chrono::milliseconds request_timeout{60000};
};

/// One connection, one session. Calls block; one thread at a time.
///
/// Errors of the server come back with their code, message and hint. After an error of the connection itself (Closed, Timeout,
/// Malformed) connected() is false and every further call is refused: nobody knows whether the request was carried out, so the
/// client never repeats one by itself. certificate.issue takes an idempotency_key for that.
class Client {
 public:
  /// @errors Unavailable: nobody listens; Io.
  static Result<Client> connect(const Options& options = {});
  static Result<Client> connect(const std::string& socket) { return connect(Options{.socket = socket}); }
  /// Talks over a socket that is connected already.
  static Client adopt(base::UniqueFd socket, Options options = {});

  /// One command. @param acting_for whom a front end acts for, else empty.
  Result<Json> call(std::string_view method, Json params = Json::object(), std::string_view acting_for = {});

  /// session.open. @param realm empty: the server's default. @param front_end empty: as oneself.
  Result<Json> open(std::string_view realm = {}, std::string_view front_end = {});

  bool connected() const { return static_cast<bool>(socket_); }
  void set_request_timeout(std::chrono::milliseconds timeout) { options_.request_timeout = timeout; }
  int fd() const { return socket_.get(); }

 private:
  Client(base::UniqueFd socket, Options options);
  Error hang_up(const Error& why);

  base::UniqueFd socket_;
  Options options_;
  std::unique_ptr<wire::LineReader> reader_;
  std::int64_t last_id_ = 0;
};

/// Calls a command that pages (certificate.search, node.list) until the last page, giving each row of the member `rows` to
/// `visit`; stops early when that returns false.
Status for_each_row(Client& client, std::string_view method, Json params, std::string_view rows,
                    const std::function<bool(const Json&)>& visit);

/// $CHANCERY_SOCKET, else /run/chancery/chanceryd.sock.
std::string default_socket();

}  // namespace chancery::client
