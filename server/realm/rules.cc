#include "server/realm/rules.h"

#include <algorithm>
#include <array>
#include <span>

#include "server/base/text.h"
#include "server/realm/hosts.h"
#include "server/realm/names.h"
#include "server/realm/proofs.h"
#include "server/realm/rule_templates.h"

namespace chancery::realm {
namespace {

using config::PolicyRule;
using Type = x509::GeneralName::Type;

constexpr std::string_view kWildcard = "*.";
constexpr std::size_t kMostNearest = 3;
constexpr std::size_t kMostCompared = 1000;            ///< so that a refusal takes no longer with ten thousand rules
constexpr std::string_view kUnsaidProfile = "server";  // as certificate.enrol's parameter

template <class Item, class Value>
bool lists(const std::vector<Item>& items, const Value& value) {
  return items.empty() || std::ranges::find(items, value) != items.end();
}

template <class Pattern>
bool means(const std::vector<Pattern>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const Pattern& one) { return one.matches(text); });
}

bool means(const base::NamePattern& pattern, const x509::GeneralName& name) {
  if (name.type == Type::Ip) return pattern.matches_address(x509::ip_octets(name.value));
  return pattern.matches_name(name.value);
}

bool name_is_meant(const PolicyRule& rule, const x509::GeneralName& name) {
  switch (name.type) {
    case Type::Dns:
    case Type::Ip: return std::ranges::any_of(rule.names, [&](const base::NamePattern& one) { return means(one, name); });
    case Type::Email: return means(rule.emails, name.value);
    case Type::Uri: return means(rule.uris, name.value);
  }
  return false;
}

/// Of a rule that denies: a wildcard counts where it stands for one that is meant.
bool name_is_touched(const PolicyRule& rule, const x509::GeneralName& name) {
  if (name_is_meant(rule, name)) return true;
  if (name.type != Type::Dns || !name.value.starts_with(kWildcard)) return false;
  const auto parent = std::string_view(name.value).substr(kWildcard.size());
  return std::ranges::any_of(rule.names, [&](const base::NamePattern& one) { return one.is_below(parent); });
}

/// Those, and what of the common name a verifier could take for a host's.
std::vector<x509::GeneralName> names_of(const x509::Name& subject, std::vector<x509::GeneralName> sans) {
  if (const auto name = subject.common_name()) {
    if (auto host = as_host(*name)) sans.push_back(std::move(*host));
  }
  return sans;
}

bool denies(const PolicyRule& rule) { return rule.decision == "deny"; }

bool enrols(const Question& asked) { return asked.way == config::kEnrolWay; }

/// Who enrols has no role that would keep it from a profile, so a rule that names none grants the one that is asked for unsaid.
Result<bool> holds_for_profile(const PolicyRule& rule, const Question& asked, const Facts&) {
  if (rule.profiles.empty() && enrols(asked) && !denies(rule)) return asked.profile.name.text() == kUnsaidProfile;
  return lists(rule.profiles, asked.profile.name);
}

/// What is denied whatever the way is denied to who needs no role all the more.
Result<bool> holds_for_way(const PolicyRule& rule, const Question& asked, const Facts&) {
  return rule.is_for(asked.way) || (rule.ways.empty() && denies(rule));
}

Result<bool> holds_for_requester(const PolicyRule& rule, const Question& asked, const Facts&) {
  return rule.requesters.empty() || means(rule.requesters, asked.requester);
}

Result<bool> holds_for_roles(const PolicyRule& rule, const Question& asked, const Facts&) {
  return rule.roles.empty() || std::ranges::any_of(rule.roles, [&](const std::string& name) {
           const auto role = base::role_from_text(name);
           return role.ok() ? asked.roles.allow(*role) : std::ranges::find(asked.role_names, name) != asked.role_names.end();
         });
}

