#include "server/config/print.h"
#include "server/config/profile_settings.h"
#include "server/config/source.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

struct Read {
  config::Profile profile{ProfileName::parse("fuzzed").value()};
  bool ok = false;
};

Read read(std::string_view text) {
  Read got;
  std::vector<config::Finding> findings;
  config::Report report("fuzzed.yml", findings);
  const auto source = config::accept_source(std::string(text), report);
  const auto root = source ? config::parse_yaml(*source, report) : std::nullopt;
  if (root) got.profile = config::read_profile(*root, got.profile, report);
  got.ok = root && !report.failed();
  return got;
}

}  // namespace

/// profiles/<name>.yml; what was read is printed as what reads the same.
FUZZ_TARGET(profile_yaml) {
  const auto got = read(input);
  if (!got.ok) return;
  const auto again = read(config::print_profile(got.profile));
  fuzz::hold(again.ok && again.profile == got.profile);
}
