#include "server/master/reload.h"

#include <array>
#include <string_view>

namespace chancery::master {
namespace {

/// A setting whose row in the settings table says "at the next start".
struct FixedSetting {
  std::string_view name;
  bool (*differs)(const config::ServerConfig& running, const config::ServerConfig& fresh);
  void (*keep)(const config::ServerConfig& running, config::ServerConfig& fresh);
};

template <auto Member>
constexpr FixedSetting fixed(std::string_view name) {
  return {name,
          [](const config::ServerConfig& running, const config::ServerConfig& fresh) { return running.*Member != fresh.*Member; },
          [](const config::ServerConfig& running, config::ServerConfig& fresh) { fresh.*Member = running.*Member; }};
}

constexpr std::array kFixed{
    fixed<&config::ServerConfig::run_directory>("run-directory"),
    fixed<&config::ServerConfig::program_directory>("program-directory"),
    fixed<&config::ServerConfig::worker_user>("users/worker"),
    fixed<&config::ServerConfig::signer_user>("users/signer"),
    fixed<&config::ServerConfig::front_end_user>("users/front-end"),
    fixed<&config::ServerConfig::socket_owner>("socket/owner"),
    fixed<&config::ServerConfig::socket_group>("socket/group"),
    fixed<&config::ServerConfig::socket_mode>("socket/mode"),
    fixed<&config::ServerConfig::log_destination>("log/destination"),
    FixedSetting{"limits/max-workers",
                 [](const config::ServerConfig& running, const config::ServerConfig& fresh) {
                   return running.limits.max_workers != fresh.limits.max_workers;
                 },
                 [](const config::ServerConfig& running, config::ServerConfig& fresh) {
                   fresh.limits.max_workers = running.limits.max_workers;
                 }},
};

}  // namespace

Followed follow(const config::Snapshot& running, const config::Snapshot& fresh) {
  auto snapshot = std::make_shared<config::Snapshot>(fresh);
  Followed followed;
  for (const auto& setting : kFixed) {
    if (!setting.differs(running.server, fresh.server)) continue;
    followed.at_next_start.emplace_back(setting.name);
    setting.keep(running.server, snapshot->server);
  }
  followed.snapshot = std::move(snapshot);
  return followed;
}

}  // namespace chancery::master
