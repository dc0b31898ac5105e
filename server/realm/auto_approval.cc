#include "server/realm/auto_approval.h"

#include <algorithm>
#include <array>

#include "server/base/name_pattern.h"
#include "server/base/text.h"
#include "server/base/week_window.h"

namespace chancery::realm {
namespace {

using config::ApprovalRules;

bool means(std::string_view text, const x509::GeneralName& name) {
  const auto pattern = base::NamePattern::parse(text);
  if (!pattern.ok()) return false;
  if (name.type == x509::GeneralName::Type::Ip) return pattern->matches_address(x509::ip_octets(name.value));
  return name.type == x509::GeneralName::Type::Dns && pattern->matches_name(name.value);
}

bool is_known(std::string_view hosts, const x509::GeneralName& name) {
  const auto lines = base::split(hosts, '\n');
  return std::ranges::any_of(lines, [&](const std::string& line) {
    const auto text = base::trim(std::string_view(line).substr(0, line.find('#')));
    return !text.empty() && means(text, name);
  });
}

/// Hosts alone are known ones: names of people and places are for people to look at.
bool by_hosts(const ApprovalRules& rules, const AutoFacts& facts) {
  if (rules.auto_hosts.empty() || facts.hosts.empty() || facts.names.empty()) return false;
  const auto common_name = facts.subject.common_name();
  const auto as_name = common_name ? x509::GeneralName::parse(*common_name) : Result<x509::GeneralName>(facts.names.front());
  return as_name.ok() && is_known(facts.hosts, *as_name) &&
         std::ranges::all_of(facts.names, [&](const x509::GeneralName& name) { return is_known(facts.hosts, name); });
}

bool by_network(const ApprovalRules& rules, const AutoFacts& facts) {
  if (facts.address.empty()) return false;
  constexpr std::string_view kMapped = "::ffff:";  // IPv4 through an IPv6 socket (RFC 4291 2.5.5.2)
  auto text = facts.address;
  if (text.starts_with(kMapped) && text.find('.') != std::string::npos) text.erase(0, kMapped.size());
  const auto from = x509::GeneralName::parse("IP:" + text);
  if (!from.ok()) return false;
  const auto octets = x509::ip_octets(from->value);
  return std::ranges::any_of(rules.auto_networks, [&](const std::string& one) {
    const auto network = base::Network::parse(one);
    return network.ok() && network->contains(octets);
  });
}

bool by_renewal(const ApprovalRules& rules, const AutoFacts& facts) { return rules.auto_renewals && facts.is_own_renewal; }

struct Row {
  std::string_view name;
  bool (*holds)(const ApprovalRules&, const AutoFacts&);
};
constexpr std::array kRows{Row{"own renewal", by_renewal}, Row{"known hosts", by_hosts}, Row{"network", by_network}};

bool is_in_time(const ApprovalRules& rules, Seconds now) {
  return rules.auto_times.empty() || std::ranges::any_of(rules.auto_times, [&](const std::string& text) {
           const auto window = base::WeekWindow::parse(text);
           return window.ok() && window->contains(now);
         });
}

}  // namespace

std::string approving_rule(const ApprovalRules& rules, const AutoFacts& facts) {
  if (rules.are_signed || !is_in_time(rules, facts.now)) return {};
  const auto* const row = std::ranges::find_if(kRows, [&](const Row& one) { return one.holds(rules, facts); });
  return row == kRows.end() ? std::string() : std::string(row->name);
}

}  // namespace chancery::realm
