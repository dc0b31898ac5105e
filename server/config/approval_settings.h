#pragma once

#include <span>
#include <string_view>

#include "server/config/setting.h"

/// What profiles say about approvals, and `requests:` of ca.config.yml.
namespace chancery::config {

inline constexpr std::string_view kRequestsSection = "requests";

/// Rows of a profile.
std::span<const Setting<Profile>> approval_settings();
/// Rows of `requests:`.
std::span<const Setting<RequestsConfig>> request_settings();

void read_requests(const Node& section, RequestsConfig& requests, Report& report);
Node write_requests(const RequestsConfig& requests);

}  // namespace chancery::config