/// A rule about names holds for no request without any: it would say nothing about what the certificate means. What is granted is
/// granted for all of them; what is denied for one is not had with a harmless one beside it.
Result<bool> holds_for_names(const PolicyRule& rule, const Question& asked, const Facts&) {
  if (rule.names.empty() && rule.emails.empty() && rule.uris.empty()) return true;
  if (denies(rule))
    return std::ranges::any_of(names_of(asked.subject, asked.sans),
                               [&](const x509::GeneralName& name) { return name_is_touched(rule, name); });
  return !asked.sans.empty() &&
         std::ranges::all_of(asked.sans, [&](const x509::GeneralName& name) { return name_is_meant(rule, name); });
}

Result<bool> holds_for_subject(const PolicyRule& rule, const Question& asked, const Facts&) {
  return rule.subjects.empty() || means(rule.subjects, asked.subject.to_slash());
}

/// A common name that says something else than the names that are granted: verifiers and people read it, too.
bool is_other_name(const PolicyRule& rule, const Question& asked, std::string_view common_name) {
  const auto host = as_host(common_name);
  if (host && (std::ranges::find(asked.sans, *host) != asked.sans.end() || name_is_meant(rule, *host))) return false;
  const auto lower = base::to_lower_ascii(common_name);
  const bool is_meant = std::ranges::any_of(rule.names, [&](const base::NamePattern& one) { return one.matches_name(lower); });
  return !is_meant && std::ranges::none_of(
                          asked.sans, [&](const x509::GeneralName& name) { return base::to_lower_ascii(name.value) == lower; });
}

/// What the profile writes into every subject is nobody's claim.
bool is_profiles(const Question& asked, const x509::Attribute& attribute) {
  return std::ranges::any_of(asked.profile.subject,
                             [&](const auto& one) { return one.first == attribute.type && one.second == attribute.value; });
}

/// Look-ups are asked about a common name only where there are no other names.
bool is_about_names(const PolicyRule& rule, const Question& asked) {
  const bool asks =
      !rule.look_ups.empty() || std::ranges::find(rule.proofs, "look_up", &config::Proof::kind) != rule.proofs.end();
  return !rule.names.empty() || (asks && enrols(asked) && !asked.sans.empty());
}

/// A rule that grants names grants no more by a subject that it does not speak of.
Result<bool> subject_says_no_more(const PolicyRule& rule, const Question& asked, const Facts&) {
  if (denies(rule) || !is_about_names(rule, asked) || !rule.subjects.empty() || !rule.subject.empty()) return true;
  return std::ranges::none_of(asked.subject.attributes, [&](const x509::Attribute& one) {
    if (one.type == "CN") return !one.value.empty() && is_other_name(rule, asked, one.value);
    return enrols(asked) && !is_profiles(asked, one);
  });
}

Result<bool> holds_for_key(const PolicyRule& rule, const Question& asked, const Facts&) {
  return !asked.key || key_is_among(rule.keys, *asked.key);
}

Result<bool> holds_for_validity(const PolicyRule& rule, const Question& asked, const Facts&) {
  return rule.max_validity.count() == 0 || !asked.validity || *asked.validity <= rule.max_validity;
}

Result<bool> holds_for_renewal(const PolicyRule& rule, const Question& asked, const Facts&) {
  return rule.renews_within.count() == 0 || (asked.renews_left && *asked.renews_left <= rule.renews_within);
}

Result<bool> subject_has_room(const PolicyRule& rule, const Question& asked, const Facts& facts) {
  if (rule.max_living_per_subject == 0 || rule.revoke_replaced) return true;
  PKI_TRY(const int living, facts.living_of_subject(asked.subject.to_slash(), rule.max_living_per_subject));
  return living < rule.max_living_per_subject;
}

Result<bool> requester_has_room(const PolicyRule& rule, const Question& asked, const Facts& facts) {
  if (rule.max_living_per_requester == 0) return true;
  PKI_TRY(const int living, facts.living_of_requester(asked.requester, rule.max_living_per_requester));
  return living < rule.max_living_per_requester;
}

Result<bool> replaces_what_it_may(const PolicyRule& rule, const Question& asked, const Facts& facts) {
  if (rule.replaces.empty()) return true;
  PKI_TRY(const auto standing, facts.standing_of(asked.subject.to_slash()));
  return lists(rule.replaces, standing);
}

