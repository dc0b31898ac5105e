#include "server/realm/acme_policy.h"

#include <algorithm>
#include <string_view>

#include "server/base/name_pattern.h"

namespace chancery::realm {
namespace {

constexpr std::string_view kWildcard = "*.";

bool is_wildcard(const x509::GeneralName& name) {
  return name.type == x509::GeneralName::Type::Dns && name.value.starts_with(kWildcard);
}

/// @pre the configuration was checked: each text is a pattern.
bool means(const std::string& text, const x509::GeneralName& name) {
  const auto pattern = base::NamePattern::parse(text).value();
  if (name.type == x509::GeneralName::Type::Ip) return pattern.matches_address(x509::ip_octets(name.value));
  return pattern.matches_name(name.value);
}

/// @param address  as a listener has it: of IPv4 through IPv6, mapped (RFC 4291 2.5.5.2)
bool is_within(const std::vector<std::string>& networks, std::string address) {
  constexpr std::string_view kMapped = "::ffff:";
  if (address.starts_with(kMapped) && address.find('.') != std::string::npos) address.erase(0, kMapped.size());
  const auto from = x509::GeneralName::parse("IP:" + address);
  return from.ok() && std::ranges::any_of(networks, [&](const std::string& text) { return means(text, *from); });
}

bool is_trusted_client(const config::AcmePolicy& policy, const AcmeAsker& asker) {
  const auto& profiles = policy.trusted_client_profiles;
  if (asker.profile.empty() || std::ranges::find(profiles, asker.profile) == profiles.end()) return false;
  const auto is_meant = [&](const base::TextPattern& one) { return one.matches(asker.subject); };
  return policy.trusted_client_subjects.empty() || std::ranges::any_of(policy.trusted_client_subjects, is_meant);
}

/// A wildcard stands for many names, and none of them may be a denied one.
bool touches(const std::string& text, const x509::GeneralName& name) {
  if (means(text, name)) return true;
  return is_wildcard(name) && base::NamePattern::parse(text).value().is_below(name.value.substr(kWildcard.size()));
}

}  // namespace

std::optional<config::AcmePolicy> policy_of(const config::AcmeConfig& acme, const std::string& own) {
  const auto& name = own.empty() ? acme.policy : own;
  if (name.empty()) return config::AcmePolicy();
  const auto found = acme.policies.find(name);
  if (found == acme.policies.end()) return std::nullopt;
  auto policy = found->second;
  if (own.empty() && !policy.trusts_some()) policy.preauthorized.clear();
  return policy;
}

std::string fault_in_acme_name(const config::AcmePolicy& policy, const x509::GeneralName& name) {
  if (is_wildcard(name) && !policy.wildcards) return name.value + ": the account's policy allows no wildcards";
  const auto is_touched = [&](const std::string& text) { return touches(text, name); };
  if (std::ranges::any_of(policy.denied_names, is_touched)) return name.value + " is denied by the account's policy";
  const auto is_meant = [&](const std::string& text) { return means(text, name); };
  if (policy.allowed_names.empty() || std::ranges::any_of(policy.allowed_names, is_meant)) return {};
  return name.value + " is not among the names that the account's policy allows";
}

bool needs_no_proof(const config::AcmePolicy& policy, const x509::GeneralName& name, const AcmeAsker& asker) {
  const auto is_meant = [&](const std::string& text) { return means(text, name); };
  if (std::ranges::none_of(policy.preauthorized, is_meant)) return false;
  if (!policy.trusted_networks.empty() && !is_within(policy.trusted_networks, asker.address)) return false;
  return policy.trusted_client_profiles.empty() || is_trusted_client(policy, asker);
}

config::AcmeConfig narrowed(config::AcmeConfig acme, const config::AcmePolicy& policy) {
  const auto keep = [](std::vector<std::string>& offered, const std::vector<std::string>& wanted) {
    if (wanted.empty()) return;
    std::erase_if(offered, [&](const auto& one) { return std::ranges::find(wanted, one) == wanted.end(); });
  };
  keep(acme.challenges, policy.challenges);
  keep(acme.wildcard_challenges, policy.wildcard_challenges);
  keep(acme.ip_challenges, policy.ip_challenges);
  return acme;
}

bool allows_profile(const config::AcmePolicy& policy, const ProfileName& profile) {
  return policy.profiles.empty() || std::ranges::find(policy.profiles, profile) != policy.profiles.end();
}

ProfileName profile_without_wish(const config::AcmePolicy& policy, const ProfileName& usual) {
  return allows_profile(policy, usual) ? usual : policy.profiles.front();
}

std::optional<std::chrono::seconds> wait_for(const AcmeLimit& limit, std::span<const Seconds> newest_first, Seconds now) {
  if (limit.most <= 0 || newest_first.size() < static_cast<std::size_t>(limit.most)) return std::nullopt;
  const auto oldest = newest_first[static_cast<std::size_t>(limit.most) - 1];
  const auto wait = oldest + limit.window - now;
  return wait > std::chrono::seconds{0} ? std::optional(wait) : std::nullopt;
}

}  // namespace chancery::realm
