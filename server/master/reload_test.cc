#include "server/master/reload.h"

#include <gtest/gtest.h>

namespace chancery::master {
namespace {

config::Snapshot snapshot() {
  config::Snapshot one;
  one.server.run_directory = "/run/a";
  one.realms.push_back(std::make_shared<config::RealmConfig>(RealmName::parse("default").value()));
  return one;
}

TEST(Reload, D24_TheSameIsTheSame) {
  const auto followed = follow(snapshot(), snapshot());
  EXPECT_TRUE(followed.at_next_start.empty());
  EXPECT_EQ(followed.snapshot->server, snapshot().server);
}

TEST(Reload, D24_MostSettingsCountAtOnce) {
  auto fresh = snapshot();
  fresh.server.limits.max_workers_per_uid = 7;
  fresh.server.log_level = "debug";
  fresh.server.default_realm = "devices";
  fresh.realms.push_back(std::make_shared<config::RealmConfig>(RealmName::parse("devices").value()));
  const auto followed = follow(snapshot(), fresh);
  EXPECT_TRUE(followed.at_next_start.empty());
  EXPECT_EQ(followed.snapshot->server, fresh.server);
  EXPECT_EQ(followed.snapshot->realms.size(), 2U);
}

TEST(Reload, D24_SomeCountAtTheNextStart) {
  auto fresh = snapshot();
  fresh.server.run_directory = "/run/b";
  fresh.server.program_directory = "/opt";
  fresh.server.socket_owner = "root";
  fresh.server.socket_group = "adm";
  fresh.server.socket_mode = 0600;
  fresh.server.log_destination = "syslog";
  fresh.server.limits.max_workers = 3;
  fresh.server.log_level = "debug";
  const auto followed = follow(snapshot(), fresh);
  const std::vector<std::string> want{"run-directory", "program-directory", "socket/owner",      "socket/group",
                                      "socket/mode",   "log/destination",   "limits/max-workers"};
  EXPECT_EQ(followed.at_next_start, want);
  auto kept = snapshot().server;
  kept.log_level = "debug";
  EXPECT_EQ(followed.snapshot->server, kept);
}

}  // namespace
}  // namespace chancery::master
