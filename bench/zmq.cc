#include <cstdint>
#include <memory>
#include <stdexcept>
#include <zmq.hpp>

#include "bench/load.h"
#include "server/wire/json.h"

namespace bench {
namespace {

using chancery::Json;

/// One client as uPKI's are: a REQ socket. Made after the fork, since a context does not survive one.
class Peer {
 public:
  explicit Peer(const std::string& endpoint) : context_(1), socket_(context_, zmq::socket_type::req) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 60'000);
    socket_.connect(endpoint);
  }

  void ask(const std::string& request) {
    if (const auto reply = exchange(request); reply.find("\"ANSWER\"") == std::string::npos)
      throw std::runtime_error("no answer: " + reply);
  }
  /// The same of a server that may say that it is too busy.
  void try_to_ask(const std::string& request) {
    const auto reply = exchange(request);
    if (reply.find("\"ANSWER\"") == std::string::npos && reply.find("try again shortly") == std::string::npos)
      throw std::runtime_error("no answer: " + reply);
  }

 private:
  std::string exchange(const std::string& request) {
    socket_.send(zmq::buffer(request), zmq::send_flags::none);
    zmq::message_t reply;
    if (!socket_.recv(reply)) throw std::runtime_error("no answer within a minute");
    return reply.to_string();
  }

  zmq::context_t context_;
  zmq::socket_t socket_;
};

std::string request(const char* task, Json params) {
  return chancery::wire::to_text(Json::object({{"TASK", task}, {"params", std::move(params)}}));
}

}  // namespace

Worker zmq_signs(const std::string& endpoint, const std::string& csr_file) {
  const auto sign = request("sign", Json::object({{"csr", content_of(csr_file)}, {"profile", "server"}}));
  return [=] {
    auto peer = std::make_shared<Peer>(endpoint);
    peer->ask(request("get_ca", Json::object()));
    return [=] { peer->ask(sign); };
  };
}

/// Pairs of RSA-4096, which the profile has. Each name is another one. It goes on when one was not made in time, so that there is
/// always one in the making.
Worker zmq_generates(const std::string& endpoint) {
  return [=] {
    auto peer = std::make_shared<Peer>(endpoint);
    auto count = std::make_shared<std::uint64_t>(0);
    return [=] {
      const auto cn = "key-" + std::to_string(++*count) + ".example.com";
      peer->try_to_ask(request("generate", Json::object({{"cn", cn}, {"profile", "server"}})));
    };
  };
}

}  // namespace bench
