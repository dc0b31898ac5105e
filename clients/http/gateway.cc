#include "clients/http/gateway.h"

#include <utility>

#include "clients/lib/repeat.h"

namespace chancery::http {
namespace {

constexpr std::chrono::seconds kMaxIdle{60};  ///< the daemon ends idle sessions after its own, longer limit
/// As many as handlers and validators have at once, so that none is opened anew at each peak.
constexpr std::size_t kMaxIdlePerRealm = 32;

/// Whether a command that was cut off may be sent once more. After a time-out of ours it may still be running.
bool may_repeat(std::string_view method, const Json& params, const Error& why) {
  return why.code() != Code::Timeout && client::is_repeatable(method, params);
}

}  // namespace

struct Gateway::Idle {
  std::unique_ptr<Session> session;
  std::chrono::steady_clock::time_point since;
};

Gateway::Gateway(std::unique_ptr<Connector> connector) : connector_(std::move(connector)) {}
Gateway::~Gateway() = default;

/// The session used last, so that those of a busy hour end by themselves; null when none is left.
std::unique_ptr<Session> Gateway::take(Sessions& from, const std::string& realm) {
  const auto oldest = std::chrono::steady_clock::now() - kMaxIdle;
  const std::lock_guard lock(mutex_);
  auto& sessions = from[realm];
  while (!sessions.empty() && sessions.front().since < oldest) sessions.pop_front();
  while (!sessions.empty()) {
    auto session = std::move(sessions.back().session);
    sessions.pop_back();
    if (!session->is_over()) return session;
  }
  return nullptr;
}

void Gateway::give_back(Sessions& to, const std::string& realm, std::unique_ptr<Session> session) {
  if (!session->connected()) return;
  const std::lock_guard lock(mutex_);
  auto& sessions = to[realm];
  if (sessions.size() < kMaxIdlePerRealm) sessions.push_back({std::move(session), std::chrono::steady_clock::now()});
}

/// A worker that ended before it read the request is replaced until one reads it; one that ended without an answer, once, and
/// only for what may be done twice.
Result<Json> Gateway::call(const std::string& realm, std::string_view method, const Json& params, const std::string& acting_for) {
  auto session = take(idle_, realm);
  bool is_fresh = session == nullptr;
  for (int attempt = 1;; ++attempt) {
    if (session == nullptr) {
      PKI_TRY(session, connector_->open(realm));
    }
    auto answer = session->call(method, params, acting_for);
    const bool ended = !answer.ok() && !session->connected();
    const bool unread = ended && client::says_connect_again(answer.error());
    const bool again =
        unread ? attempt < client::kMostSessions : ended && !is_fresh && may_repeat(method, params, answer.error());
    if (!again) {
      give_back(idle_, realm, std::move(session));
      return answer;
    }
    session.reset();
    is_fresh = true;
  }
}

Result<Json> Gateway::call_once(const std::string& realm, std::string_view method, const std::string& acting_for) {
  PKI_TRY(auto session, connector_->open(realm));
  return session->call(method, Json::object(), acting_for);
}

Result<Gateway::Attested> Gateway::attest(const std::string& realm, const std::string& certificate_pem) {
  auto evidence = Json::object({{"evidence", "certificate"}, {"certificate", certificate_pem}});
  auto session = take(idle_attested_, realm);
  for (int attempt = 1;; ++attempt) {
    const bool is_fresh = session == nullptr;
    if (is_fresh) {
      PKI_TRY(session, connector_->open(realm));
    }
    auto identity = session->call("session.attest", evidence, {});
    if (identity.ok()) return Attested(*this, realm, std::move(session), std::move(evidence), std::move(*identity));
    const bool ended = !session->connected();
    // It changes nothing but the session, which is gone.
    const bool again = ended && (!is_fresh || client::says_connect_again(identity.error())) && attempt < client::kMostSessions;
    if (!again) {
      give_back(idle_attested_, realm, std::move(session));
      return identity.error();
    }
    session.reset();
  }
}

Gateway::Attested::Attested(Gateway& gateway, std::string realm, std::unique_ptr<Session> session, Json evidence, Json identity)
    : gateway_(&gateway),
      realm_(std::move(realm)),
      session_(std::move(session)),
      evidence_(std::move(evidence)),
      identity_(std::move(identity)) {}

Gateway::Attested::Attested(Attested&&) noexcept = default;

Gateway::Attested::~Attested() {
  if (session_ != nullptr) gateway_->give_back(gateway_->idle_attested_, realm_, std::move(session_));
}

Result<Json> Gateway::Attested::call(std::string_view method, const Json& params) {
  for (int attempt = 1;; ++attempt) {
    auto answer = session_->call(method, params, {});
    const bool unread = !answer.ok() && !session_->connected() && client::says_connect_again(answer.error());
    if (!unread || attempt == client::kMostSessions) return answer;
    PKI_TRY(auto another, gateway_->attest(realm_, evidence_.text("certificate")));
    session_ = std::move(another.session_);
    identity_ = another.identity_;
  }
}

}  // namespace chancery::http
