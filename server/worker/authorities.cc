#include "server/worker/authorities.h"

#include <algorithm>

namespace chancery::worker {
namespace {

Result<realm::Generation> generation_from(const signer::GenerationInfo& info, const config::RealmConfig& realm) {
  const auto state = realm::generation_state(info.state);
  PKI_TRY(const auto label, realm::parse_label(info.ca));
  if (!state) return Error(Code::Corrupt, "state \"" + info.state + "\" of generation " + info.ca);
  realm::Generation one{.label = info.ca,
                        .state = *state,
                        .authority = {},
                        .request = info.request,
                        .new_with_old = info.new_with_old,
                        .old_with_new = info.old_with_new,
                        .last_end = info.last_end};
  if (info.chain.empty()) return one;
  PKI_TRY(auto authority, realm::parse_authority(info.chain, realm));
  authority.name = label.name;
  authority.label = info.ca;
  one.authority = std::move(authority);
  return one;
}

/// A realm that never had another is left as it is: there is nothing to say that its files do not.
bool is_ordinary(const std::vector<signer::GenerationInfo>& generations) {
  return generations.size() == 1 && generations.front().ca == config::kFirstCa &&
         generations.front().state == realm::to_text(realm::GenerationState::Active);
}

}  // namespace

std::string to_text(const std::vector<signer::GenerationInfo>& generations) {
  return wire::to_text(signer::to_json(generations));
}

Result<std::vector<realm::Generation>> generations_from(const std::string& text, const config::RealmConfig& realm) {
  PKI_TRY(const auto json, wire::parse_json(text));
  PKI_TRY(const auto infos, signer::generations_from_json(json));
  std::vector<realm::Generation> all;
  for (const auto& info : infos) {
    PKI_TRY(auto one, generation_from(info, realm));
    all.push_back(std::move(one));
  }
  return all;
}

Result<bool> keep_generations(store::Store& store, const std::vector<signer::GenerationInfo>& generations) {
  PKI_TRY(const auto kept, store.get_meta(kGenerationsFact));
  if (!kept && is_ordinary(generations)) return false;
  auto text = to_text(generations);
  if (kept == text) return false;
  PKI_TRY_VOID(store.set_meta(kGenerationsFact, text));
  return true;
}

Result<std::vector<realm::Generation>> only_generation(const std::string& chain, const config::RealmConfig& realm) {
  PKI_TRY(auto one, generation_from({config::kFirstCa, "active", chain}, realm));
  return std::vector<realm::Generation>{std::move(one)};
}

const realm::Generation* signer_of(const std::vector<realm::Generation>& all, const x509::Certificate& certificate) {
  const auto found = std::ranges::find_if(all, [&](const realm::Generation& one) {
    if (!one.authority) return false;
    const auto& issuer = one.authority->certificate;
    return std::ranges::equal(certificate.issuer_der(), issuer.subject_der()) &&
           (certificate.authority_key_id().empty() || std::ranges::equal(certificate.authority_key_id(), issuer.key_id()));
  });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace chancery::worker
