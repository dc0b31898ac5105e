#include "clients/zmq/backend.h"

namespace chancery::zmq_gateway {
namespace {

constexpr std::string_view kSessionEnds = "connect again";  ///< the daemon's hint with the last answer of a session
constexpr std::chrono::milliseconds kAnswerLimit{4000};     ///< uPKI's RA gives up after 5 s, for good (UPKI.md 1.1)

constexpr std::chrono::milliseconds kLastCommand{3000};  ///< of an answer that takes many: the last one ends in time, too

}  // namespace

Json evidence_for(const Endpoint& endpoint, const std::string& peer) {
  if (peer.starts_with(kCurvePeer))
    return Json::object({{"evidence", "curve_key"}, {"curve_key", peer.substr(kCurvePeer.size())}});
  if (endpoint.attests_loopback && is_loopback(peer))
    return Json::object({{"evidence", "loopback"}, {"endpoint", endpoint.text()}});
  return Json::object({{"evidence", "anybody"}});
}

void SocketBackend::set_peer(std::string peer) {
  peer_ = std::move(peer);
  evidence_ = evidence_for(endpoint_, peer_);
  asked_at_ = std::chrono::steady_clock::now();
}

bool SocketBackend::is_in_time() { return std::chrono::steady_clock::now() - asked_at_ < kLastCommand; }

Status SocketBackend::connect() {
  PKI_TRY(auto connected, client::Client::connect(client::Options{.socket = socket_, .request_timeout = kAnswerLimit}));
  auto fresh = std::make_unique<client::Client>(std::move(connected));
  PKI_TRY([[maybe_unused]] const auto opened, fresh->open(endpoint_.realm, front_end_));
  client_ = std::move(fresh);
  attested_ = Json();
  return {};
}

/// The session keeps whom it was for last, so most requests need no session.attest before.
Result<Json> SocketBackend::attest() {
  if (attested_ == evidence_) return identity_;
  attested_ = Json();
  PKI_TRY(identity_, client_->call("session.attest", evidence_));
  attested_ = evidence_;
  return identity_;
}

/// A certificate that holds no longer leaves the session for nobody.
Result<Json> SocketBackend::ask(std::string_view method, const Json& params, const std::string& acting_for) {
  PKI_TRY([[maybe_unused]] const auto whom, attest());
  auto answer = client_->call(method, params, acting_for);
  if (!answer.ok() && answer.error().code() == Code::AuthFailed) attested_ = Json();
  return answer;
}

/// A worker that ends an idle session says so before it reads another request, so that one is safe to send again; after any other
/// end nobody knows whether it was carried out, and it is not repeated.
Result<Json> SocketBackend::repeat(const std::function<Result<Json>()>& ask) {
  for (int attempt = 0;; ++attempt) {
    if (client_ == nullptr || !client_->connected()) PKI_TRY_VOID(connect());
    auto result = ask();
    if (result.ok()) return result;
    const bool ends = result.error().hint() == kSessionEnds;
    if (client_->connected()) {
      if (ends) client_.reset();
      return result;
    }
    const bool stale = ends && result.error().code() == Code::Timeout;
    if (!stale || attempt > 0) return result;
  }
}

Result<Json> SocketBackend::call_for(std::string_view method, Json params, const std::string& acting_for) {
  return repeat([&] { return ask(method, params, acting_for); });
}

Result<Json> SocketBackend::speak_for(const std::string& holder) {
  evidence_ = evidence_for(endpoint_, peer_).set("as_front_end", true);
  if (!holder.empty()) {
    evidence_.set("holder", holder);
    attested_ = Json();
  }
  return repeat([this] { return attest(); });
}

}  // namespace chancery::zmq_gateway
