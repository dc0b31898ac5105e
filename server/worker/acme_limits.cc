#include "server/worker/acme_limits.h"

#include <algorithm>

#include "server/realm/acme_policy.h"
#include "server/worker/acme_common.h"
#include "server/worker/acme_grants.h"
#include "server/worker/acme_refusals.h"
#include "server/worker/acme_renewal.h"
#include "server/worker/acme_terms.h"

namespace chancery::worker {
namespace {

using realm::AcmeLimit;
using std::chrono::seconds;
using Names = std::vector<x509::GeneralName>;

constexpr std::size_t kPurgedAtOnce = 500;
constexpr seconds kShortestWait{1};

std::size_t rows_for(const AcmeLimit& limit) { return static_cast<std::size_t>(std::max(limit.most, 0)); }

/// What its failures are counted by.
std::string limited_name(const store::AcmeAuthorization& authorization) {
  return (authorization.type == "ip" ? "IP:" : "DNS:") + ordered_name(authorization);
}

Error invalid_profile(const ProfileName& profile) {
  return acme_error("invalidProfile", Code::PolicyRefused,
                    "profile " + profile.text() + " is not among those that the account's policy allows");
}

Status check_order_rate(Session& session, store::Store& store, int most, const std::string& account) {
  const AcmeLimit limit{most, realm::kAcmeHour};
  if (limit.most == 0) return {};
  const auto now = session.clock().now();
  PKI_TRY(const auto times, store.acme_order_times(account, now - limit.window, rows_for(limit)));
  const auto wait = realm::wait_for(limit, times, now);
  if (!wait) return {};
  return rate_limited("the account made " + std::to_string(most) + " orders within an hour, its policy allows no more", *wait);
}

/// Names of which there was too much, and how long until there is room for all of them.
struct TooMuch {
  std::vector<BadIdentifier> bad;
  seconds wait = kShortestWait;

