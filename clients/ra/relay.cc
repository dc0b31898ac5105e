#include "clients/ra/relay.h"

#include <utility>

#include "clients/ra/command.h"
#include "server/base/log.h"
#include "server/base/text.h"

namespace chancery::ra {
namespace {

constexpr std::string_view kAttest = "session.attest";

/// What is wrong between this RA and its CA is the operator's to know; who asks the RA learns no address from it.
Error for_strangers(const Error& error) {
  const bool is_lost = error.code() != Code::Denied && error.code() != Code::TooLarge;
  if (!is_lost) return error;
  base::log_warning(base::to_line(error));
  const auto code = error.code() == Code::Malformed ? Code::Unavailable : error.code();
  return {code, "the CA cannot be reached", "try again later"};
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
    auto reply = ask_daemon(link_, message);
    if (!reply.ok()) return for_strangers(reply.error());
    if (reply->error) return *std::move(reply->error);
    return *std::move(reply->result);
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
