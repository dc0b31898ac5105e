#include "server/base/log.h"
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

void Issuer::on_change(std::function<void()> changed) {
  changed_ = std::move(changed);
  key_->on_change(changed_);
  for (const auto& [label, held] : *state().generations) {
    if (held.key != nullptr) held.key->on_change(changed_);
  }
}

/// The secret proves itself by the key that the realm cannot do without; what is wrong with another one keeps that alone closed.
Status Issuer::unlock(const SecretBytes& secret) {
  const auto main = main_key();
  PKI_TRY_VOID(main->unlock(secret));
  const auto present = state();
  for (const auto& [label, held] : *present.generations) {
    if (held.key == nullptr || held.key == main || held.key->obstacle().empty()) continue;
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
  key_->lock();
  const auto present = state();
  for (const auto& [label, held] : *present.generations) {
    if (held.key != nullptr) held.key->lock();
  }
}

std::optional<SecretBytes> Issuer::secret() const {
  const std::lock_guard lock(secret_mutex_);
  if (secret_.empty()) return std::nullopt;
  return SecretBytes(base::as_text(secret_.view()));
}

}  // namespace chancery::signer
