// chancery-validate: a vantage point. It looks at ACME proofs from where it is, for front ends that it knows by their CURVE keys,
// and answers what it found. It has no socket to the daemon, no key of a CA and no state, and libzmq stands behind the same guard
// as in chancery-zmq.
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "clients/validate/serve.h"
#include "server/base/fd.h"
#include "server/base/log.h"
#include "server/base/memory_limit.h"
#include "server/base/no_new_code.h"
#include "server/base/no_processes.h"
#include "server/base/process.h"

namespace {

using namespace chancery;

constexpr std::size_t kMaxAddressSpace = std::size_t{2} << 30;

struct Arguments {
  std::string listen;
  std::string key_file;
  std::string clients_file;
  std::string log = "stderr";
  std::string log_level = "info";
  validate::Terms terms;
  int threads = validate::Settings{}.threads;
};

/// What is read here is a stranger's: no new rights, no other programs, no core, no more memory than this. @errors Io.
Status confine() {
  base::limit_memory(kMaxAddressSpace);
  base::raise_descriptor_limit();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return base::io_error("PR_SET_NO_NEW_PRIVS", errno);
  PKI_TRY_VOID(base::forbid_dumps());
  PKI_TRY_VOID(base::forbid_processes());
  return base::forbid_new_code();
}

Result<validate::Settings> settings_from(const Arguments& arguments) {
  validate::Settings settings{.endpoint = {}, .clients = {}, .terms = arguments.terms, .threads = arguments.threads};
  PKI_TRY(settings.endpoint, validate::read_endpoint(arguments.listen));
  if (!arguments.terms.resolver.empty()) PKI_TRY_VOID(validate::check_resolver(arguments.terms.resolver));
  PKI_TRY(settings.clients, validate::load_clients(arguments.clients_file));
  return settings;
}

void end_at_once(int /*signal*/) { std::_Exit(base::to_int(base::Exit::Ok)); }

Status start(const Arguments& arguments) {
  PKI_TRY(const auto settings, settings_from(arguments));
  PKI_TRY(auto read, zmq_gateway::read_key_file(arguments.key_file));
  static const auto keys = std::move(read);
  base::LogTarget log{arguments.log};
  PKI_TRY(log.level, base::log_level_from_text(arguments.log_level));
  PKI_TRY_VOID(base::open_log(log, "validate"));
  if (::geteuid() == 0) base::log_warning("runs as root, which it needs for nothing: start it as a user of its own");
  PKI_TRY_VOID(confine());
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, end_at_once);
  std::signal(SIGINT, end_at_once);
  base::set_title("chancery-validate");
  return validate::serve(settings, keys);
}

/// Threads are at work from `start` on, and may wait inside libzmq for ever: the process ends as a whole.
[[noreturn]] void run(const Arguments& arguments) {
  if (const auto started = start(arguments); !started.ok()) {
    std::fprintf(stderr, "chancery-validate: %s\n", base::to_line(started.error()).c_str());
    std::_Exit(base::describe(started.error().code()).exit_status);
  }
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  base::remember_arguments(argc, argv);
  Arguments arguments;
  CLI::App app{"A vantage point: looks at ACME proofs from here, for the front ends of CAs elsewhere"};
  app.add_option("--listen", arguments.listen, "tcp://ADDRESS:PORT, where front ends ask")->required();
  app.add_option("--key", arguments.key_file, "file with this program's secret CURVE key (chancery zmq-key --out FILE)")
      ->required();
  app.add_option("--clients", arguments.clients_file, "file with the public CURVE keys of the front ends, one a line")
      ->required();
  app.add_option("--resolver", arguments.terms.resolver, "ADDRESS:PORT of the DNS server to ask, instead of the realm's");
  app.add_flag("--allow-loopback", arguments.terms.allow_loopback, "answer for realms that allow loopback: for tests alone");
  app.add_option("--threads", arguments.threads, "questions that are looked at at a time")
      ->check(CLI::Range(1, validate::kMostThreads))
      ->capture_default_str();
  app.add_option("--log", arguments.log, "stderr, syslog or a file")->capture_default_str();
  app.add_option("--log-level", arguments.log_level, "trace, debug, info, warning or error")->capture_default_str();
  app.set_version_flag("--version", CHANCERY_VERSION);
  CLI11_PARSE(app, argc, argv);
  try {
    run(arguments);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "chancery-validate: %s\n", failure.what());
    std::_Exit(base::to_int(base::Exit::Unavailable));
  }
}
