/// chancery-http: TLS and plain HTTP listeners before the daemon's socket. All it may do is what the socket gives its identity.

#include <unistd.h>
#include <csignal>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <exception>
#include <iomanip>
#include <iostream>
#include <memory>
#include <string>

#include "clients/acme/panel.h"
#include "clients/acme/service.h"
#include "clients/api/service.h"
#include "clients/http/certificate_keeper.h"
#include "clients/http/gateway.h"
#include "clients/http/publish.h"
#include "clients/http/server.h"
#include "clients/ra/relay.h"
#include "clients/ra/remote_ra.h"
#include "server/base/file.h"
#include "server/base/log.h"
#include "server/base/process.h"

namespace chancery::http {
namespace {

constexpr std::size_t kHandlerThreads = 16;
/// Half of the handlers for one peer, three quarters for one door: whoever has slow requests leaves some to the others. What
/// waits of one peer is above what a proxy with 128 busy clients behind it asks at once, and below kMaxPerAddress.
constexpr FairQueue::Limits kHandling{.running_each = 8, .waiting_each = 200, .waiting_all = 600, .running_door = 12};
constexpr std::size_t kMaxSettingsBytes = 1U << 20;
constexpr std::chrono::milliseconds kGrace{10'000};  ///< for requests in hand, once told to stop

constexpr int kNameColumn = 16;

struct Arguments {
  int config_fd = -1;
  int life_fd = -1;
  std::string config_file;
  std::string remote_ra;
  bool show_routes = false;
};

Result<std::string> read_all(int fd) {
  std::string text;
  std::array<char, 4096> part{};
  while (text.size() <= kMaxSettingsBytes) {
    const ssize_t count = ::read(fd, part.data(), part.size());
    if (count < 0) return base::io_error("read configuration", errno);
    if (count == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  return Error(Code::TooLarge, "configuration above " + std::to_string(kMaxSettingsBytes) + " octets");
}

Result<ra::Environment> environment() {
  return ra::read_environment([](const char* name) -> const char* { return std::getenv(name); });
}

Result<Settings> load_settings(const Arguments& arguments) {
  if (!arguments.remote_ra.empty()) {
    PKI_TRY(const auto given, environment());
    return ra::start(given, base::SystemClock());
  }
  PKI_TRY(const auto text, arguments.config_file.empty() ? read_all(arguments.config_fd)
                                                         : base::read_file(arguments.config_file, kMaxSettingsBytes));
  PKI_TRY(const auto json, wire::parse_json(text));
  return read_settings(json);
}

Result<std::unique_ptr<Connector>> connector_for(const Settings& settings) {
  if (!settings.remote_ca) return connect_by_socket(settings.socket, settings.front_end);
  PKI_TRY(auto host, ra::CaHost::find(*settings.remote_ca));
  return std::unique_ptr<Connector>(std::make_unique<ra::Relay>(std::move(host)));
}

/// Null: there is no key for it.
Result<std::unique_ptr<acme::Panel>> panel_for(const Settings& settings) {
  const auto key = settings.key_for_vantage_points();
  if (key.empty()) return std::unique_ptr<acme::Panel>();
  return acme::Panel::open(key);
}

/// The parts of the running program, in the order in which they depend on each other: threads end before what they use.
class Program {
 public:
  Program(const Settings& settings, std::unique_ptr<Connector> connector, std::unique_ptr<acme::Panel> panel)
      : gateway_(std::move(connector)),
        acme_(gateway_, settings.listeners, std::move(panel)),
        api_(gateway_, settings),
        publisher_(gateway_),
        stop_timer_(loop_.base(), [this] { loop_.stop(); }),
        settings_(settings) {
    acme_.add_routes(router_);
    api_.add_routes(router_);
    publisher_.add_routes(router_);
  }

  /// @param renews_itself  whether the TLS certificate is that of a remote RA, which is renewed here.
  Status run(int life_fd, bool renews_itself) {
    Pool pool("handler", kHandlerThreads, kHandling);
    Server server(loop_, router_, pool, settings_);
    PKI_TRY_VOID(server.bind());
    CertificateKeeper keeper(gateway_, settings_, clock_, [&](std::size_t listener, TlsContext context) {
      loop_.post([&server, listener, held = std::make_shared<TlsContext>(std::move(context))] {
        server.use_tls(listener, std::move(*held));
      });
    });
    std::unique_ptr<ra::Renewal> renewal;
    if (renews_itself) {
      PKI_TRY(renewal, ra::keep_renewed(settings_, clock_, [&] { keeper.look_again(); }));
    }
    const auto stop = [&] { begin_stop(server); };
    loop_.on_signal(SIGTERM, stop);
    loop_.on_signal(SIGINT, stop);
    loop_.on_signal(SIGHUP, [&] { keeper.look_again(); });
    if (life_fd >= 0) loop_.watch(life_fd, stop);
    loop_.run();
    return {};
  }

 private:
  /// Once: requests in hand are answered. Twice: at once (PROMISES D23).
  void begin_stop(Server& server) {
    if (server.stopping()) return loop_.stop();
    stop_timer_.set(kGrace);
    server.stop([this] { loop_.stop(); });
  }

  base::SystemClock clock_;
  Gateway gateway_;
  acme::Service acme_;
  api::Service api_;
  Publisher publisher_;
  Router router_;
  Loop loop_;
  Timer stop_timer_;
  const Settings& settings_;
};

/// The routing table, a JSON object a line: what there is to try for a test that wants to try everything.
base::Exit show_routes() {
  constexpr std::array kListeners{"plain", "tls", "both"};
  Gateway gateway(connect_by_socket({}, {}));
  acme::Service acme(gateway);
  api::Service api(gateway);
  Publisher publisher(gateway);
  Router router;
  acme.add_routes(router);
  api.add_routes(router);
  publisher.add_routes(router);
  for (const auto& route : router.routes()) {
    std::cout << wire::to_text(Json::object({{"method", route.method},
                                             {"path", route.pattern},
                                             {"listener", kListeners.at(static_cast<std::size_t>(route.listener))},
                                             {"signed_by", route.signed_by}}))
              << "\n";
  }
  return base::Exit::Ok;
}

/// The verbs of a remote RA that do not serve: a name and its value a line, as chancery shows one thing.
int prepare_remote_ra(const std::string& verb) {
  const auto given = environment();
  auto done = !given.ok()      ? Result<Json>(given.error())
              : verb == "init" ? ra::init(*given)
                               : ra::register_ra(*given, base::SystemClock());
  if (done.ok()) {
    for (const auto& [name, value] : *done->as_object())
      std::cout << std::left << std::setw(kNameColumn) << name << *value.as_string() << "\n";
    return base::to_int(base::Exit::Ok);
  }
  std::cerr << "chancery-http: " << base::to_line(done.error()) << "\n";
  return base::describe(done.error().code()).exit_status;
}

base::Exit refuse_config(const Error& error) {
  base::log_error(base::to_line(error));
  return base::Exit::Config;
}

base::Exit run(const Arguments& arguments) {
  const auto settings = load_settings(arguments);
  if (!settings.ok()) return refuse_config(settings.error());
  auto connector = connector_for(*settings);
  if (!connector.ok()) return refuse_config(connector.error());
  if (const auto opened = base::open_log(settings->log, "http"); !opened.ok()) return refuse_config(opened.error());
  auto panel = panel_for(*settings);
  if (!panel.ok()) return refuse_config(panel.error());
  base::raise_descriptor_limit();  // for connections, sessions, validations
  std::signal(SIGPIPE, SIG_IGN);
  Program program(*settings, *std::move(connector), *std::move(panel));
  const auto ran = program.run(arguments.life_fd, !arguments.remote_ra.empty());
  if (ran.ok()) return base::Exit::Ok;
  base::log_error(base::to_line(ran.error()));
  return ran.error().code() == Code::BadConfig ? base::Exit::Config : base::Exit::Os;
}

}  // namespace
}  // namespace chancery::http

int main(int argc, char** argv) {
  using namespace chancery;
  base::remember_arguments(argc, argv);
  http::Arguments arguments;
  CLI::App app{"HTTP front end of chanceryd: TLS, ACME, uPKI's REST API, CRLs and CA certificates"};
  auto* fd = app.add_option("--config-fd", arguments.config_fd, "descriptor that holds the configuration, one JSON text");
  auto* file = app.add_option("--config", arguments.config_file, "file with the same JSON text")->excludes(fd);
  app.add_option("--life-fd", arguments.life_fd, "descriptor that reaches its end when the master is gone");
  app.add_option("--remote-ra", arguments.remote_ra, "be the RA of a CA on another machine, by uPKI's environment variables")
      ->check(CLI::IsMember({"init", "register", "start"}))
      ->excludes(fd)
      ->excludes(file);
  app.add_flag("--show-routes", arguments.show_routes, "print the routing table, one JSON object a line, and end");
  app.footer(ra::describe_variables());
  CLI11_PARSE(app, argc, argv);
  if (arguments.show_routes) return base::to_int(http::show_routes());
  if (arguments.config_fd < 0 && arguments.config_file.empty() && arguments.remote_ra.empty()) {
    std::cerr << "chancery-http: --config-fd, --config or --remote-ra is needed\n";
    return base::to_int(base::Exit::Usage);
  }
  if (auto opened = base::open_log({}, "http"); !opened.ok()) return base::to_int(base::Exit::Os);
  base::set_title("chancery-http");
  if (auto forbidden = base::forbid_dumps(); !forbidden.ok()) base::log_warning(base::to_line(forbidden.error()));
  try {
    const bool serves = arguments.remote_ra.empty() || arguments.remote_ra == "start";
    return serves ? base::to_int(http::run(arguments)) : http::prepare_remote_ra(arguments.remote_ra);
  } catch (const std::exception& failure) {  // Bug: a broken promise of our own code
    base::log_error(failure.what());
    return base::to_int(base::Exit::Software);
  }
}
