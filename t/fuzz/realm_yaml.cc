#include "server/config/builtin_profiles.h"
#include "server/config/print.h"
#include "server/config/realm_settings.h"
#include "server/config/source.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

struct Read {
  config::RealmConfig realm{RealmName::parse("fuzzed").value()};
  bool ok = false;
};

Read read(std::string_view text) {
  Read got;
  std::vector<config::Finding> findings;
  config::Report report("built-in", findings);  // so that origins are equal
  const auto source = config::accept_source(std::string(text), report);
  const auto root = source ? config::parse_yaml(*source, report) : std::nullopt;
  if (!root || root->kind != config::Node::Kind::Map) return got;
  got.realm.profiles = config::builtin_profiles();
  got.realm = config::read_realm(*root, std::move(got.realm), report);
  got.ok = !report.failed();
  return got;
}

}  // namespace

/// ca.config.yml; what was read is printed as what reads the same.
FUZZ_TARGET(realm_yaml) {
  const auto got = read(input);
  if (!got.ok) return;
  const auto again = read(config::print_realm(got.realm));
  fuzz::hold(again.ok && again.realm == got.realm);
}
