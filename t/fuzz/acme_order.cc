#include <set>

#include "clients/acme/new_order.h"
#include "server/realm/acme_policy.h"
#include "server/realm/names.h"
#include "server/wire/commands.h"
#include "server/worker/acme_refusals.h"
#include "server/worker/acme_terms.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

/// A wildcard is denied where it stands for a denied name, and an address by its network, however each is written.
config::AcmePolicy policy() {
  return {.allowed_names = {".example.com", "10.0.0.0/8", "fd00::/8"},
          .denied_names = {"secret.example.com", "*.deep.example.com", "10.1.0.0/16"},
          .preauthorized = {".example.com", "10.0.0.0/8"},
          .trusted_networks = {"192.0.2.0/24"}};
}

void hold_names(const std::vector<x509::GeneralName>& names) {
  fuzz::hold(!names.empty() && names.size() == std::set<x509::GeneralName>(names.begin(), names.end()).size());
  for (const auto& name : names) {
    // What the realm keeps of it means the same when it is read again, and no machine itself.
    const auto again = worker::name_of(worker::identifier_of(name));
    fuzz::hold(again.ok() && *again == name && !realm::is_reserved(name));
    fuzz::hold(!realm::needs_no_proof(policy(), name, {.address = "198.51.100.1"}));
    const bool allowed = realm::fault_in_acme_name(policy(), name).empty();
    fuzz::hold(!allowed ||
               (name.value != "secret.example.com" && name.value != "*.example.com" && !name.value.starts_with("10.1.")));
  }
}

}  // namespace

/// A newOrder request's payload: what the front end makes of it, what the daemon's door lets in, and the names that it means.
FUZZ_TARGET(acme_order) {
  const auto payload = wire::parse_json(input);
  if (!payload.ok() || !payload->is_object()) return;
  auto params = acme::read_new_order(*payload);
  if (!params.ok()) return fuzz::hold(params.error().hint().starts_with("acme:"));
  params->set("account", "a").set("peer", "198.51.100.1");
  const auto* const command = wire::find_command("acme.order.create");
  fuzz::hold(command != nullptr);
  if (!wire::check_params(*command, *params).ok()) return;
  const auto names = worker::names_for_order(*params->find("identifiers"));
  if (names.ok()) return hold_names(*names);
  // Each refusal has a problem document of one of ACME's types (RFC 8555 6.7).
  const auto problem = wire::parse_json(worker::problem_of(names.error()));
  fuzz::hold(problem.ok() && problem->text("type").starts_with("urn:ietf:params:acme:error:"));
}
