#pragma once

#include <span>
#include <string_view>

#include "server/config/checks.h"
#include "server/config/setting.h"

/// `rollover:` of ca.config.yml.
namespace chancery::config {

inline constexpr std::string_view kRolloverSection = "rollover";

std::span<const Setting<RolloverConfig>> rollover_settings();

void read_rollover(const Node& section, RolloverConfig& rollover, Report& report);
Node write_rollover(const RolloverConfig& rollover);

}  // namespace chancery::config
