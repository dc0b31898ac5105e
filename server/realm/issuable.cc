#include "server/realm/issuable.h"

#include <algorithm>
#include <array>
#include <utility>

#include "server/realm/assemble.h"
#include "server/realm/hosts.h"
#include "server/x509/name_constraints.h"

namespace chancery::realm {
namespace {

using Type = x509::GeneralName::Type;

/// No host's name: it has a space.
constexpr const char* kSomebody = "Some Body";

struct Advice {
  std::string_view rule;
  std::string_view text;
};
constexpr std::array kAdvice{
    Advice{"key-kind", "change allowed_keys or key"},
    Advice{"names", "change domain, altnames, san_types or subject so that some name fits"},
    Advice{"name-constraints", "set a domain and a subject that the CA may certify, or have the CA's certificate made anew"},
    Advice{"validity", "change duration, or renew the CA's certificate"},
    Advice{"ca-depth", "set a pathLen below the CA's, take the profile away, or have the CA's certificate made anew"},
    Advice{"lint", "change keyUsage, extendedKeyUsage or allowed_keys so that they fit one another"},
};

std::string advice_for(std::string_view rule) {
  const auto* row = std::ranges::find(kAdvice, rule, &Advice::rule);
  return std::string(row == kAdvice.end() ? "change the profile, or have the CA's certificate made anew" : row->text);
}

void add_name(std::vector<x509::GeneralName>& names, const std::string& text) {
  if (auto name = x509::GeneralName::parse(text); name.ok() && std::ranges::find(names, *name) == names.end())
    names.push_back(std::move(*name));
}

/// What the CAs permit, the realm's own and those above it.
x509::NameConstraints::Samples permitted_by(const Authority& authority) {
  auto chain = authority.above;
  chain.insert(chain.begin(), authority.certificate);
  x509::NameConstraints::Samples out;
  for (const auto& ca : chain) {
    const auto constraints = x509::name_constraints_of(ca);
    if (!constraints.ok() || !*constraints) continue;
    auto more = (*constraints)->samples();
    out.names.insert(out.names.end(), more.names.begin(), more.names.end());
    out.directories.insert(out.directories.end(), more.directories.begin(), more.directories.end());
  }
  return out;
}

/// Alternative names that a request might bring, the likely ones first. A server's are a host's: verifiers look at no others
/// (RFC 9525 6.3), so a certificate without one would be of no use.
std::vector<x509::GeneralName> possible_names(const config::Profile& profile, const x509::NameConstraints::Samples& permitted) {
  std::vector<std::string> hosts;
  if (!profile.domain.empty()) hosts = {"www." + profile.domain, profile.domain};
  for (const auto& one : permitted.names) {
    if (one.type == Type::Dns) hosts.push_back(one.value);
  }
  hosts.insert(hosts.end(), {"www.example.com", "www.example.org"});
  std::vector<x509::GeneralName> names;
  for (const auto& host : hosts) {
    for (const auto& text : {"DNS:" + host, "EMAIL:somebody@" + host, "URI:https://" + host + "/"}) add_name(names, text);
  }
  names.insert(names.end(), permitted.names.begin(), permitted.names.end());
  for (const auto* address : {"IP:192.0.2.1", "IP:2001:db8::1"}) add_name(names, address);
  if (is_for_servers(profile))
    std::erase_if(names, [](const x509::GeneralName& one) { return one.type != Type::Dns && one.type != Type::Ip; });
  return names;
}

Wish new_wish(const config::Profile& profile) {
  Wish wish;
  wish.profile = &profile;
  wish.roles = Roles{Role::Admin};  // some may always: what is asked here is whether a certificate is possible
  wish.is_approved = true;
  return wish;
}

x509::Name with_common_name(x509::Name subject, const std::string& common_name) {
  subject.attributes.push_back({"CN", common_name});
  return subject;
}

/// Requests below one subject: somebody's, and for each name one that brings it in each way there is.
std::vector<Wish> wishes_below(const config::Profile& profile, const x509::Name& start,
                               const std::vector<x509::GeneralName>& names) {
  std::vector<Wish> wishes;
  const auto add = [&](x509::Name subject, std::vector<x509::GeneralName> sans) {
    auto wish = new_wish(profile);
    wish.subject = std::move(subject);
    wish.sans = std::move(sans);
    wishes.push_back(std::move(wish));
  };
  for (const auto& one : names) {
    add(start, {one});
    add(with_common_name(start, kSomebody), {one});
    if (one.type == Type::Dns || one.type == Type::Ip) add(with_common_name(start, one.value), {});
  }
  // A server's request names a server; everybody else's names somebody, first of all.
  const auto place = is_for_servers(profile) ? wishes.end() : wishes.begin();
  auto person = new_wish(profile);
  person.subject = with_common_name(start, kSomebody);
  wishes.insert(place, std::move(person));
  return wishes;
}

std::vector<Wish> possible_wishes(const config::Profile& profile, const Authority& authority) {
  auto permitted = permitted_by(authority);
  const auto names = possible_names(profile, permitted);
  permitted.directories.insert(permitted.directories.begin(), x509::Name());
  std::vector<Wish> wishes;
  for (const auto& start : permitted.directories) {
    auto more = wishes_below(profile, start, names);
    std::ranges::move(more, std::back_inserter(wishes));
  }
  return wishes;
}

/// Keys of each kind that the profile allows; those first that are made at once.
std::vector<base::KeySpec> possible_keys(const config::Profile& profile) {
  using Kind = base::KeySpec::Kind;
  auto keys = profile.allowed_keys;
  if (keys.empty()) keys = {{Kind::Ec, 256}, {Kind::Rsa, 2048}};
  std::stable_partition(keys.begin(), keys.end(), [](const base::KeySpec& key) { return key.kind != Kind::Rsa; });
  return keys;
}

/// The refusal that came closest: of the request that broke the fewest rules.
class Closest {
 public:
  /// @return whether nothing is refused.
  bool look_at(const Decision& decision) {
    const auto failed = std::ranges::count(decision.checks, false, &Check::passed);
    if (failed == 0) return true;
    if (fewest_ != 0 && fewest_ <= failed) return false;
    fewest_ = failed;
    const auto first = std::ranges::find(decision.checks, false, &Check::passed);
    std::string names = decision.grant.subject.to_slash();
    for (const auto& san : decision.grant.sans) names += (names.empty() ? "" : ", ") + san.to_text();
    obstacle_ = {decision.refusal().message() + ", asked for " + names, advice_for(first->rule)};
    return false;
  }
  Obstacle obstacle() && { return std::move(obstacle_); }

