// chancery-zmq: uPKI's two ports in front of chanceryd's socket. libzmq is no listener for strangers (PROMISES, sharp edges): it
// stands behind a guard that counts and bounds what comes in (guard.h), in an expendable process with a memory limit that the
// master starts again when it ends.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "clients/zmq/curve_key.h"
#include "clients/zmq/probe.h"
#include "clients/zmq/serve.h"
#include "server/base/log.h"
#include "server/base/memory_limit.h"
#include "server/base/process.h"

namespace {

using namespace chancery;

constexpr std::size_t kMaxAddressSpace = std::size_t{1} << 30;

constexpr const char* kUsage =
    "usage: chancery-zmq {--config-fd N | --config FILE} [--life-fd N]\n"
    "       chancery-zmq --probe tcp://HOST:PORT [--server-key KEY --key FILE] [--task TASK]\n"
    "       chancery-zmq --make-key [--out FILE]\n"
    "       chancery-zmq --help";

/// A bound on memory; as many descriptors as there may be, since a peer takes three of them.
void limit_resources() {
  base::limit_memory(kMaxAddressSpace);
  base::raise_descriptor_limit();
}

/// Until the master is gone or SIGTERM comes.
int wait_for_end(int life) {
  pollfd waiting{life, POLLIN, 0};
  while (::poll(&waiting, life >= 0 ? 1 : 0, -1) < 0 && errno == EINTR) {
  }
  return base::to_int(base::Exit::Ok);
}

void end_at_once(int /*signal*/) { std::_Exit(0); }

struct Arguments {
  int config_fd = -1;
  int life_fd = -1;
  std::string config_file;
  bool make_key = false;
  std::string out_file;
  zmq_gateway::Probe probe;
};

Result<int> number_from(const std::string& text) {
  int value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc() && end == text.data() + text.size()) return value;
  return Error(Code::InvalidParams, "\"" + text + "\" is no descriptor");
}

/// An option and what its value is for.
struct Option {
  std::string_view name;
  Status (*take)(Arguments&, const std::string&);
};
template <auto Member>
Status set_number(Arguments& arguments, const std::string& text) {
  PKI_TRY(arguments.*Member, number_from(text));
  return {};
}
template <auto Member>
Status set_text(Arguments& arguments, const std::string& text) {
  arguments.*Member = text;
  return {};
}
template <auto Member>
Status set_probe(Arguments& arguments, const std::string& text) {
  arguments.probe.*Member = text;
  return {};
}
constexpr Option kOptions[] = {
    {"--config", set_text<&Arguments::config_file>},
    {"--config-fd", set_number<&Arguments::config_fd>},
    {"--key", set_probe<&zmq_gateway::Probe::key_file>},
    {"--life-fd", set_number<&Arguments::life_fd>},
    {"--out", set_text<&Arguments::out_file>},
    {"--probe", set_probe<&zmq_gateway::Probe::address>},
    {"--server-key", set_probe<&zmq_gateway::Probe::server_key>},
    {"--task", set_probe<&zmq_gateway::Probe::task>},
};

Result<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--make-key") {
      arguments.make_key = true;
      continue;
    }
    const auto* found = std::ranges::find(kOptions, name, &Option::name);
    if (found == std::end(kOptions)) return Error(Code::InvalidParams, "unknown option " + std::string(name), "see --help");
    if (++i == argc) return Error(Code::InvalidParams, std::string(name) + " without a value", "see --help");
    PKI_TRY_VOID(found->take(arguments, argv[i]));
  }
  const bool has_work = arguments.make_key || !arguments.probe.address.empty();
  if (!has_work && arguments.config_fd < 0 && arguments.config_file.empty()) {
    return Error(Code::InvalidParams, "neither --config-fd nor --config", "chancery-zmq is started by chanceryd");
  }
  return arguments;
}

int complain(const Error& error) {
  std::fprintf(stderr, "chancery-zmq: %s\n", base::to_line(error).c_str());
  return base::describe(error.code()).exit_status;
}

int serve_until_end(const Arguments& arguments) {
  static Result<zmq_gateway::Settings> settings = zmq_gateway::load_settings(arguments.config_file, arguments.config_fd);
  if (!settings.ok()) return complain(settings.error());
  if (const auto log = base::open_log(settings->log, "zmq"); !log.ok()) return complain(log.error());
  limit_resources();
  ::signal(SIGTERM, end_at_once);
  ::signal(SIGINT, end_at_once);
  ::signal(SIGPIPE, SIG_IGN);
  base::set_title("chancery-zmq");
  if (const auto served = zmq_gateway::serve(*settings); !served.ok()) {
    base::log_error(base::to_line(served.error()));
    std::_Exit(base::describe(served.error().code()).exit_status);  // threads of an earlier port are at work
  }
  // Threads may wait inside libzmq for ever: the process ends as a whole.
  std::_Exit(wait_for_end(arguments.life_fd));
}

int run(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--help") {
    std::puts(kUsage);
    return base::to_int(base::Exit::Ok);
  }
  const auto arguments = parse(argc, argv);
  if (!arguments.ok()) return complain(arguments.error());
  if (arguments->make_key) return zmq_gateway::run_key_command(arguments->out_file);
  if (!arguments->probe.address.empty()) return zmq_gateway::run_probe(arguments->probe);
  return serve_until_end(*arguments);
}

}  // namespace

int main(int argc, char** argv) {
  base::remember_arguments(argc, argv);
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "chancery-zmq: %s\n", failure.what());
    return base::to_int(base::Exit::Unavailable);
  }
}
