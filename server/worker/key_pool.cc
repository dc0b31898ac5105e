#include "server/worker/key_pool.h"

#include <algorithm>

namespace chancery::worker {

KeyPool::KeyPool(std::vector<Kind> kinds, std::size_t size) : size_(size) {
  PKI_CHECK(size > 0);
  for (auto& kind : kinds) shelves_.push_back({std::move(kind), {}, {}});
}

std::optional<base::KeySpec> KeyPool::wanted() {
  const Shelf* emptiest = nullptr;
  for (std::size_t i = 0; i < shelves_.size(); ++i) {
    const auto& one = shelves_[(turn_ + i) % shelves_.size()];
    if (one.pairs.size() < size_ && (emptiest == nullptr || one.pairs.size() < emptiest->pairs.size())) emptiest = &one;
  }
  if (emptiest == nullptr) return std::nullopt;
  turn_ = static_cast<std::size_t>(emptiest - shelves_.data()) + 1;
  return emptiest->kind.spec;
}

void KeyPool::put(crypto::PrivateKey key) {
  auto* found = shelf(key.public_key().spec());
  PKI_CHECK(found != nullptr);
  if (found->pairs.size() < size_) found->pairs.push_back(std::move(key));
}

std::optional<crypto::PrivateKey> KeyPool::take(const base::KeySpec& spec, const RealmName& realm) {
  auto* found = shelf(spec);
  if (found == nullptr || found->pairs.empty()) return std::nullopt;
  const auto& realms = found->kind.realms;
  if (std::ranges::find(realms, realm) == realms.end()) return std::nullopt;
  if (found->pairs.size() == 1 && realms.size() > 1 && found->last_taker == realm) return std::nullopt;
  std::optional<crypto::PrivateKey> pair(std::move(found->pairs.back()));
  found->pairs.pop_back();
  found->last_taker = realm;
  return pair;
}

std::size_t KeyPool::ready(const base::KeySpec& spec) const {
  const auto found = std::ranges::find(shelves_, spec, [](const Shelf& one) { return one.kind.spec; });
  return found == shelves_.end() ? 0 : found->pairs.size();
}

KeyPool::Shelf* KeyPool::shelf(const base::KeySpec& spec) {
  const auto found = std::ranges::find(shelves_, spec, [](const Shelf& one) { return one.kind.spec; });
  return found == shelves_.end() ? nullptr : &*found;
}

}  // namespace chancery::worker
