#include "server/realm/policy.h"

#include <algorithm>
#include <array>

#include "server/realm/names.h"
#include "server/realm/rules.h"

namespace chancery::realm {
namespace {

using std::chrono::seconds;

/// What every rule looks at.
struct Asked {
  const config::RealmConfig& realm;
  const config::Profile& profile;
  const Authority& authority;
  const Wish& wish;
  const Grant& grant;
  Seconds now;
};

struct Verdict {
  bool passed;
  std::string detail;
  Code code = Code::PolicyRefused;
};

Verdict pass(std::string detail) { return {true, std::move(detail)}; }
Verdict fail(std::string detail, Code code = Code::PolicyRefused) { return {false, std::move(detail), code}; }
Verdict from_fault(std::string fault, std::string good) { return fault.empty() ? pass(std::move(good)) : fail(std::move(fault)); }

/// Both bounds are part of the validity (RFC 5280 4.1.2.5), so a span counts one second more than the difference.
seconds span_of(const Grant& grant) { return grant.not_after - grant.not_before + seconds{1}; }

/// Nobody may say that a certificate was valid long before it was made (CABF BR 7.1.2.7), nor have one that has ended by then.
std::string fault_in_dates(const config::RealmConfig& realm, const Grant& grant, Seconds now) {
  if (grant.not_after <= grant.not_before) {
    return "not_after " + base::to_rfc3339(grant.not_after) + " does not lie after not_before " +
           base::to_rfc3339(grant.not_before);
  }
  if (grant.not_after <= now) return "would have ended already, at " + base::to_rfc3339(grant.not_after);
  if (grant.not_before >= now - realm.backdate - kClockSlack) return {};
  return "would begin " + base::to_rfc3339(grant.not_before) + ", the realm's backdate is " + base::in_words(realm.backdate);
}

std::string fault_in_length(const config::Profile& profile, seconds span) {
  if (span <= profile.validity) return {};
  return "validity of " + base::in_words(span) + ", profile " + profile.name.text() + " allows at most " +
         base::in_words(profile.validity);
}

std::string fault_in_span(const config::Profile& profile, const Authority& authority, const Grant& grant) {
  if (auto fault = fault_in_length(profile, span_of(grant)); !fault.empty()) return fault;
  if (grant.not_after > authority.certificate.not_after())
    return "would outlive the CA, which ends " + base::to_rfc3339(authority.certificate.not_after());
  if (grant.not_before < authority.certificate.not_before())
    return "would begin before the CA, which begins " + base::to_rfc3339(authority.certificate.not_before());
  return {};
}

std::string fault_in_key(const config::Profile& profile, const Authority& authority, const crypto::PublicKey& key) {
  if (base::equal_in_constant_time(key.spki(), authority.certificate.public_key().spki())) return "it is the CA's own key";
  if (!key_is_among(profile.allowed_keys, key.spec()))
    return base::to_text(key.spec()) + " is not among the keys that profile " + profile.name.text() + " allows";
  return {};
}

std::string fault_in_ca_depth(const config::Profile& profile, const Authority& authority) {
  if (!profile.is_ca) return {};
  const auto above = authority.certificate.path_length();
  if (!above) return {};
  if (*above == 0) return "the CA's path length is 0: it may make no CA certificates";
  if (!profile.path_length || *profile.path_length >= *above) {
    return "the profile's path length must be below the CA's, " + std::to_string(*above);
  }
  return {};
}

Verdict role_allows(const Asked& asked) {
  if (asked.wish.roles.allow(asked.profile.least_role))
    return pass("has " + std::string(base::to_text(asked.profile.least_role)));
  return fail("profile " + asked.profile.name.text() + " needs the role " + std::string(base::to_text(asked.profile.least_role)),
              Code::Denied);
}

Verdict key_is_sound(const Asked& asked) {
  if (asked.wish.key.empty()) return pass("it is made here");
  const auto checked = crypto::check_public_key(asked.wish.key);
  return checked.ok() ? pass(base::to_text(asked.wish.key.spec())) : fail(checked.error().message(), Code::BadKey);
}

/// RFC 5280 5.3.1 keyCompromise: a key that others may have proves nothing (CABF BR 6.1.1.3).
Verdict key_is_not_reported(const Asked& asked) {
  return asked.wish.key_report.empty() ? pass("nothing is reported") : fail(asked.wish.key_report, Code::BadKey);
}

Verdict key_is_allowed(const Asked& asked) {
  if (asked.wish.key.empty()) return pass("it is made here");
  auto fault = fault_in_key(asked.profile, asked.authority, asked.wish.key);
  return fault.empty() ? pass(base::to_text(asked.wish.key.spec())) : fail(std::move(fault), Code::BadKey);
}

Verdict names_are_allowed(const Asked& asked) {
  return from_fault(fault_in_names(asked.profile, asked.authority, asked.grant.subject, asked.grant.sans),
                    asked.grant.subject.to_slash());
}

Verdict names_are_not_reserved(const Asked& asked) {
  if (asked.wish.names_are_configured) return pass("the configuration names them");
  const auto reserved = reserved_name(asked.profile, asked.grant.subject, asked.grant.sans);
  if (reserved) return fail("Domain '" + *reserved + "' is reserved and cannot be used");
  return pass("none is reserved");
}

Verdict rules_grant(const Asked& asked) {
  const bool enrols = asked.wish.way == config::kEnrolWay;
  if (!asked.wish.ruling && enrols) return fail("the realm has no rules, so nobody enrols by them");
  if (!asked.wish.ruling) return pass("the realm has no rules");
  const auto& ruling = *asked.wish.ruling;
  return ruling.granted ? pass(ruling.detail) : fail(ruling.detail);
}

std::string fault_in_blocked(const config::RealmConfig& realm, const Grant& grant) {
  const auto blocked = blocked_name(realm.policy, grant.subject, grant.sans);
  return blocked.empty() ? std::string() : blocked + " is blocked by the realm's policy";
}

Verdict names_are_not_blocked(const Asked& asked) {
  return from_fault(fault_in_blocked(asked.realm, asked.grant), "none is blocked");
}

/// Who may do as the holder of such a certificate may make no more of them: an RA no RAs, and nobody below a CA's operator
/// administrators or CAs.
Verdict holders_role_is_given(const Asked& asked) {
  const auto given = config::holders_role(asked.profile);
  if (!given) return pass("gives its holder no role");
  if (asked.wish.keeps_its_key) return pass("the holder's own key");
  if (asked.wish.by_seed && given->by_seed) return pass("a seed stands in for an operator");
  if (asked.wish.roles.allow(kMakesHolders)) return pass("has " + std::string(base::to_text(kMakesHolders)));
  return fail("profile " + asked.profile.name.text() + " makes " + std::string(given->what) + ": only a ca-operator or an " +
                  "administrator may have one certified, or a new key for one",
              Code::Denied);
}

/// Four eyes: what a profile has approved nobody gets without, at no door (doc/four-eyes.md). What the server's own configuration
/// names is approved by whoever may write that.
Verdict approvals_are_given(const Asked& asked) {
  const int missing = asked.wish.ruling ? asked.wish.ruling->points.missing() : 0;
  const auto needed = std::max(asked.profile.approval.needed, missing);
  if (needed == 0) return pass("none is needed");
  if (asked.wish.is_approved) return pass("approved");
  if (asked.wish.names_are_configured) return pass("the configuration names them");
  const auto whose =
      missing > asked.profile.approval.needed ? "policy rule " + asked.wish.ruling->rule : "profile " + asked.profile.name.text();
  return fail(whose + " needs " + std::to_string(needed) + (needed == 1 ? " approval" : " approvals") +
              ", so nobody has a certificate of it issued directly: ask for it with request.create");
}

/// Who has a certificate of an administrator's name and key logs in as one (session.login): names are worth what the CA lets
/// them mean.
Verdict administrators_stay_themselves(const Asked& asked) {
  if (!asked.wish.names_administrator) return pass("no administrator's name");
  if (asked.wish.keeps_its_key && asked.wish.key_is_administrators) return pass("the administrator's own key");
  if (asked.wish.roles.has(Role::Admin)) return pass("an administrator asks");
  return fail(asked.grant.subject.to_slash() +
                  " is one of the realm's administrators: only an administrator may have that name certified, and without "
                  "one it is renewed for the keys alone that are bound to it",
              Code::Denied);
}

std::string fault_in_validity(const Asked& asked) {
  // Of what was asked for, not of what the CA's end leaves of it.
  if (auto fault = fault_in_length(asked.profile, asked.wish.validity.value_or(seconds{0})); !fault.empty()) return fault;
  auto fault = fault_in_dates(asked.realm, asked.grant, asked.now);
  return fault.empty() ? fault_in_span(asked.profile, asked.authority, asked.grant) : fault;
}

Verdict names_fit_constraints(const Asked& asked) {
  return from_fault(fault_against_constraints(asked.profile, asked.authority, asked.grant.subject, asked.grant.sans),
                    "no CA above forbids them");
}

Verdict validity_fits(const Asked& asked) {
  return from_fault(fault_in_validity(asked),
                    base::to_rfc3339(asked.grant.not_before) + " to " + base::to_rfc3339(asked.grant.not_after));
}

Verdict ca_is_alive(const Asked& asked) {
  const auto end = asked.authority.certificate.not_after();
  return asked.now < end ? pass("until " + base::to_rfc3339(end))
                         : fail("the CA's certificate ended " + base::to_rfc3339(end), Code::Unavailable);
}

Verdict ca_depth_fits(const Asked& asked) {
  return from_fault(fault_in_ca_depth(asked.profile, asked.authority),
                    asked.profile.is_ca ? "a CA certificate" : "no CA certificate");
}

struct Rule {
  std::string_view name;
  Verdict (*judge)(const Asked&);
};
constexpr std::array kRules{
    Rule{"role", role_allows},
    Rule{"holders-role", holders_role_is_given},
    Rule{"approvals", approvals_are_given},
    Rule{"ca", ca_is_alive},
    Rule{"key-strength", key_is_sound},
    Rule{"key-report", key_is_not_reported},
    Rule{"key-kind", key_is_allowed},
    Rule{"names", names_are_allowed},
    Rule{"reserved-names", names_are_not_reserved},
    Rule{"blocked-names", names_are_not_blocked},
    Rule{"policy", rules_grant},
    Rule{"administrator", administrators_stay_themselves},
    Rule{"name-constraints", names_fit_constraints},
    Rule{"validity", validity_fits},
    Rule{"ca-depth", ca_depth_fits},
};

/// The validity asked for, to the second (RFC 8555 7.4), else the profile's; one that was not asked for in so many words lies
/// within the CA's (C11).
void set_validity(const config::RealmConfig& realm, const Authority& authority, const Wish& wish, Seconds now, Grant& grant) {
  grant.not_before = wish.not_before.value_or(std::max(now - realm.backdate, authority.certificate.not_before()));
  const auto span = wish.validity.value_or(wish.profile->validity);
  grant.not_after = wish.not_after.value_or(std::min(grant.not_before + span - seconds{1}, authority.certificate.not_after()));
}

}  // namespace

bool key_is_among(const std::vector<base::KeySpec>& rows, const base::KeySpec& key) {
  return rows.empty() || std::ranges::any_of(rows, [&](const base::KeySpec& row) {
           return row.kind == base::KeySpec::Kind::Rsa ? key.kind == row.kind && key.bits >= row.bits : key == row;
         });
}

bool Decision::allowed() const { return std::ranges::all_of(checks, &Check::passed); }

Error Decision::refusal() const {
  std::string faults;
  for (const auto& check : checks) {
    if (!check.passed) faults += (faults.empty() ? "" : "; ") + check.detail;
  }
  return {code, faults, "certificate.preview shows every check"};
}

Decision decide(const config::RealmConfig& realm, const Authority& authority, const Wish& wish, Seconds now,
                const Serial& serial) {
  PKI_CHECK(wish.profile != nullptr);
  const auto subject = subject_for(wish);
  const auto spki = wish.key.spki();
  Decision decision{{},
                    Grant{serial, wish.profile->name, subject, sans_for(wish, subject), Bytes(spki.begin(), spki.end()), {}, {}}};
  set_validity(realm, authority, wish, now, decision.grant);
  decision.binds_administrator = wish.names_administrator && !wish.keeps_its_key && wish.roles.has(Role::Admin);
  if (wish.ruling) decision.policy_rule = wish.ruling->rule;
  decision.ruling = wish.ruling;
  const Asked asked{realm, *wish.profile, authority, wish, decision.grant, now};
  for (const auto& rule : kRules) {
    auto verdict = rule.judge(asked);
    if (!verdict.passed && decision.allowed()) decision.code = verdict.code;
    decision.checks.push_back({std::string(rule.name), verdict.passed, std::move(verdict.detail)});
  }
  return decision;
}

Status check_grant(const config::RealmConfig& realm, const config::Profile& profile, const Authority& authority,
                   const Grant& grant, Seconds now) {
  PKI_TRY(const auto key, crypto::PublicKey::from_spki(grant.spki));
  PKI_TRY_VOID(crypto::check_public_key(key));
  if (auto fault = fault_in_key(profile, authority, key); !fault.empty()) return Error(Code::BadKey, std::move(fault));
  for (auto fault :
       {fault_in_names(profile, authority, grant.subject, grant.sans), fault_in_blocked(realm, grant),
        fault_in_dates(realm, grant, now), fault_in_span(profile, authority, grant),
        fault_against_constraints(profile, authority, grant.subject, grant.sans), fault_in_ca_depth(profile, authority)}) {
    if (!fault.empty()) return Error(Code::PolicyRefused, std::move(fault));
  }
  return {};
}

}  // namespace chancery::realm
