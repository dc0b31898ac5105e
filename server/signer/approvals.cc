#include "server/signer/approvals.h"

#include <algorithm>

#include "server/base/approval_text.h"
#include "server/realm/request_content.h"
#include "server/x509/certificate.h"

namespace chancery::signer {
namespace {

Error refused(std::string what) {
  return {Code::PolicyRefused, std::move(what), "request.create, then request.approve by others"};
}

/// That the request is one that a certificate may be made for, with these dates, now.
Status check_frame(const SignRequest& request, Seconds now) {
  const auto& approved = *request.approved;
  PKI_TRY(const auto kind, realm::request_kind(approved.kind));
  if (!realm::is_certified(kind)) return refused("a request for a " + approved.kind + " makes no certificate");
  if (request.idempotency_key != key_of_request(approved.id))
    return refused("the certificate of request " + approved.id + " is asked for under another idempotency key");
  if (now >= approved.expires) return refused("request " + approved.id + " expired " + base::to_rfc3339(approved.expires));
  const auto span = request.not_after - request.not_before + std::chrono::seconds{1};
  if (span > approved.validity)
    return refused("validity of " + base::in_words(span) + ", approved are " + base::in_words(approved.validity));
  return {};
}

/// What people were shown, built anew of what is to be signed.
Result<std::string> digest_for(const config::RealmConfig& realm, const config::Profile& profile, const SignRequest& request) {
  const auto& approved = *request.approved;
  realm::RequestContent content;
  content.realm = realm.name.text();
  content.id = approved.id;
  PKI_TRY(content.kind, realm::request_kind(approved.kind));
  content.requester = request.requester;
  content.front_end = request.front_end;
  content.expires = approved.expires;
  content.certificate = approved.certificate;
  content.validity = approved.validity;
  const realm::Grant grant{request.serial, request.profile,    request.subject,  request.sans,
                           request.spki,   request.not_before, request.not_after};
  realm::set_grant(content, grant, profile);
  return realm::digest_of(content);
}

/// That the certificate is one of the journal's, as it was signed. @return the profile that it was made by
Result<std::string> profile_in_journal(const Journal& journal, const x509::Certificate& certificate) {
  PKI_TRY(const auto entry, journal.signed_entry(certificate.serial()));
  if (!entry) return refused("approver's certificate " + certificate.serial().hex() + " is not in the journal");
  const bool is_it = entry->imported ? base::equal_in_constant_time(entry->imported->certificate, certificate.der())
                                     : base::equal_in_constant_time(entry->intent.tbs, certificate.tbs()) && entry->signature &&
                                           base::equal_in_constant_time(*entry->signature, certificate.signature());
  if (!is_it) return refused("approver's certificate " + certificate.serial().hex() + " is another one in the journal");
  return entry->intent.profile;
}

/// What is demanded of approvals, and of what.
struct Demand {
  const std::vector<ProfileName>& signers;
  std::size_t needed;
  std::string of;  ///< "profile webserver"