  void add(const x509::GeneralName& name, seconds until, const std::string& what) {
    bad.push_back({identifier_of(name), "rateLimited", name.value + ": " + what});
    wait = std::max(wait, until);
  }
  Status status() const { return bad.empty() ? Status() : rate_limited(bad.front().why, wait, bad); }
};

std::string too_many_failures(int most) {
  return std::to_string(most) + " validations of it failed within an hour, the account's policy allows no more";
}

Status check_failures(Session& session, store::Store& store, int most, const NewOrder& order) {
  const AcmeLimit limit{most, realm::kAcmeHour};
  if (limit.most == 0) return {};
  const auto now = session.clock().now();
  TooMuch found;
  for (const auto& name : order.names) {
    PKI_TRY(const auto times, store.acme_failure_times(order.account, name.to_text(), now - limit.window, rows_for(limit)));
    if (const auto wait = realm::wait_for(limit, times, now)) found.add(name, *wait, too_many_failures(most));
  }
  return found.status();
}

/// One that goes on may fail: it is waited for, and fails within its claim or not at all.
Status check_validation(Session& session, store::Store& store, int most, const store::AcmeAuthorization& authorization) {
  const AcmeLimit limit{most, realm::kAcmeHour};
  if (limit.most == 0) return {};
  const auto now = session.clock().now();
  const auto name = limited_name(authorization);
  PKI_TRY(const auto failed, store.acme_failure_times(authorization.account, name, now - limit.window, rows_for(limit)));
  PKI_TRY(const auto going_on, store.acme_validation_ends(authorization.account, name, now, rows_for(limit)));
  if (failed.size() + going_on.size() < rows_for(limit)) return {};
  TooMuch found;
  const auto identifier = x509::GeneralName::parse(name);
  PKI_CHECK(identifier.ok());
  const auto wait = realm::wait_for(limit, failed, now);
  if (wait) found.add(*identifier, *wait, too_many_failures(most));
  if (!wait)
    found.add(
        *identifier, going_on.back() - now,
        "as many validations of it failed within an hour, or go on, as the account's policy allows, " + std::to_string(most));
  return found.status();
}

std::string too_many_certificates(int most) {
  return std::to_string(most) + " certificates have it within a week, the account's policy allows no more";
}

/// How long until a certificate counts no more, or what is being signed has come to nothing.
seconds wait_for_room(const AcmeLimit& limit, const store::AcmeNameInUse& use, Seconds now) {
  if (const auto wait = realm::wait_for(limit, use.certificates, now)) return *wait;
  return std::max<seconds>(use.reservations.back() + kReservationLife - now, kShortestWait);
}

/// @param replaces  the certificate that is to be replaced; empty: none
Status check_certificates(Session& session, store::Store& store, int most, const Names& names, const std::string& replaces) {
  const AcmeLimit limit{most, realm::kAcmeWeek};
  if (limit.most == 0) return {};
  PKI_TRY(const auto due, names_due(session, store, replaces));
  const auto now = session.clock().now();
  TooMuch found;
  for (const auto& name : names) {
    if (due.contains(name)) continue;
    PKI_TRY(const auto times, store.certificate_times(name.to_text(), now - limit.window, rows_for(limit)));
    if (const auto wait = realm::wait_for(limit, times, now)) found.add(name, *wait, too_many_certificates(most));
  }
  return found.status();
}

/// A pending authorization goes when it is answered or expires: at the latest when the one that was made first does.
Status check_pending(Session& session, store::Store& store, int most, const NewOrder& order) {
  if (most == 0 || order.fresh_authorizations == 0) return {};
  const auto now = session.clock().now();
  const auto since = now - session.realm().acme.order_lifetime;
  PKI_TRY(auto ends, store.acme_pending_ends(order.account, since, static_cast<std::size_t>(most)));
  std::erase_if(ends, [&](Seconds end) { return end <= now; });
  if (ends.size() + order.fresh_authorizations <= static_cast<std::size_t>(most)) return {};
  const auto first = ends.empty() ? now : *std::ranges::min_element(ends);
  return rate_limited("the account has " + std::to_string(ends.size()) + " pending authorizations and asks for " +
                          std::to_string(order.fresh_authorizations) + " more, its policy allows " + std::to_string(most),
                      std::max(first - now, kShortestWait));
}

}  // namespace

Result<config::AcmePolicy> policy_of_account(Session& session, store::Store& store, const std::string& account) {
  PKI_TRY(const auto binding, store.acme_binding(account));
  auto policy = realm::policy_of(session.realm().acme, binding.policy);
  if (policy) return std::move(*policy);
  return acme_error("unauthorized", Code::PolicyRefused,
                    "the account's policy, " + binding.policy +
                        ", is not in the realm's configuration any more: the CA's operators "
                        "have to give it another");
}

Status check_names(const config::AcmePolicy& policy, const Names& names) {
  std::vector<BadIdentifier> bad;
  for (const auto& name : names) {
    auto fault = realm::fault_in_acme_name(policy, name);
    if (!fault.empty()) bad.push_back({identifier_of(name), "rejectedIdentifier", std::move(fault)});
  }
  return bad.empty() ? Status() : refuse_identifiers(bad);
}

Result<ProfileName> profile_by(const config::AcmePolicy& policy, const Session& session, const Params& params) {
  if (!params.has("profile")) return realm::profile_without_wish(policy, session.realm().acme.profile);
  PKI_TRY(auto wanted, profile_for(session, params));
  if (!realm::allows_profile(policy, wanted)) return invalid_profile(wanted);
  return wanted;
}

Status check_limits(Session& session, store::Store& store, const config::AcmePolicy& policy, const NewOrder& order) {
  return check_certificates(session, store, policy.certificates_per_name, order.names, order.replaces);
}

store::Allowance allowance_for(Session& session, store::Store& store, const config::AcmePolicy& policy, const NewOrder& order) {
  return [&]() -> Status {
    if (order.is_order) PKI_TRY_VOID(check_order_rate(session, store, policy.orders_per_hour, order.account));
    PKI_TRY_VOID(check_failures(session, store, policy.failed_validations_per_hour, order));
    return check_pending(session, store, policy.pending_authorizations, order);
  };
}

store::Allowance allowance_for(Session& session, store::Store& store, const config::AcmePolicy& policy,
                               const store::AcmeAuthorization& authorization) {
  return [&]() -> Status { return check_validation(session, store, policy.failed_validations_per_hour, authorization); };
}

Status check_finalize(Session& session, store::Store& store, const store::AcmeOrder& order, const Names& names) {
  PKI_TRY(const auto policy, policy_of_account(session, store, order.account));
  PKI_TRY_VOID(check_names(policy, names));
  PKI_TRY_VOID(check_grants(session, store, policy, order));
  PKI_TRY(const auto profile, ProfileName::parse(order.profile));
  if (!realm::allows_profile(policy, profile)) return invalid_profile(profile);
  return check_certificates(session, store, policy.certificates_per_name, names, order.replaces);
}

Status reserve_certificate(Session& session, store::Store& store, const store::AcmeOrder& order, const Names& names) {
  PKI_TRY(const auto policy, policy_of_account(session, store, order.account));
  const AcmeLimit limit{policy.certificates_per_name, realm::kAcmeWeek};
  if (limit.most == 0) return {};
  PKI_TRY(const auto due, names_due(session, store, order.replaces));
  const auto now = session.clock().now();
  store::AcmeReservation wanted{.order = order.id,
                                .names = {},
                                .at = now,
                                .most = rows_for(limit),
                                .since = now - limit.window,
                                .alive_since = now - kReservationLife};
  for (const auto& name : names) {
    if (!due.contains(name)) wanted.names.push_back(name.to_text());
  }
  if (wanted.names.empty()) return {};
  PKI_TRY(const auto full, store.reserve_acme_certificate(wanted));
  TooMuch found;
  for (const auto& name : names) {
    const auto use = std::ranges::find(full, name.to_text(), &store::AcmeNameInUse::name);
    if (use != full.end()) found.add(name, wait_for_room(limit, *use, now), too_many_certificates(limit.most));
  }
  return found.status();
}

store::AcmeValidation validation_of(const store::AcmeAuthorization& authorization, const Json& challenge) {
  return {.account = authorization.account,
          .name = limited_name(authorization),
          .ends = base::from_epoch(challenge.integer("claimed_until")),
          .claim = challenge.text("claim")};
}

store::AcmeFailure failure_of(const store::AcmeValidation& validation, Seconds now) {
  return {.account = validation.account, .name = validation.name, .at = now, .id = random_id()};
}

Status purge_limits(Session& session, store::Store& store) {
  PKI_TRY_VOID(store.purge_acme_reservations(session.clock().now() - kReservationLife, kPurgedAtOnce));
  PKI_TRY_VOID(store.purge_acme_validations(session.clock().now(), kPurgedAtOnce));
  return store.purge_acme_failures(session.clock().now() - realm::kAcmeHour, kPurgedAtOnce);
}

}  // namespace chancery::worker
