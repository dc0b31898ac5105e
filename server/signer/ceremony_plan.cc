#include "server/signer/ceremony_plan.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "server/base/key_spec.h"
#include "server/base/names.h"
#include "server/base/text.h"
#include "server/config/ca_section.h"
#include "server/config/setting.h"
#include "server/config/text_checks.h"
#include "server/crypto/digest.h"
#include "server/signer/ceremony_cas.h"
#include "server/signer/transcript.h"

namespace chancery::signer {
namespace {

using config::Node;
using config::Report;
using config::row;

constexpr std::size_t kMaxPlanBytes = 65536;
constexpr int kMostDays = 36525;
constexpr int kMostCrlDays = 366;  ///< as crl_validity
constexpr int kMostShares = 255;
constexpr std::string_view kRoot = "root";
constexpr std::string_view kIssuing = "issuing";

Status check_key(std::string_view text) {
  const auto key = base::parse_key_spec(text);
  return key.ok() ? Status() : Status(key.error());
}

constexpr std::array kPlan{
    row<&CeremonyPlan::title>({.name = "title", .required = true}),
    row<&CeremonyPlan::directory>({.name = "directory", .check = config::check_absolute_path, .required = true}),
    row<&CeremonyPlan::people>({.name = "people"}),
};

constexpr std::array kCa{
    row<&PlannedCa::realm>({.name = "realm", .check = config::check_realm, .required = true}),
    row<&PlannedCa::subject>({.name = "subject", .check = config::check_slash_dn, .required = true}),
    row<&PlannedCa::key>({.name = "key", .check = check_key, .filled = true}),
    row<&PlannedCa::days>({.name = "days", .least = 1, .most = kMostDays}),
    row<&PlannedCa::path_length>({.name = "path_length", .least = 0, .most = 16}),
    row<&PlannedCa::crl_days>({.name = "crl_days", .least = 1, .most = kMostCrlDays}),
    row<&PlannedCa::passphrase_file>({.name = "passphrase_file", .check = config::check_absolute_path, .filled = true}),
    row<&PlannedCa::unencrypted>({.name = "unencrypted"}),
    row<&PlannedCa::shares>({.name = "shares", .least = 2, .most = kMostShares}),
    row<&PlannedCa::threshold>({.name = "threshold", .least = 2, .most = kMostShares}),
    row<&PlannedCa::company>({.name = "company", .check = config::check_organisation}),
    row<&PlannedCa::domain>({.name = "domain", .check = config::check_domain}),
    row<&PlannedCa::crl_urls>({.name = "crl_urls", .check = config::check_url}),
    row<&PlannedCa::ca_issuer_urls>({.name = "ca_issuer_urls", .check = config::check_url}),
};
constexpr std::span<const config::Setting<PlannedCa>> kCaRows = kCa;
constexpr std::span<const config::Setting<CeremonyPlan>> kPlanRows = kPlan;

void check_keeping(const PlannedCa& ca, const Node& node, Report& report) {
  const bool some = ca.shares != 0 || ca.threshold != 0;
  const int ways = static_cast<int>(!ca.passphrase_file.empty()) + static_cast<int>(ca.unencrypted) + static_cast<int>(some);
  if (ways > 1)
    report.error(node, "found more than one of passphrase_file, unencrypted and shares, expected one way to keep the key");
  if (some && (ca.shares == 0 || ca.threshold == 0))
    return report.error(config::place_of(node, {"shares", "threshold"}), "found one of shares and threshold, expected both");
  if (ca.threshold > ca.shares)
    report.error(config::place_of(node, "threshold"),
                 "found " + std::to_string(ca.threshold) + ", expected at most the " + std::to_string(ca.shares) + " of shares");
}

PlannedCa read_ca(const Node& node, Report& report) {
  PlannedCa ca;
  if (!config::is_section(node, report)) return ca;
  auto known = config::names_of(kCaRows);
  known.emplace_back(config::kCasSection);
  config::check_names(node, known, report);
  config::read_settings(kCaRows, node, ca, report);
  if (const Node* cas = node.find(config::kCasSection)) read_planned_cas(*cas, ca, report);
  check_keeping(ca, node, report);
  return ca;
}

void read_issuing(const Node& list, CeremonyPlan& plan, Report& report) {
  if (list.kind != Node::Kind::List) return report.error(list, "found no list, expected one item for each issuing CA");
  if (list.children.size() > kMostIssuing)
    return report.error(
        list, "found " + std::to_string(list.children.size()) + " issuing CAs, expected at most " + std::to_string(kMostIssuing));
  for (const auto& child : list.children) plan.issuing.push_back(read_ca(child, report));
}

/// An issuing CA below the root that it is planned for.
void check_below(const PlannedCa& ca, const CeremonyPlan& plan, const Node& node, Report& report) {
  if (ca.crl_days)
    report.error(config::place_of(node, "crl_days"),
                 "found crl_days of an issuing CA, expected them of the root alone: the server makes the others' CRLs");
  check_within({"the root's", plan.root.days, plan.root.path_length}, ca.days, ca.path_length, node, report);
}

/// The root's shares are put there, and need not be there any more when a realm is taken over.
void check_realm_directory(const PlannedCa& ca, const Node& node, Report& report) {
  if (ca.realm == kSharesDirectory)
    report.error(config::place_of(node, "realm"), "found realm " + ca.realm + ", expected another name: the shares go there");
}

void check_crl_days(const PlannedCa& root, const Node& node, Report& report) {
  if (root.crl_days.value_or(0) <= root.days) return;
  report.error(config::place_of(node, "crl_days"), "found " + std::to_string(*root.crl_days) +
                                                       " days, expected at most those of the root, " + std::to_string(root.days));
}

void check_plan(const CeremonyPlan& plan, const Node& root, Report& report) {
  std::set<std::string> realms{plan.root.realm};
  if (const Node* ca = root.find(kRoot)) {
    check_realm_directory(plan.root, *ca, report);
    check_crl_days(plan.root, *ca, report);
    check_planned_cas(plan, plan.root, *ca, report);
  }
  const Node* list = root.find(kIssuing);
  for (std::size_t i = 0; list != nullptr && i < plan.issuing.size(); ++i) {
    const auto& ca = plan.issuing[i];
    const Node& node = list->children[i];
    check_below(ca, plan, node, report);
    check_realm_directory(ca, node, report);
    if (!realms.insert(ca.realm).second)
      report.error(config::place_of(node, "realm"), "found realm " + ca.realm + " a second time, expected one for each CA");
    check_planned_cas(plan, ca, node, report);
  }
  if (list != nullptr) check_planned_names(plan, list->children, report);
}

CeremonyPlan read_plan_from(const Node& root, Report& report) {
  CeremonyPlan plan;
  if (!config::is_section(root, report)) return plan;
  auto known = config::names_of(kPlanRows);
  known.insert(known.end(), {std::string(kRoot), std::string(kIssuing)});
  config::check_names(root, known, report);
  config::read_settings(kPlanRows, root, plan, report);
  if (const Node* ca = root.find(kRoot)) {
    plan.root = read_ca(*ca, report);
  } else {
    report.error(root, "found no root, expected the CA at the top");
  }
  if (const Node* list = root.find(kIssuing)) read_issuing(*list, plan, report);
  if (!report.failed()) check_plan(plan, root, report);
  return plan;
}

std::string act_of(const PlannedCa& ca, std::string_view what) {
  auto line = "realm " + ca.realm + ": " + std::string(what) + " CA " + ca.subject + ", key " + ca.key + ", " +
              std::to_string(ca.days) + " days";
  if (ca.path_length) line += ", path length " + std::to_string(*ca.path_length);
  line += "; its key is kept " + keeping_of(ca);
  return line + urls_text(ca.crl_urls, ca.ca_issuer_urls);
}

}  // namespace

std::string urls_text(const std::vector<std::string>& crl_urls, const std::vector<std::string>& ca_issuer_urls) {
  return (crl_urls.empty() ? "; no CRL URL" : "; CRL at " + base::join(crl_urls, ", ")) +
         (ca_issuer_urls.empty() ? "; no URL of its certificate" : "; its certificate at " + base::join(ca_issuer_urls, ", "));
}

std::string profile_of(const PlannedCa& ca) { return "ca-" + ca.realm; }

std::string keeping_of(const PlannedCa& ca) {
  if (ca.unencrypted) return "without a passphrase";
  if (ca.shares != 0) return "in " + std::to_string(ca.shares) + " shares, " + std::to_string(ca.threshold) + " of which open it";
  if (!ca.passphrase_file.empty()) return "with the passphrase of " + ca.passphrase_file;
  return "with a new passphrase in the file passphrase of its directory";
}

Result<CeremonyPlan> parse_plan(std::string text, const std::string& name) {
  std::vector<config::Finding> findings;
  Report report(name, findings);
  const auto accepted = config::accept_source(text, report);
  const auto root = accepted ? config::parse_yaml(*accepted, report) : std::nullopt;
  auto plan = root ? read_plan_from(*root, report) : CeremonyPlan();
  if (report.failed() || !root) {
    std::string lines;
    for (const auto& one : findings) lines += (lines.empty() ? "" : "; ") + config::to_line(one);
    return Error(Code::BadConfig, lines, "doc/ceremony.md says what a plan has");
  }
  plan.sha256 = crypto::sha256_hex(base::as_bytes(text));
  plan.text = std::move(text);
  return plan;
}

Result<CeremonyPlan> read_plan(const base::Path& file) {
  PKI_TRY(auto text, base::read_file(file, kMaxPlanBytes));
  return parse_plan(std::move(text), file.string());
}

std::vector<std::string> acts_of(const CeremonyPlan& plan) {
  std::vector<std::string> acts{act_of(plan.root, "root")};
  const auto add_further = [&](const PlannedCa& ca) {
    auto further = acts_of_cas(plan, ca);
    std::ranges::move(further, std::back_inserter(acts));
  };
  add_further(plan.root);
  for (const auto& ca : plan.issuing) {
    acts.push_back(act_of(ca, "issuing") + "; certified by " + plan.root.realm);
    add_further(ca);
  }
  acts.push_back("realm " + plan.root.realm + ": its first CRL, good for " +
                 (plan.root.crl_days ? std::to_string(*plan.root.crl_days) + " days" : "as long as crl_validity says by itself"));
  acts.push_back("all of it in " + plan.directory + ", with transcript.txt, which names every file and its SHA-256");
  return acts;
}

}  // namespace chancery::signer
