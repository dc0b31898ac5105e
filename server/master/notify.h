#pragma once

#include <chrono>
#include <optional>
#include <string>

/// What the service manager is told (the protocol of sd_notify(3)); without one, nothing happens.
///
/// Spoken here rather than by libsystemd: that brings seven more libraries, and every worker's fork copies their maps.
namespace chancery::master {

void notify_status(const std::string& status);
void notify_ready(const std::string& status);
void notify_reloading();
void notify_stopping();
void notify_alive();

/// How often notify_alive is due; nothing when nobody watches.
std::optional<std::chrono::milliseconds> watchdog_interval();

}  // namespace chancery::master