Result<bool> all_say_yes(const std::vector<std::string>& look_ups, const Question& about, const Facts& facts) {
  for (const auto& where : look_ups) {
    PKI_TRY(const bool says_yes, facts.look_up(where, about));
    if (!says_yes) return false;
  }
  return true;
}

Result<bool> look_ups_say_yes(const PolicyRule& rule, const Question& asked, const Facts& facts) {
  auto about = asked;
  about.one_is_enough = denies(rule);
  // E-mail addresses and URIs that the rule means by itself need nobody's yes; others do, like names of hosts.
  if (!denies(rule)) {
    std::erase_if(about.sans, [&](const x509::GeneralName& name) {
      return (name.type == Type::Email && means(rule.emails, name.value)) ||
             (name.type == Type::Uri && means(rule.uris, name.value));
    });
  }
  return all_say_yes(rule.look_ups, about, facts);
}

Result<bool> is_eligible(const PolicyRule& rule, const Question& asked, const Facts& facts) {
  auto about = asked;
  about.as_a_whole = true;
  return all_say_yes(rule.eligible, about, facts);
}

constexpr std::string_view kNames = "names";

/// The conditions, the costly ones last.
struct Condition {
  std::string_view setting;
  Result<bool> (*holds)(const PolicyRule&, const Question&, const Facts&);
};
constexpr std::array kConditions{
    Condition{"profiles", holds_for_profile},
    Condition{"ways", holds_for_way},
    Condition{kNames, holds_for_names},
    Condition{"names of the subject", subject_says_no_more},
    Condition{"requesters", holds_for_requester},
    Condition{"roles", holds_for_roles},
    Condition{"subjects", holds_for_subject},
    Condition{"keys", holds_for_key},
    Condition{"max_validity", holds_for_validity},
    Condition{"renews_within", holds_for_renewal},
    Condition{"max_living_per_subject", subject_has_room},
    Condition{"max_living_per_requester", requester_has_room},
    Condition{"replaces", replaces_what_it_may},
};
/// How many of them say whether a rule is for such a request, its names included.
constexpr std::size_t kUpToNames = 3;
static_assert(kConditions[kUpToNames - 1].setting == kNames);
/// Those that ask somebody else.
constexpr std::array kQuestions{
    Condition{"look_ups", look_ups_say_yes},
    Condition{"eligible", is_eligible},
};

Error within(const PolicyRule& rule, const Error& why) {
  return {why.code(), "policy rule " + rule.name + ": " + why.message(), why.hint()};
}

/// The first of the conditions that does not hold; an empty text: all of them do.
Result<std::string_view> fault_among(std::span<const Condition> conditions, const PolicyRule& rule, const Question& asked,
                                     const Facts& facts) {
  for (const auto& condition : conditions) {
    PKI_TRY(const bool holds, condition.holds(rule, asked, facts));
    if (!holds) return condition.setting;
  }
  return std::string_view();
}

/// A stranger without proofs causes no questions.
Result<std::string_view> find_fault(const PolicyRule& rule, const Question& asked, const Facts& facts, Points& points) {
  PKI_TRY(const auto fault, fault_among(kConditions, rule, asked, facts));
  if (!fault.empty()) return fault;
  const bool is_next = rule.if_short == "next";
  PKI_TRY(const auto seen, see_proofs(rule, asked, facts));
  if (is_next && !may_be_enough(rule, seen)) return std::string_view("proofs");
  PKI_TRY(const auto doubt, fault_among(kQuestions, rule, asked, facts));
  if (!doubt.empty()) return doubt;
  PKI_TRY(points, count_points(rule, asked, facts, seen));
  return points.missing() > 0 && is_next ? std::string_view("proofs") : std::string_view();
}

/// @param points  what its proofs come to, where all else holds
/// @return the first condition that does not hold; an empty text: all of them do.
Result<std::string_view> fault_in(const PolicyRule& rule, const Question& asked, const Facts& facts, Points& points) {
  auto fault = find_fault(rule, asked, facts, points);
  if (!fault.ok()) return within(rule, fault.error());
  return fault;
}

