#include <algorithm>

#include "server/base/log.h"
#include "server/base/ready_words.h"
#include "server/signer/issuer.h"

/// One secret of people opens every key of an Issuer: those of all CAs and generations.
namespace chancery::signer {

std::shared_ptr<SigningKey> Issuer::main_key() const {
  const auto present = state();
  const auto first = present.generations->find(config::kFirstCa);
  const bool is_over = first != present.generations->end() && first->second.state == realm::GenerationState::Retired;
  if (!is_over) return key_;
  auto found = key_;  // which nobody is asked to open any more
  int number = 0;
  for (const auto& [text, held] : *present.generations) {
    const auto label = realm::parse_label(text).value();
    if (label.name != config::kFirstCa || held.key == nullptr || label.number < number || !realm::may_issue(held.state)) continue;
    found = held.key;
    number = label.number;
  }
  return found;
}

std::shared_ptr<SigningKey> Issuer::secret_key() const {
  auto main = main_key();
  if (main->is_opened_by_people()) return main;
  for (const auto& [label, held] : *state().generations) {
    if (held.key != nullptr && held.key->is_opened_by_people()) return held.key;
  }
  return main;
}

std::string Issuer::unready() const {
  auto why = obstacle();
  if (!why.empty()) return why;
  if (const auto peoples = secret_key(); peoples->is_opened_by_people()) why = peoples->obstacle();
  if (!why.empty()) return why;
  for (const auto& [label, held] : *state().generations) {
    const auto own = held.key == nullptr ? std::string() : held.key->obstacle();
    if (own.starts_with(base::kTokenWord))
      return std::string(base::kTokenWord) + "generation " + label + ": " + own.substr(base::kTokenWord.size());
  }
  return {};
}

void Issuer::on_change(std::function<void()> changed) {
  changed_ = std::move(changed);
  tokens_->on_change(changed_);
  key_->on_change(changed_);
  for (const auto& [label, held] : *state().generations) {
    if (held.key != nullptr) held.key->on_change(changed_);
  }
}

/// The secret proves itself by the key that the realm cannot do without; what is wrong with another one keeps that alone closed.
/// What a file or credential opens is not asked: a PIN that is none of a token's would use up its tries.
Status Issuer::unlock(const SecretBytes& secret) {
  const auto main = secret_key();
  PKI_TRY_VOID(main->unlock(secret));
  const auto present = state();
  for (const auto& [label, held] : *present.generations) {
    if (held.key == nullptr || held.key == main || !held.key->is_opened_by_people() || held.key->obstacle().empty()) continue;
    if (!held.key->obstacle().starts_with(base::kLockedWord)) continue;  // in the token that is open by now
    const auto opened = held.key->unlock(secret);
    if (!opened.ok()) base::log_error("the key of generation " + label + " stays locked: " + opened.error().message());
  }
  if (present.realm->keys.in_token()) return {};  // a PIN encrypts nothing
  const std::lock_guard lock(secret_mutex_);
  secret_ = SecretBytes(base::as_text(secret.view()));
  return {};
}

void Issuer::lock() {
  {
    const std::lock_guard lock(secret_mutex_);
    secret_ = SecretBytes();
  }
  if (key_->is_opened_by_people()) key_->lock();
  const auto present = state();
  for (const auto& [label, held] : *present.generations) {
    if (held.key != nullptr && held.key->is_opened_by_people()) held.key->lock();
  }
}

std::optional<SecretBytes> Issuer::secret() const {
  const std::lock_guard lock(secret_mutex_);
  if (secret_.empty()) return std::nullopt;
  return SecretBytes(base::as_text(secret_.view()));
}

}  // namespace chancery::signer
