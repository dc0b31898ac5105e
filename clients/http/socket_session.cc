#include <poll.h>

#include <chrono>
#include <utility>

#include "clients/http/session.h"
#include "clients/lib/client.h"

namespace chancery::http {
namespace {

constexpr std::chrono::milliseconds kAnswerLimit{30'000};  ///< a daemon that hangs must not keep the handlers for ever

class SocketSession : public Session {
 public:
  explicit SocketSession(client::Client client) : client_(std::move(client)) {}
  Result<Json> call(std::string_view method, const Json& params, const std::string& acting_for) override {
    return client_.call(method, params, acting_for);
  }
  bool connected() const override { return client_.connected(); }
  /// Without a request in hand it has nothing to say: what can be read is its end.
  bool is_over() const override {
    pollfd waiting{client_.fd(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) != 0;
  }

 private:
  client::Client client_;
};

class SocketConnector : public Connector {
 public:
  SocketConnector(std::string socket, std::string front_end) : socket_(std::move(socket)), front_end_(std::move(front_end)) {}
  Result<std::unique_ptr<Session>> open(const std::string& realm) override {
    PKI_TRY(auto client,
            client::Client::connect_to_realm({.socket = socket_, .request_timeout = kAnswerLimit}, realm, front_end_));
    return std::unique_ptr<Session>(std::make_unique<SocketSession>(std::move(client)));
  }

 private:
  std::string socket_;
  std::string front_end_;
};

}  // namespace

std::unique_ptr<Connector> connect_by_socket(std::string socket, std::string front_end) {
  return std::make_unique<SocketConnector>(std::move(socket), std::move(front_end));
}

}  // namespace chancery::http