/// The numbers of the rules that may hold, in their order: those for any name, and those whose names end as the first DNS name
/// that is asked for does. Rules by tail hold for no request without a DNS name.
std::vector<std::uint32_t> candidates(const config::PolicyIndex& index, const std::vector<x509::GeneralName>& sans) {
  auto numbers = index.others;
  const auto dns = std::ranges::find(sans, Type::Dns, &x509::GeneralName::type);
  if (dns == sans.end()) return numbers;
  const auto add = [&](std::string_view tail) {
    const auto found = index.by_tail.find(tail);
    if (found != index.by_tail.end()) numbers.insert(numbers.end(), found->second.begin(), found->second.end());
  };
  const std::string_view name = dns->value;
  add(name);
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) add(name.substr(dot));
  std::ranges::sort(numbers);
  return numbers;
}

Result<Ruling> ruling_of(const PolicyRule& rule, const Question& question, Points points) {
  Ruling ruling;
  ruling.granted = rule.decision == "grant";
  ruling.rule = rule.name;
  ruling.detail = (ruling.granted ? "granted by rule " : "denied by rule ") + rule.name + in_words(points);
  ruling.points = std::move(points);
  ruling.asks_people = rule.if_short == "request";
  ruling.most_of_subject = rule.revoke_replaced ? 0 : rule.max_living_per_subject;
  ruling.most_of_requester = rule.max_living_per_requester;
  ruling.revoke_replaced = rule.revoke_replaced;
  if (rule.max_validity.count() != 0) ruling.most_validity = rule.max_validity;
  if (!rule.subject.empty()) {
    PKI_TRY(ruling.subject, subject_from_template(rule.subject, question));
  }
  if (!rule.sans.empty()) {
    PKI_TRY(ruling.sans, sans_from_templates(rule.sans, question));
  }
  return ruling;
}

/// What to people who wonder says more than that no rule holds.
struct Nearest {
  std::vector<std::string> texts;
  void add(const PolicyRule& rule, std::string_view fault) {
    const bool is_about_it = fault != "profiles" && fault != "ways";
    if (is_about_it && texts.size() < kMostNearest) texts.push_back(text_of(rule, fault));
  }
  static std::string text_of(const PolicyRule& rule, std::string_view fault) {
    return rule.name + " by its " + std::string(fault);
  }
};

/// How many octets two names have in common at their ends, from a dot on or wholly.
std::size_t common_end(std::string_view one, std::string_view other) {
  const auto most = std::min(one.size(), other.size());
  std::size_t common = 0;
  std::size_t whole = 0;
  while (common < most && one[one.size() - 1 - common] == other[other.size() - 1 - common]) {
    ++common;
    if (one[one.size() - common] == '.') whole = common;
  }
  const bool is_one = common == most && (common == one.size() || one[one.size() - 1 - common] == '.') &&
                      (common == other.size() || other[other.size() - 1 - common] == '.');
  return is_one ? common : whole;
}

/// How much of the end of the name the rule means.
std::size_t nearness(const PolicyRule& rule, std::string_view name) {
  std::size_t most = 0;
  for (const auto& pattern : rule.names) most = std::max(most, common_end(name, pattern.tail()));
  return most;
}

/// The rule that would have been for such a request, had its names been others: the first of those whose names end most as the
/// DNS name that is asked for, among the first kMostCompared. Of them those alone are missing that candidates() passes over.
/// Nobody is asked for it. @return null: there is none.
Result<const PolicyRule*> nearest_by_names(const config::PolicyConfig& policy, const Question& asked, const Facts& facts) {
  const auto conditions = std::span(kConditions).first(kUpToNames);
  const auto dns = std::ranges::find(asked.sans, Type::Dns, &x509::GeneralName::type);
  const auto name = dns == asked.sans.end() ? std::string_view() : std::string_view(dns->value);
  const PolicyRule* nearest = nullptr;
  std::size_t most = 0;
  for (const auto& rule : std::span(policy.rules).first(std::min(policy.rules.size(), kMostCompared))) {
    if (rule.names.empty() || denies(rule)) continue;
    const auto near = nearness(rule, name);
    if (nearest != nullptr && near <= most) continue;
    PKI_TRY(const auto fault, fault_among(conditions, rule, asked, facts));
    if (fault != kNames) continue;
    nearest = &rule;
    most = near;
  }
  return nearest;
}

}  // namespace

