#include "clients/ra/relay.h"

#include <chrono>
#include <utility>

#include "server/base/text.h"
#include "server/wire/message.h"

namespace chancery::ra {
namespace {

constexpr std::chrono::milliseconds kAnswerLimit{10'000};  ///< the CA host answers within 4 s, or says that it cannot
constexpr std::string_view kTask = "command";
constexpr std::string_view kAttest = "session.attest";

/// What the daemon's socket would have answered.
Result<Json> unwrap(Json data) {
  if (!data.is_object())
    return Error(Code::Malformed, "DATA of a command is " + std::string(data.kind()) + ", expected an object");
  data.set("jsonrpc", "2.0").set("id", Json());
  PKI_TRY(auto reply, wire::decode_reply(wire::to_text(data)));
  if (reply.error) return *std::move(reply.error);
  return *std::move(reply.result);
}

class RelayedSession : public http::Session {
 public:
  RelayedSession(Link link, std::string realm) : link_(std::move(link)), realm_(std::move(realm)) {}

  Result<Json> call(std::string_view method, const Json& params, const std::string& acting_for) override {
    if (method == kAttest) holder_ = params.text("certificate");
    auto message = Json::object({{"method", method}});
    if (method != kAttest) message.set("params", params);
    if (!acting_for.empty()) message.set("for", acting_for);
    if (!holder_.empty()) message.set("certificate", holder_);
    if (!realm_.empty()) message.set("realm", realm_);
    PKI_TRY(auto data, link_.ask(kTask, message, kAnswerLimit));
    return unwrap(std::move(data));
  }
  bool connected() const override { return link_.is_usable(); }
  bool is_over() const override { return false; }  // libzmq connects anew by itself

 private:
  Link link_;
  std::string realm_;
  std::string holder_;  ///< PEM: whom the session stands for, as each message says; empty: for this front end
};

}  // namespace

Result<std::unique_ptr<http::Session>> Relay::open(const std::string& realm) {
  const auto& ca = host_.settings();
  if (realm != ca.label()) return Error(Code::NotFound, "no realm \"" + base::printable(realm, 64) + "\" at this RA");
  PKI_TRY(auto link, host_.operations());
  return std::unique_ptr<http::Session>(std::make_unique<RelayedSession>(std::move(link), ca.realm));
}

}  // namespace chancery::ra
