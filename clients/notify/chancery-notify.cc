// chancery-notify: sends the notices that certificates end, by mail, webhook and program. A process of its own, as the front
// ends' user: it talks to the network and starts programs, which no process may that reads a key or decides anything; of the
// realm it knows what notice.claim says, and it can do nothing there but say what became of a notice.
#include <charconv>
#include <csignal>
#include <cstdio>

#include "clients/notify/serve.h"
#include "server/base/process.h"

namespace {

using namespace chancery;

constexpr const char* kUsage =
    "usage: chancery-notify --config-fd N [--life-fd N]\n"
    "       chancery-notify --help\n"
    "Sends the notices that certificates end. chanceryd starts it, as a <front-end> of chancery.xml.";

struct Arguments {
  int config_fd = -1;
  int life_fd = -1;
};

Result<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    auto* const target = name == "--config-fd" ? &arguments.config_fd : name == "--life-fd" ? &arguments.life_fd : nullptr;
    if (target == nullptr) return Error(Code::InvalidParams, "unknown option " + std::string(name), "see --help");
    const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), *target);
    if (failure != std::errc() || end != value.data() + value.size())
      return Error(Code::InvalidParams, std::string(name) + " \"" + std::string(value) + "\", expected a descriptor's number");
  }
  if (arguments.config_fd < 0) return Error(Code::InvalidParams, "no --config-fd", "chancery-notify is started by chanceryd");
  return arguments;
}

int complain(const Error& error) {
  std::fprintf(stderr, "chancery-notify: %s\n", base::to_line(error).c_str());
  return base::describe(error.code()).exit_status;
}

int run(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--help") {
    std::puts(kUsage);
    return base::to_int(base::Exit::Ok);
  }
  const auto arguments = parse(argc, argv);
  if (!arguments.ok()) return complain(arguments.error());
  const auto settings = notify::load_settings(arguments->config_fd);
  if (!settings.ok()) return complain(settings.error());
  if (const auto log = base::open_log(settings->log, "notify"); !log.ok()) return complain(log.error());
  ::signal(SIGPIPE, SIG_IGN);
  base::set_title("chancery-notify");
  return notify::serve(*settings, arguments->life_fd);
}

}  // namespace

int main(int argc, char** argv) {
  base::remember_arguments(argc, argv);
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "chancery-notify: %s\n", failure.what());
    return base::to_int(base::Exit::Unavailable);
  }
}