Result<Ruling> ask_rules(const config::PolicyConfig& policy, const Question& question, const Facts& facts) {
  Nearest nearest;
  const auto numbers = policy.index ? candidates(*policy.index, question.sans) : std::vector<std::uint32_t>();
  for (const auto number : numbers) {
    const auto& rule = policy.rules[number];
    Points points;
    PKI_TRY(const auto fault, fault_in(rule, question, facts, points));
    if (fault.empty()) return ruling_of(rule, question, std::move(points));
    nearest.add(rule, fault);
  }
  Ruling ruling;
  ruling.granted = policy.otherwise == "grant" && question.way != config::kEnrolWay;
  ruling.detail = ruling.granted ? "no rule holds, so it is granted" : "no rule of the realm's policy grants it";
  if (ruling.granted) return ruling;
  PKI_TRY(const auto* by_names, nearest_by_names(policy, question, facts));
  if (by_names != nullptr) {
    auto text = Nearest::text_of(*by_names, kNames);
    if (std::ranges::find(nearest.texts, text) == nearest.texts.end()) nearest.texts.push_back(std::move(text));
  }
  if (!nearest.texts.empty()) ruling.detail += ": it misses " + base::join(nearest.texts, ", ");
  return ruling;
}

Result<Ruling> rule_on(const config::RealmConfig& realm, const Wish& wish, Seconds now, const Facts& facts) {
  const auto subject = subject_for(wish);
  Question question{.profile = *wish.profile,
                    .way = wish.way,
                    .requester = wish.requester,
                    .roles = wish.roles,
                    .role_names = wish.role_names,
                    .subject = subject,
                    .sans = sans_for(wish, subject),
                    .key = {},
                    .validity = wish.validity,
                    .renews_left = {},
                    .is_holders = wish.is_holders};
  if (!wish.key.empty() && !wish.key_stands_in) question.key = wish.key.spec();
  if (wish.not_after) question.validity = *wish.not_after - wish.not_before.value_or(now);
  if (wish.follows_until) question.renews_left = std::max(*wish.follows_until - now, Seconds::duration{0});
  return ask_rules(realm.policy, question, facts);
}

void apply(const Ruling& ruling, Wish& wish) {
  if (ruling.granted && ruling.most_validity && !wish.validity && !wish.not_after)
    wish.validity = std::min<std::chrono::seconds>(*ruling.most_validity, wish.profile->validity);
  if (ruling.subject) {
    wish.subject = *ruling.subject;
    wish.subject_from = SubjectFrom::Rule;
  }
  if (ruling.sans) wish.sans = *ruling.sans;
  // Who enrols has no role: the rule stands in for it, but makes nobody what takes an operator to make.
  if (wish.way == config::kEnrolWay && ruling.granted && !config::holders_role(*wish.profile))
    wish.roles.add(wish.profile->least_role);
  wish.ruling = ruling;
}

std::string blocked_name(const config::PolicyConfig& policy, const x509::Name& subject,
                         const std::vector<x509::GeneralName>& sans) {
  for (const auto& name : names_of(subject, sans)) {
    const bool is_wildcard = name.type == Type::Dns && name.value.starts_with(kWildcard);
    const bool is_blocked = std::ranges::any_of(policy.blocked_names, [&](const base::NamePattern& one) {
      if (name.type != Type::Dns && name.type != Type::Ip) return false;
      return means(one, name) || (is_wildcard && one.is_below(std::string_view(name.value).substr(kWildcard.size())));
    });
    if (is_blocked) return name.value;
  }
  return {};
}

std::string way_of(std::string_view rule) {
  const auto end = std::ranges::find_if_not(rule, [](char c) { return c >= 'a' && c <= 'z'; });
  return std::string(rule.begin(), end);
}

}  // namespace chancery::realm