  std::string text() const { return of + " needs " + std::to_string(needed) + " signed approvals"; }
};

/// What the journal has signed is the realm's, whichever generation of its CAs it was.
Status check_approver(const Demand& demand, const Journal& journal, const x509::Certificate& certificate, Seconds now) {
  const auto serial = certificate.serial().hex();
  PKI_TRY(const auto made_by, profile_in_journal(journal, certificate));
  const auto& may = demand.signers;
  if (std::ranges::find(may, made_by, &ProfileName::text) == may.end())
    return refused("approver's certificate " + serial + " is of profile " + made_by + ", which approves nothing of " + demand.of);
  if (now < certificate.not_before() || now > certificate.not_after())
    return refused("approver's certificate " + serial + " is not valid now");
  if (journal.is_revoked(certificate.serial())) return refused("approver's certificate " + serial + " is revoked");
  return {};
}

/// @return the approver's identity
Result<std::string> check_one(const Demand& demand, const Journal& journal, const SignedApproval& approval,
                              const std::string& digest, Seconds now) {
  PKI_TRY(const auto certificate, x509::Certificate::from_der(approval.certificate));
  PKI_TRY_VOID(check_approver(demand, journal, certificate, now));
  const auto key = certificate.public_key();
  PKI_TRY(const auto algorithm, crypto::algorithm_for(key.spec(), "sha256"));
  if (!key.verify(algorithm, base::as_bytes(base::approval_text(digest)), approval.signature).ok())
    return refused("the signature by certificate " + certificate.serial().hex() + " is not over this request's digest, " +
                   digest);
  return "cert:" + certificate.subject().to_slash();
}

/// That enough different people, none of whom asks, signed that digest.
Status check_people(const Demand& demand, const Journal& journal, const std::vector<SignedApproval>& approvals,
                    const std::string& digest, const std::string& requester, Seconds now) {
  std::vector<std::string> approvers;
  std::string faults;
  for (const auto& approval : approvals) {
    auto approver = check_one(demand, journal, approval, digest, now);
    if (!approver.ok()) {
      faults += "; " + approver.error().message();
      continue;
    }
    approvers.push_back(std::move(*approver));
  }
  const auto people = realm::count_people(approvers, requester);
  if (people >= demand.needed) return {};
  return refused(demand.text() + " by different people who do not ask themselves, found " + std::to_string(people) + faults);
}

bool covers(const ApprovedRequest& approved, const RolloverDeed& deed) {
  if (approved.step == deed.step) return true;
  return approved.step == realm::kWholeRollover && deed.step != "abort";
}

/// What people were shown, built anew of what is to be done.
std::string digest_for(const config::RealmConfig& realm, const RolloverDeed& deed, const ApprovedRequest& approved) {
  realm::RequestContent content;
  content.realm = realm.name.text();
  content.id = approved.id;
  content.kind = realm::RequestKind::Rollover;
  content.requester = approved.requester;
  content.front_end = approved.front_end;
  content.expires = approved.expires;
  content.ca = deed.ca;
  content.step = approved.step;
  content.source = approved.source;
  return realm::digest_of(content);
}

}  // namespace

Status check_approvals(const config::RealmConfig& realm, const config::Profile& profile, const Journal& journal,
                       const SignRequest& request, Seconds now) {
  if (!profile.approval.are_signed) return {};
  const Demand demand{profile.approval.signer_profiles, static_cast<std::size_t>(profile.approval.needed),
                      "profile " + profile.name.text()};
  if (!request.approved) return refused(demand.text() + ", this certificate is asked for without a request");
  PKI_TRY_VOID(check_frame(request, now));
  PKI_TRY(const auto digest, digest_for(realm, profile, request));
  return check_people(demand, journal, request.approved->approvals, digest, request.requester, now);
}

Status check_rollover_approvals(const config::RealmConfig& realm, const Journal& journal, const RolloverDeed& deed,
                                const std::optional<ApprovedRequest>& approved, Seconds now) {
  const auto& requests = realm.requests;
  if (requests.rollover_signers.empty()) return {};
  const Demand demand{requests.rollover_signers, static_cast<std::size_t>(std::max(requests.rollover_approvals, 1)),
                      "a rollover"};
  const auto what = deed.step + " of " + deed.ca;
  if (!approved) return refused(demand.text() + ", " + what + " is asked for without a request");
  if (!covers(*approved, deed)) return refused("request " + approved->id + " is for " + approved->step + ", found " + what);
  if (now >= approved->expires) return refused("request " + approved->id + " expired " + base::to_rfc3339(approved->expires));
  if (deed.step == "start" && deed.source != approved->source)
    return refused("request " + approved->id + " has " + deed.ca + " certified by " + approved->source + ", found " +
                   deed.source);
  const auto digest = digest_for(realm, deed, *approved);
  return check_people(demand, journal, approved->approvals, digest, approved->requester, now);
}

}  // namespace chancery::signer
