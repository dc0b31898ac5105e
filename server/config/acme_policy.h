#pragma once

#include <span>
#include <string_view>

#include "server/config/setting.h"

/// `acme: policies:` of ca.config.yml: a map from names to policies.
namespace chancery::config {

inline constexpr std::string_view kAcmePoliciesSection = "policies";

/// The rows of one policy.
std::span<const Setting<AcmePolicy>> acme_policy_settings();

void read_acme_policies(const Node& section, AcmeConfig& acme, Report& report);
Node write_acme_policies(const AcmeConfig& acme);

}  // namespace chancery::config
