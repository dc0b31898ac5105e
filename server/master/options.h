#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "server/base/result.h"

namespace chancery::master {

enum class Task { Run, Check, PrintConfig, Help, Version };

/// The command line of chanceryd.
struct Options {
  Task task = Task::Run;
  std::filesystem::path config = CHANCERY_SYSCONFDIR "/chancery/chancery.xml";
  bool daemon = false;           ///< leave the terminal once everything is ready
  std::filesystem::path before;  ///< of --check: say what changes from that configuration; empty: nothing to compare with

  bool operator==(const Options&) const = default;
};

/// @errors InvalidParams: an unknown option, a missing value, two tasks, --diff without --check.
Result<Options> parse_options(std::span<char* const> arguments);
std::string usage();

}  // namespace chancery::master
