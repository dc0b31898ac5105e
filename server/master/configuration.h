#pragma once

#include <filesystem>

#include "server/config/load.h"

namespace chancery::master {

/// config::load with what this server has: its commands, and the places where it looks for programs.
config::Loaded load_configuration(const std::filesystem::path& chancery_xml);

}  // namespace chancery::master
