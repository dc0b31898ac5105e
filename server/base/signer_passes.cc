#include "server/base/signer_passes.h"

#include <algorithm>

namespace chancery::base {

namespace {

/// As base::to_hex, without a text in between that nobody wipes.
SecretBytes in_hex(ByteView octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Bytes text;
  text.reserve(2 * octets.size());
  for (const auto octet : octets) {
    text.push_back(static_cast<std::uint8_t>(kDigits[octet >> 4U]));
    text.push_back(static_cast<std::uint8_t>(kDigits[octet & 15U]));
  }
  return SecretBytes(std::move(text));
}

}  // namespace

ByteView SignerPasses::make(const RealmName& realm) {
  constexpr std::size_t kOctets = 32;
  auto found = passes_.find(realm);
  if (found == passes_.end()) {
    const SecretBytes random(random_bytes(kOctets));
    found = passes_.emplace(realm, in_hex(random.view())).first;
  }
  return found->second.view();
}

ByteView SignerPasses::find(const RealmName& realm) const {
  const auto found = passes_.find(realm);
  return found == passes_.end() ? ByteView() : found->second.view();
}

void SignerPasses::keep_only(const RealmName& realm) {
  std::erase_if(passes_, [&](const auto& one) { return one.first != realm; });
}

}  // namespace chancery::base