 private:
  std::ptrdiff_t fewest_ = 0;
  Obstacle obstacle_;
};

/// Names first, since keys take time to make. @return what is in the way of all of them.
std::optional<Obstacle> obstacle_to_all(const config::RealmConfig& realm, const config::Profile& profile,
                                        const Authority& authority, std::vector<Wish> wishes, Seconds now) {
  const auto serial = Serial::random();
  Closest names;
  std::erase_if(wishes, [&](const Wish& wish) { return !names.look_at(decide(realm, authority, wish, now, serial)); });
  if (wishes.empty()) return std::move(names).obstacle();
  Closest keys;
  for (const auto& spec : possible_keys(profile)) {
    const auto key = crypto::PrivateKey::generate(spec);
    if (!key.ok()) continue;  // the configuration's checks name the kinds that there are
    for (auto& wish : wishes) {
      wish.key = key->public_key();
      auto decision = decide(realm, authority, wish, now, serial);
      if (decision.allowed()) decision.checks.push_back(lint_check(realm, profile, authority, decision.grant));
      if (keys.look_at(decision)) return std::nullopt;
    }
  }
  return std::move(keys).obstacle();
}

}  // namespace

std::optional<Obstacle> obstacle_to_profile(const config::RealmConfig& realm, const config::Profile& profile,
                                            const Authority& authority, Seconds now) {
  return obstacle_to_all(realm, profile, authority, possible_wishes(profile, authority), now);
}

std::optional<Obstacle> obstacle_to_subject(const config::RealmConfig& realm, const config::Profile& profile,
                                            const Authority& authority, Seconds now) {
  const auto named = std::ranges::find(profile.subject, "CN", &std::pair<std::string, std::string>::first);
  if (profile.subject_from_request || named == profile.subject.end() || named->second.empty()) return std::nullopt;
  std::vector<Wish> wishes{new_wish(profile)};
  wishes.front().subject = with_common_name({}, named->second);
  for (const auto& one : possible_names(profile, permitted_by(authority))) {
    if (!profile.altnames) break;
    wishes.push_back(wishes.front());
    wishes.back().sans = {one};
  }
  return obstacle_to_all(realm, profile, authority, std::move(wishes), now);
}

}  // namespace chancery::realm
