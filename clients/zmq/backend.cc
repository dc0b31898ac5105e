#include "clients/zmq/backend.h"

namespace chancery::zmq_gateway {
namespace {

constexpr std::string_view kSessionEnds = "connect again";  ///< the daemon's hint with the last answer of a session
constexpr std::chrono::milliseconds kAnswerLimit{4000};     ///< uPKI's RA gives up after 5 s, for good (UPKI.md 1.1)

constexpr std::chrono::milliseconds kLastCommand{3000};  ///< of an answer that takes many: the last one ends in time, too

}  // namespace

void SocketBackend::set_peer(std::string address) {
  peer_ = std::move(address);
  asked_at_ = std::chrono::steady_clock::now();
}

bool SocketBackend::is_in_time() { return std::chrono::steady_clock::now() - asked_at_ < kLastCommand; }

Status SocketBackend::connect() {
  PKI_TRY(auto connected, client::Client::connect(client::Options{.socket = socket_, .request_timeout = kAnswerLimit}));
  auto fresh = std::make_unique<client::Client>(std::move(connected));
  PKI_TRY([[maybe_unused]] const auto opened, fresh->open(realm_, front_end_));
  client_ = std::move(fresh);
  return {};
}

/// A worker that ends an idle session says so before it reads another request, so that one is safe to send again; after any other
/// end nobody knows whether it was carried out, and it is not repeated.
Result<Json> SocketBackend::call(std::string_view method, Json params) {
  for (int attempt = 0;; ++attempt) {
    if (client_ == nullptr || !client_->connected()) PKI_TRY_VOID(connect());
    auto result = client_->call(method, params, "zmq:" + realm_);
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

}  // namespace chancery::zmq_gateway
