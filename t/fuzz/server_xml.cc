#include "server/config/print.h"
#include "server/config/server_settings.h"
#include "server/config/source.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

struct Read {
  config::ServerConfig server;
  bool ok = false;
};

Read read(std::string_view text) {
  Read got;
  std::vector<config::Finding> findings;
  config::Report report("chancery.xml", findings);
  const auto source = config::accept_source(std::string(text), report);
  const auto root = source ? config::parse_xml(*source, report) : std::nullopt;
  if (root) got.server = config::read_server(*root, report);
  got.ok = root && !report.failed();
  return got;
}

}  // namespace

/// chancery.xml; what was read is printed as what reads the same.
FUZZ_TARGET(server_xml) {
  const auto got = read(input);
  if (!got.ok) return;
  const auto again = read(config::print_server(got.server));
  fuzz::hold(again.ok && again.server == got.server);
}
