#pragma once

#include <string>
#include <vector>

#include "server/config/report.h"
#include "server/signer/ceremony_plan.h"

/// `cas:` of a realm in a ceremony's plan: its CAs and services beside its first CA (doc/ceremony.md). Pure.
namespace chancery::signer {

/// What a CA of the plan has to stay within: the one above it.
struct Above {
  std::string whose;  ///< "the root's"
  int days = 0;
  std::optional<int> path_length{};
};
/// A CA below the one that it is planned for (RFC 5280 4.2.1.9, 6.1).
void check_within(const Above& above, int days, const std::optional<int>& path_length, const config::Node& node,
                  config::Report& report);

void read_planned_cas(const config::Node& section, PlannedCa& ca, config::Report& report);
/// References between them, and what each says. @param node  the realm in the plan
void check_planned_cas(const CeremonyPlan& plan, const PlannedCa& ca, const config::Node& node, config::Report& report);
/// What the whole plan has to have once only: subjects, and names of profiles at the root.
/// @param nodes  the realms below the root, in the plan's order
void check_planned_names(const CeremonyPlan& plan, const std::vector<config::Node>& nodes, config::Report& report);

/// What will be done of them, a line each.
std::vector<std::string> acts_of_cas(const CeremonyPlan& plan, const PlannedCa& ca);
/// The section as ca.config.yml has it; empty: there are none.
std::string settings_of_cas(const PlannedCa& ca);

}  // namespace chancery::signer
