#include "server/signer/ceremony_cas.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "server/base/text.h"
#include "server/config/builtin_profiles.h"
#include "server/config/ca_section.h"
#include "server/config/next_key.h"
#include "server/config/setting.h"
#include "server/signer/services.h"

namespace chancery::signer {
namespace {

using config::Node;
using config::place_of;
using config::Report;

constexpr int kMostDays = 36525;
constexpr std::size_t kMostFurther = 50;  ///< of a realm

/// What a row has beside the settings of ca.config.yml.
constexpr std::array kFurther{
    config::row<&FurtherCa::days>({.name = "days", .least = 1, .most = kMostDays}),
    config::row<&FurtherCa::path_length>({.name = "path_length", .least = 0, .most = 16}),
};
constexpr std::span<const config::Setting<FurtherCa>> kFurtherRows = kFurther;
/// Of a realm's first CA alone, whose secret opens all.
constexpr std::array kKeeping{"passphrase_file", "unencrypted", "shares", "threshold"};
constexpr std::array kOfServices{"validity", "answers_valid_for"};

void check_keeping(const Node& node, Report& report) {
  for (const auto* const name : kKeeping) {
    if (const Node* found = node.find(name); found != nullptr)
      report.error(*found, "found " + std::string(name) +
                               " of a further CA, expected it at the realm's first one: one secret opens all keys of a realm");
  }
}

FurtherCa read_row(const Node& node, Report& report) {
  FurtherCa one;
  one.name = node.name;
  if (!config::is_section(node, report)) return one;
  auto known = config::names_of(config::ca_settings());
  const auto own = config::names_of(kFurtherRows);
  known.insert(known.end(), own.begin(), own.end());
  auto others = node;
  std::erase_if(others.children, [](const Node& child) { return std::ranges::find(kKeeping, child.name) != kKeeping.end(); });
  config::check_names(others, known, report);
  config::read_settings(config::ca_settings(), node, one.row, report);
  config::read_settings(kFurtherRows, node, one, report);
  check_keeping(node, report);
  if (!one.row.key_store.empty())
    report.error(place_of(node, "key_store"),
                 "found key_store of a planned CA, expected none: a ceremony makes keys in files, and a rollover moves them into "
                 "a token (doc/keys.md)");
  return one;
}

const FurtherCa* find(const PlannedCa& ca, const std::string& name) {
  const auto found = std::ranges::find(ca.cas, name, &FurtherCa::name);
  return found == ca.cas.end() ? nullptr : &*found;
}

/// The realm as it will be, as far as its `cas` refer to anything.
config::RealmConfig realm_of(const PlannedCa& ca) {
  config::RealmConfig realm(RealmName::parse(ca.realm).value());  // it was checked
  realm.key = base::parse_key_spec(ca.key).value();
  realm.profiles = config::builtin_profiles();
  for (const auto& one : ca.cas) realm.cas.insert_or_assign(one.name, one.row);
  return realm;
}

Above above_of(const CeremonyPlan& plan, const PlannedCa& ca, const FurtherCa& one) {
  const auto* const issuer = find(ca, one.row.issuer);
  if (issuer != nullptr) return {"that of CA " + issuer->name, issuer->days, issuer->path_length};
  return {"the root's", plan.root.days, plan.root.path_length};
}

/// With several CAs in a realm there are several CRLs: each needs a place of its own (worker/rollover_steps.cc holds it
/// likewise).
void check_urls(const PlannedCa& ca, const FurtherCa& one, const Node& realm, const Node& node, Report& report) {
  for (const auto& [setting, own, all] :
       {std::tuple("crl_urls", &one.row.crl_urls, &ca.crl_urls),
        std::tuple("crl_delta_urls", &one.row.crl_delta_urls, static_cast<const std::vector<std::string>*>(nullptr)),
        std::tuple("ca_issuer_urls", &one.row.ca_issuer_urls, &ca.ca_issuer_urls)}) {
    const bool is_own = !own->empty() || all == nullptr;
    for (const auto& url : is_own ? *own : *all) {
      if (url.find(config::kGenerationPlace) == std::string::npos)
        report.error(place_of(is_own ? node : realm, setting),
                     "found " + url + ", which is the same for every CA of the realm, expected {ca} where the name of CA " +
                         one.name + " is to stand");
    }
  }
}

void check_service(const Node& node, const FurtherCa& one, Report& report) {
  for (const auto& row : kFurtherRows) {
    if (const Node* found = node.find(row.info.name); found != nullptr)
      report.error(*found, "found " + std::string(row.info.name) + " of a key whose purpose is " + one.row.purpose +
                               ", expected validity: upkeep replaces it when two thirds of that are over");
  }
}

void check_ca(const CeremonyPlan& plan, const PlannedCa& ca, const FurtherCa& one, const Node& realm, const Node& node,
              Report& report) {
  if (one.row.subject.empty())
    report.error(node, "found no subject of CA " + one.name + ", expected the name that people review");
  for (const auto* const name : kOfServices) {
    if (const Node* found = node.find(name); found != nullptr)
      report.error(*found, "found " + std::string(name) + " of a CA, expected days: that is for ocsp and ra");
  }
  check_urls(ca, one, realm, node, report);
  if (one.row.is_root() && one.path_length && *one.path_length < 1)
    report.error(place_of(node, "path_length"), "found 0 of a CA that certifies others, expected 1 or more");
  check_within(above_of(plan, ca, one), one.days, one.path_length, node, report);
}

/// As names are compared: letters of either case are the same, and so is any number of blanks (RFC 5280 7.1, of ASCII).
std::string folded(const std::string& subject) {
  std::string text;
  for (const char c : base::to_lower_ascii(subject)) {
    const bool is_spare = c == ' ' && (text.empty() || text.back() == ' ' || text.back() == '=');
    if (c == '/' && text.ends_with(' ')) text.pop_back();
    if (!is_spare) text += c;
  }
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

const std::vector<std::string>& first_of(const std::vector<std::string>& own, const std::vector<std::string>& all) {
  return own.empty() ? all : own;
}

std::string profiles_text(const FurtherCa& one) {
  std::vector<std::string> names;
  for (const auto& profile : one.row.profiles) names.push_back(profile.text());
  return names.empty() ? std::string() : "; profiles " + base::join(names, ", ");
}

std::string act_of_service(const PlannedCa& ca, const FurtherCa& one) {
  const bool in_the_clear = ca.unencrypted || ca.shares != 0;
  return "realm " + ca.realm + ": service " + one.name + ", purpose " + one.row.purpose +
         (one.row.subject.empty() ? "" : ", " + one.row.subject) + ", key " +
         base::to_text(key_of_service(realm_of(ca), one.row).value()) + ", " + config::duration_text(one.row.validity) +
         "; its key is kept " + (in_the_clear ? "without a passphrase" : "with the realm's passphrase") + "; certified by CA " +
         (one.row.issuer.empty() ? std::string(config::kFirstCa) : one.row.issuer);
}

std::string act_of_ca(const CeremonyPlan& plan, const PlannedCa& ca, const FurtherCa& one) {
  auto line = "realm " + ca.realm + ": further CA " + one.name + ", purpose " + one.row.purpose + ", " + one.row.subject +
              ", key " + (one.row.key.empty() ? ca.key : one.row.key) + ", " + std::to_string(one.days) + " days";
  if (one.path_length) line += ", path length " + std::to_string(*one.path_length);
  line += profiles_text(one) + "; its key is kept as the realm's";
  line += urls_text(first_of(one.row.crl_urls, ca.crl_urls), first_of(one.row.ca_issuer_urls, ca.ca_issuer_urls));
  return line + "; certified by " + (one.is_below_root() ? plan.root.realm : "CA " + one.row.issuer);
}

}  // namespace

void check_within(const Above& above, int days, const std::optional<int>& path_length, const Node& node, Report& report) {
  const bool says_days = node.find("days") != nullptr;
  if (days > above.days)
    report.error(place_of(node, "days"), "found " + std::string(says_days ? "" : "no days, which means ") + std::to_string(days) +
                                             (says_days ? " days" : "") + ", expected at most " + above.whose + " " +
                                             std::to_string(above.days));
  const auto& most = above.path_length;
  if (most && *most < 1)
    return report.error(node, "found an issuing CA below a root whose path_length is 0, expected 1 or more there");
  if (most && (!path_length || *path_length >= *most))
    report.error(place_of(node, "path_length"),
                 "found " + (path_length ? "path_length " + std::to_string(*path_length) : std::string("no path_length")) +
                     ", expected less than " + above.whose + ", which is " + std::to_string(*most));
}

bool PlannedCa::has_further_cas() const {
  return std::ranges::any_of(cas, [](const auto& one) { return !one.row.is_service(); });
}

std::string profile_of(const PlannedCa& ca, const FurtherCa& further) { return profile_of(ca) + "-" + further.name; }

void read_planned_cas(const Node& section, PlannedCa& ca, Report& report) {
  if (!config::is_section(section, report)) return;
  if (section.children.size() > kMostFurther)
    return report.error(section, "found " + std::to_string(section.children.size()) + " CAs of a realm, expected at most " +
                                     std::to_string(kMostFurther));
  for (const auto& child : section.children) {
    if (config::has_ca_name(child, report)) ca.cas.push_back(read_row(child, report));
  }
  std::ranges::stable_partition(ca.cas, &FurtherCa::is_below_root);
}

void check_planned_cas(const CeremonyPlan& plan, const PlannedCa& ca, const Node& node, Report& report) {
  if (ca.cas.empty()) return;
  config::check_ca_references(realm_of(ca), node, report);
  const Node& section = place_of(node, config::kCasSection);
  const bool is_root = &ca == &plan.root;
  for (const auto& one : ca.cas) {
    const Node& at = place_of(section, one.name);
    if (one.row.is_service()) {
      check_service(at, one, report);
    } else if (is_root) {
      report.error(at,
                   "found a CA in the root's realm, expected it in that of an issuing CA: one secret opens all keys of a "
                   "realm, and the root's stays offline");
    } else {
      check_ca(plan, ca, one, node, at, report);
    }
  }
}

void check_planned_names(const CeremonyPlan& plan, const std::vector<Node>& nodes, Report& report) {
  std::set<std::string> subjects{folded(plan.root.subject)};
  const auto check_subject = [&](const std::string& subject, const Node& at) {
    if (!subject.empty() && !subjects.insert(folded(subject)).second)
      report.error(place_of(at, "subject"), "found " + base::printable(subject, 200) +
                                                " a second time, expected a subject of its own for each CA, other than in "
                                                "letters' case and blanks");
  };
  std::set<std::string> profiles;
  for (std::size_t i = 0; i < plan.issuing.size() && i < nodes.size(); ++i) {
    check_subject(plan.issuing[i].subject, nodes[i]);
    profiles.insert(profile_of(plan.issuing[i]));
  }
  for (std::size_t i = 0; i < plan.issuing.size() && i < nodes.size(); ++i) {
    const auto& ca = plan.issuing[i];
    for (const auto& one : ca.cas) {
      const Node& at = place_of(place_of(nodes[i], config::kCasSection), one.name);
      if (one.row.is_service()) continue;
      check_subject(one.row.subject, at);
      if (!one.is_below_root()) continue;
      const auto profile = profile_of(ca, one);
      if (!ProfileName::parse(profile).ok())
        report.error_at_name(at, "found a CA whose profile at the root would be " + profile + ", expected shorter names");
      if (!profiles.insert(profile).second)
        report.error_at_name(at, "found a CA whose profile at the root would be " + profile +
                                     ", which another one of the plan has, expected another name");
    }
  }
}

std::vector<std::string> acts_of_cas(const CeremonyPlan& plan, const PlannedCa& ca) {
  std::vector<std::string> acts;
  for (const auto& one : ca.cas) acts.push_back(one.row.is_service() ? act_of_service(ca, one) : act_of_ca(plan, ca, one));
  return acts;
}

std::string settings_of_cas(const PlannedCa& ca) {
  if (ca.cas.empty()) return {};
  Node section = config::map(std::string(config::kCasSection));
  for (const auto& one : ca.cas) {
    Node all = config::map(one.name);
    config::write_settings(config::ca_settings(), one.row, all);
    Node usual = config::map();
    config::write_settings(config::ca_settings(), config::CaConfig(), usual);
    // The purpose is said always, so that none has an empty section.
    std::erase_if(all.children, [&](const Node& child) {
      return child.name != "purpose" && config::one_line(child) == config::one_line(*usual.find(child.name));
    });
    section.children.push_back(std::move(all));
  }
  Node root = config::map();
  root.children.push_back(std::move(section));
  return config::to_yaml(root);
}

}  // namespace chancery::signer
