#include "clients/http/gateway.h"

#include <poll.h>

#include <utility>

#include "clients/lib/client.h"

namespace chancery::http {
namespace {

constexpr std::chrono::seconds kMaxIdle{60};  ///< the daemon ends idle sessions after its own, longer limit
constexpr std::size_t kMaxIdlePerRealm = 16;
constexpr std::chrono::milliseconds kAnswerLimit{30'000};  ///< a daemon that hangs must not keep the handlers for ever

/// A session without a request in hand has nothing to say: what can be read is its end.
bool is_over(const client::Client& session) {
  pollfd waiting{session.fd(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) != 0;
}

}  // namespace

struct Gateway::Idle {
  std::unique_ptr<client::Client> session;
  std::chrono::steady_clock::time_point since;
};

Gateway::Gateway(std::string socket, std::string front_end) : socket_(std::move(socket)), front_end_(std::move(front_end)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<client::Client>> Gateway::open(const std::string& realm) {
  PKI_TRY(auto session, client::Client::connect({.socket = socket_, .request_timeout = kAnswerLimit}));
  auto held = std::make_unique<client::Client>(std::move(session));
  PKI_TRY(const auto identity, held->open(realm, front_end_));
  return held;
}

/// The session used last, so that those of a busy hour end by themselves; null when none is left.
std::unique_ptr<client::Client> Gateway::take(Sessions& from, const std::string& realm) {
  const auto oldest = std::chrono::steady_clock::now() - kMaxIdle;
  const std::lock_guard lock(mutex_);
  auto& sessions = from[realm];
  while (!sessions.empty() && sessions.front().since < oldest) sessions.pop_front();
  while (!sessions.empty()) {
    auto session = std::move(sessions.back().session);
    sessions.pop_back();
    if (!is_over(*session)) return session;
  }
  return nullptr;
}

void Gateway::give_back(Sessions& to, const std::string& realm, std::unique_ptr<client::Client> session) {
  if (!session->connected()) return;
  const std::lock_guard lock(mutex_);
  auto& sessions = to[realm];
  if (sessions.size() < kMaxIdlePerRealm) sessions.push_back({std::move(session), std::chrono::steady_clock::now()});
}

Result<Json> Gateway::call(const std::string& realm, std::string_view method, Json params, const std::string& acting_for) {
  if (auto session = take(idle_, realm); session != nullptr) {
    auto answer = session->call(method, params, acting_for);
    // A worker that ended just now is replaced once; after a time-out the command may still be running.
    const bool ended = !session->connected() && answer.error().code() != Code::Timeout;
    if (!ended) {
      give_back(idle_, realm, std::move(session));
      return answer;
    }
  }
  PKI_TRY(auto session, open(realm));
  auto answer = session->call(method, std::move(params), acting_for);
  give_back(idle_, realm, std::move(session));
  return answer;
}

Result<Json> Gateway::call_once(const std::string& realm, std::string_view method, const std::string& acting_for) {
  PKI_TRY(auto session, open(realm));
  return session->call(method, Json::object(), acting_for);
}

Result<Gateway::Attested> Gateway::attest(const std::string& realm, const std::string& certificate_pem) {
  const auto evidence = Json::object({{"evidence", "certificate"}, {"certificate", certificate_pem}});
  if (auto session = take(idle_attested_, realm); session != nullptr) {
    auto identity = session->call("session.attest", evidence);
    if (identity.ok()) return Attested(*this, realm, std::move(session), std::move(*identity));
    if (session->connected()) {
      give_back(idle_attested_, realm, std::move(session));
      return identity.error();
    }
  }
  PKI_TRY(auto session, open(realm));
  auto identity = session->call("session.attest", evidence);
  if (identity.ok()) return Attested(*this, realm, std::move(session), std::move(*identity));
  give_back(idle_attested_, realm, std::move(session));
  return identity.error();
}

Gateway::Attested::Attested(Gateway& gateway, std::string realm, std::unique_ptr<client::Client> session, Json identity)
    : gateway_(&gateway), realm_(std::move(realm)), session_(std::move(session)), identity_(std::move(identity)) {}

Gateway::Attested::Attested(Attested&&) noexcept = default;

Gateway::Attested::~Attested() {
  if (session_ != nullptr) gateway_->give_back(gateway_->idle_attested_, realm_, std::move(session_));
}

Result<Json> Gateway::Attested::call(std::string_view method, Json params) { return session_->call(method, std::move(params)); }

}  // namespace chancery::http
