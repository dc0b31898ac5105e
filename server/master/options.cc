#include "server/master/options.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "server/base/text.h"

namespace chancery::master {
namespace {

/// What an option sets; those without a task say something else.
struct OptionRow {
  std::string_view name;
  std::string_view value;  ///< what stands behind it; empty: nothing
  std::optional<Task> task;
  std::string_view doc;
};
constexpr std::array kOptions{
    OptionRow{"--config", "FILE", {}, "the configuration (default " CHANCERY_SYSCONFDIR "/chancery/chancery.xml)"},
    OptionRow{"--check", "", Task::Check, "hold the configuration against all checks, print every finding, exit 0 or 78"},
    OptionRow{"--diff", "OLD NEW", {}, "with --check: check the configuration NEW and say in words what changes from OLD to it"},
    OptionRow{"--print-config", "", Task::PrintConfig, "print the configuration in force, defaults included"},
    OptionRow{"--foreground", "", {}, "stay in the foreground (the default)"},
    OptionRow{"--daemon", "", {}, "go to the background; the command ends when everything is ready"},
    OptionRow{"--version", "", Task::Version, "print the version"},
    OptionRow{"--help", "", Task::Help, "print this"},
};

Error unknown(std::string_view argument) {
  std::vector<std::string_view> names;
  for (const auto& row : kOptions) names.push_back(row.name);
  const auto near = base::did_you_mean(argument, names);
  const std::string hint = near.empty() ? "chanceryd --help lists the options" : "did you mean " + std::string(near) + "?";
  return {Code::InvalidParams, "unknown option \"" + base::printable(argument, 64) + "\"", hint};
}

}  // namespace

Result<Options> parse_options(std::span<char* const> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    std::optional<std::string_view> value;
    if (const auto equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const auto row = std::ranges::find(kOptions, name, &OptionRow::name);
    if (row == kOptions.end()) return unknown(name);
    if (row->value.empty() && value) return Error(Code::InvalidParams, std::string(name) + " takes no value");
    if (!row->value.empty() && !value && i + 1 < arguments.size()) value = arguments[++i];
    if (!row->value.empty() && (!value || value->empty())) {
      return Error(Code::InvalidParams, std::string(name) + " needs a value: " + std::string(row->value));
    }
    if (row->task && options.task != Task::Run) return Error(Code::InvalidParams, std::string(name) + ": one task at a time");
    if (row->task) options.task = *row->task;
    if (name == "--config") options.config = *value;
    if (name == "--diff") {
      if (i + 1 >= arguments.size()) return Error(Code::InvalidParams, "--diff needs two values: " + std::string(row->value));
      options.before = *value;
      options.config = arguments[++i];
    }
    if (name == "--daemon") options.daemon = true;
    if (name == "--foreground") options.daemon = false;
  }
  if (!options.before.empty() && options.task != Task::Check) return Error(Code::InvalidParams, "--diff goes with --check");
  return options;
}

std::string usage() {
  std::string text = "usage: chanceryd [options]\n";
  for (const auto& row : kOptions) {
    std::string left = "  " + std::string(row.name) + (row.value.empty() ? "" : " " + std::string(row.value));
    left.resize(std::max<std::size_t>(left.size() + 1, 20), ' ');
    text += left + std::string(row.doc) + "\n";
  }
  return text;
}

}  // namespace chancery::master
