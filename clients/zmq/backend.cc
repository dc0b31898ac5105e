#include "clients/zmq/backend.h"

#include <algorithm>

#include "clients/lib/repeat.h"
#include "server/base/address.h"

namespace chancery::zmq_gateway {

Json evidence_for(const Endpoint& endpoint, const std::string& peer) {
  if (peer.starts_with(kCurvePeer))
    return Json::object({{"evidence", "curve_key"}, {"curve_key", peer.substr(kCurvePeer.size())}});
  if (endpoint.attests_loopback && base::is_loopback(peer))
    return Json::object({{"evidence", "loopback"}, {"endpoint", endpoint.text()}});
  return Json::object({{"evidence", "anybody"}});
}

void SocketBackend::set_asker(Asker asker) {
  asker_ = std::move(asker);
  evidence_ = evidence_for(endpoint_, peer());
}

std::chrono::milliseconds SocketBackend::time_left(std::chrono::milliseconds limit) const {
  const auto left = asker_.ticket.arrived + limit - std::chrono::steady_clock::now();
  return std::max(std::chrono::floor<std::chrono::milliseconds>(left), std::chrono::milliseconds{0});
}

bool SocketBackend::is_in_time() { return time_left(kLastCommand).count() > 0; }

Status SocketBackend::connect() {
  const client::Options options{.socket = socket_, .request_timeout = time_left(kAnswerLimit)};
  PKI_TRY(auto connected, client::Client::connect_to_realm(options, endpoint_.realm, front_end_));
  client_ = std::make_unique<client::Client>(std::move(connected));
  attested_ = Json();
  return {};
}

/// What is left of the request's time is the next command's; the daemon begins nothing in the last second of it that cannot be
/// undone. @errors Busy: nothing is left; Closed: the peer has gone.
Status SocketBackend::take_time() {
  const auto left = time_left(kAnswerLimit);
  if (left.count() == 0) return Error(Code::Busy, "the server is too busy to answer in time: try again shortly");
  if (is_gone(asker_.ticket.asker)) return Error(Code::Closed, "the peer has gone");
  client_->set_request_timeout(left);
  client_->answer_for(asker_.ticket.asker, std::max(time_left(kLastCommand), std::chrono::milliseconds{1}));
  return {};
}

/// The session keeps whom it was for last, so most requests need no session.attest before.
Result<Json> SocketBackend::attest() {
  PKI_TRY_VOID(take_time());
  if (attested_ == evidence_) return identity_;
  attested_ = Json();
  PKI_TRY(identity_, client_->call("session.attest", evidence_));
  attested_ = evidence_;
  return identity_;
}

/// A certificate that holds no longer leaves the session for nobody.
Result<Json> SocketBackend::ask(std::string_view method, const Json& params, const std::string& acting_for) {
  PKI_TRY([[maybe_unused]] const auto whom, attest());
  PKI_TRY_VOID(take_time());
  auto answer = client_->call(method, params, acting_for);
  if (!answer.ok() && answer.error().code() == Code::AuthFailed) attested_ = Json();
  return answer;
}

/// A session that ended before it read the request has done nothing, so that one is safe to send again; after any other end
/// nobody knows whether it was carried out, and it is not repeated.
Result<Json> SocketBackend::repeat(const std::function<Result<Json>()>& ask) {
  for (int attempt = 1;; ++attempt) {
    if (client_ == nullptr || !client_->connected()) PKI_TRY_VOID(connect());
    auto result = ask();
    if (result.ok() || !client::says_connect_again(result.error())) return result;
    if (client_->connected()) {
      client_.reset();
      return result;
    }
    if (attempt == client::kMostSessions) return result;
  }
}

Result<Json> SocketBackend::call_for(std::string_view method, Json params, const std::string& acting_for) {
  return repeat([&] { return ask(method, params, acting_for); });
}

Result<Json> SocketBackend::speak_for(const std::string& holder) {
  evidence_ = evidence_for(endpoint_, peer()).set("as_front_end", true);
  if (!holder.empty()) {
    evidence_.set("holder", holder);
    attested_ = Json();
  }
  return repeat([this] { return attest(); });
}

}  // namespace chancery::zmq_gateway
