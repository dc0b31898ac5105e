#include "server/master/configuration.h"

#include "server/master/spawn.h"
#include "server/worker/start.h"

namespace chancery::master {

config::Loaded load_configuration(const std::filesystem::path& chancery_xml) {
  return config::load(chancery_xml, {worker::known_commands(), program_places(), worker::failed_policy_tests});
}

}  // namespace chancery::master
