// chanceryd: the master of a Chancery server (DESIGN 1).

#include <cstdio>
#include <exception>
#include <string>

#include "server/base/code_pages.h"
#include "server/base/process.h"
#include "server/config/print.h"
#include "server/master/check.h"
#include "server/master/configuration.h"
#include "server/master/options.h"
#include "server/master/run_server.h"
#include "server/worker/start.h"

namespace {

using namespace chancery;  // NOLINT(google-build-using-namespace): a program, not a header
using base::Exit;
using base::to_int;

void complain(const std::string& line) { std::fputs(("chanceryd: " + line + "\n").c_str(), stderr); }

int print(const std::string& text) {
  const bool is_written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return to_int(is_written ? Exit::Ok : Exit::Io);
}

/// The configuration, when all of it holds; the findings go to standard error.
std::shared_ptr<const config::Snapshot> load(const std::filesystem::path& file) {
  const auto loaded = master::load_configuration(file);
  for (const auto& finding : loaded.findings) std::fputs((config::to_line(finding) + "\n").c_str(), stderr);
  return loaded.snapshot;
}

int print_config(const master::Options& options) {
  const auto snapshot = load(options.config);
  return snapshot ? print(config::print_config(*snapshot)) : to_int(Exit::Config);
}

int run(const master::Options& options) {
  base::CodeMove code;  // beside the configuration
  const auto snapshot = load(options.config);
  if (!snapshot) return to_int(Exit::Config);
  const auto status = master::run_server(snapshot, options.daemon, code);
  if (status.ok()) return to_int(Exit::Ok);
  complain(base::to_line(status.error()));
  return base::describe(status.error().code()).exit_status;
}

int start(char** argv, std::span<char* const> arguments) {
  const auto options = master::parse_options(arguments);
  if (!options.ok()) {
    complain(base::to_line(options.error()));
    return to_int(Exit::Usage);
  }
  switch (options->task) {
    case master::Task::Help: return print(master::usage());
    case master::Task::Version: return print("chanceryd " CHANCERY_VERSION "\n");
    case master::Task::Check:
      return options->before.empty() ? master::check(options->config) : master::check_change(options->before, options->config);
    case master::Task::PrintConfig: return print_config(*options);
    case master::Task::Run: base::bind_symbols(argv); return run(*options);
  }
  return to_int(Exit::Software);
}

}  // namespace

int main(int argc, char** argv) {
  base::remember_arguments(argc, argv);
  try {
    return start(argv, {argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
  } catch (const std::exception& failure) {
    complain(failure.what());
    return to_int(Exit::Software);
  }
}
