#include "server/signer/tokens.h"

#include <algorithm>

#include "server/base/log.h"

namespace chancery::signer {

Tokens::Tokens(const config::RealmConfig& realm) : realm_(realm) {
  for (const auto& token : config::tokens_of(realm)) sessions_.push_back(std::make_shared<TokenSession>(token));
}

std::shared_ptr<TokenSession> Tokens::find(const config::TokenConfig& token) const {
  const auto found =
      std::ranges::find_if(sessions_, [&](const auto& one) { return config::is_same_token(one->config(), token); });
  return found == sessions_.end() ? nullptr : *found;
}

/// Which one is never guessed: another token would have a key made, or found missing, that is not its own.
std::shared_ptr<TokenSession> Tokens::find(const TokenPlace& place) const {
  const auto fits = [&](const auto& one) { return place.is_in(one->config()); };
  return std::ranges::count_if(sessions_, fits) == 1 ? *std::ranges::find_if(sessions_, fits) : nullptr;
}

bool Tokens::is_wanted(const TokenSession& session) const {
  const auto makes_there = [&](const std::string& ca) {
    const auto next = config::next_key(realm_, ca);
    return next.in_token && config::is_same_token(next.token, session.config());
  };
  return session.has_keys() || makes_there(config::kFirstCa) ||
         std::ranges::any_of(realm_.cas, [&](const auto& one) { return !one.second.is_service() && makes_there(one.first); });
}

Status Tokens::connect() {
  for (const auto& session : sessions_) {
    if (!is_wanted(*session)) continue;
    PKI_TRY_VOID(session->start());
  }
  for (const auto& session : sessions_) {
    if (!session->is_started()) continue;
    const auto connected = session->connect();
    const bool is_first = realm_.keys.in_token() && config::is_same_token(realm_.keys.token, session->config());
    if (!connected.ok() && is_first) return connected;
  }
  return {};
}

void Tokens::watch() {
  for (const auto& session : sessions_) {
    if (session->is_started()) session->watch();
  }
}

void Tokens::stop_watching() {
  for (const auto& session : sessions_) session->stop_watching();
}

void Tokens::look_again() {
  for (const auto& session : sessions_) {
    if (session->is_started()) session->look_again();
  }
}

void Tokens::on_usable(const std::function<void()>& usable) {
  for (const auto& session : sessions_) session->on_usable(usable);
}

void Tokens::on_change(const std::function<void()>& changed) {
  for (const auto& session : sessions_) session->on_change(changed);
}

}  // namespace chancery::signer
