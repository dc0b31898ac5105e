#include <algorithm>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/realm/assemble.h"
#include "server/signer/issuer.h"
#include "server/x509/lint_ocsp.h"
#include "server/x509/ra_message.h"
#include "server/x509/tbs.h"

/// The keys of services that an Issuer holds: how they come to be, and what they sign.
namespace chancery::signer {
namespace {

/// The same key of the same service is the same attempt, however often it was cut off.
std::string once_for(const BegunService& begun) {
  return "service " + begun.label.text() + " " + begun.key->public_key().spki_sha256_hex();
}

/// When the certificate of an entry ends.
Result<Seconds> end_of(const Entry& entry) {
  if (entry.imported) return entry.imported->facts.not_after;
  PKI_TRY(const auto end, x509::end_of(entry.intent.tbs));
  return end.not_after;
}

Error no_responder(const std::string& ca) {
  return {Code::NotFound, "nobody answers OCSP for generation " + base::printable(ca, 80),
          "a CA below cas with purpose: ocsp does (doc/services.md)"};
}

}  // namespace

void Issuer::put_services(Services services) {
  const std::lock_guard lock(mutex_);
  state_.services = std::make_shared<const Services>(std::move(services));
}

std::vector<ServiceInfo> Issuer::services(Seconds now) const {
  const auto present = state();
  std::vector<ServiceInfo> out;
  for (const auto& [label, one] : *present.services) {
    // An RA is one, whoever certified it; a responder is one for each generation.
    const auto of = one.purpose == "ra" ? std::string() : one.ca;
    const auto* const newest = newest_service(*present.services, one.label.name, one.purpose, of, *journal_, now);
    const auto* const state = newest == &one ? "active" : is_in_force(one, *journal_, now) ? "draining" : "retired";
    out.push_back({label, one.purpose, one.ca, state, one.certificate.pem(), one.requester, one.at});
  }
  return out;
}

/// As every certificate: linted, journalled, signed. It is the CA's to make, whoever may have what profile.
Result<HeldService> Issuer::make_service(const State& now, const ServiceNeed& need, const std::string& requester, Seconds at) {
  PKI_TRY_VOID(need.held->key->check_usable());
  PKI_TRY(const auto begun, begin_service(*now.realm, need));
  const auto& authority = *need.held->authority;
  const auto profile = service_profile(need.row->purpose);
  PKI_TRY(const auto subject, subject_of_service(*now.realm, need));
  const auto spki = begun.key->public_key();
  const realm::Grant grant{Serial::random(), profile.name,  subject, {}, Bytes(spki.spki().begin(), spki.spki().end()),
                           need.not_before,  need.not_after};
  PKI_TRY(auto tbs, x509::build_tbs(realm::assemble(*now.realm, profile, authority, grant)));
  PKI_TRY(const auto linted, x509::lint_certificate(std::move(tbs), authority.algorithm,
                                                    service_lint(need.row->purpose, authority, need.row->validity)));
  const Intent intent{.serial = grant.serial,
                      .profile = profile.name.text(),
                      .digest = crypto::sha256_hex(base::as_bytes(once_for(begun))),
                      .tbs = linted.bytes(),
                      .spki_sha256 = crypto::sha256_hex(grant.spki),
                      .requester = requester,
                      .front_end = {},
                      .rule = std::string(kServiceRule),
                      .evidence = {},
                      .idempotency_key = once_for(begun),
                      .at = at,
                      .ca = need.ca};
  PKI_TRY(const auto entry, journal_->begin(intent));
  const bool is_this = entry.intent.tbs == linted.bytes();
  PKI_TRY(const auto made, is_this ? complete(*need.held, entry, linted) : complete_earlier(now, entry));
  PKI_TRY(const auto certificate, x509::Certificate::from_der(made.certificate));
  PKI_TRY_VOID(write_service_certificate(*now.realm, begun.label, certificate));
  base::log_info("service " + begun.label.text() + " has a certificate of " + entry.intent.ca + " until " +
                 base::to_rfc3339(certificate.not_after()));
  return read_service(*now.realm, *journal_, begun.label);
}

Status Issuer::renew_services(const std::string& requester, Seconds now) {
  const std::lock_guard one_at_a_time(change_mutex_);
  const auto present = state();
  auto services = *present.services;
  Status first;
  for (const auto& need : service_needs(*present.realm, *present.generations, services, *journal_, now)) {
    auto made = make_service(present, need, requester, now);
    if (!made.ok() && first.ok()) first = made.error().within("service " + need.name + " of " + need.ca);
    if (made.ok()) services.insert_or_assign(made->label.text(), std::move(made).value());
  }
  // The newest number of each stays on the disk, so that none is given twice.
  for (auto it = services.begin(); it != services.end();) {
    const auto& label = it->second.label;
    const bool has_later = std::ranges::any_of(
        services, [&](const auto& one) { return one.second.label.name == label.name && one.second.label.number > label.number; });
    const bool is_over = now > it->second.certificate.not_after() && has_later;
    const auto destroyed = is_over ? destroy_service(*present.realm, it->first) : Status();
    if (!destroyed.ok() && first.ok()) first = destroyed;
    it = is_over && destroyed.ok() ? services.erase(it) : std::next(it);
  }
  put_services(std::move(services));
  return first;
}

/// What a worker says is held against the journal: nothing that was revoked is good, and nothing that was issued is unknown.
Status Issuer::check_answer(const std::string& ca, const x509::Certificate& issuer, const x509::OcspSingle& answer,
                            Seconds now) const {
  using x509::OcspStatus;
  const auto owner = answer.id.serial && answer.id.is_of(issuer) ? journal_->ca_of(*answer.id.serial) : std::nullopt;
  if (owner != ca) {
    if (answer.status == OcspStatus::Unknown) return {};
    return Error(Code::PolicyRefused, "an answer about a certificate that is none of generation " + ca);
  }
  const auto& serial = *answer.id.serial;
  if (answer.status == OcspStatus::Revoked) return {};
  if (answer.status == OcspStatus::Good) {
    if (!journal_->is_revoked(serial)) return {};
    return Error(Code::Conflict, "certificate " + serial.hex() + " would be good, and the journal has it revoked");
  }
  // Known, and nobody says anything of it: it never came to be, or its time is over.
  PKI_TRY(const auto entry, journal_->signed_entry(serial));
  const auto end = entry ? end_of(*entry) : Result<Seconds>(Seconds{});
  if (end.ok() && *end < now) return {};
  return Error(Code::Conflict, "certificate " + serial.hex() + " would be unknown, and the journal has it");
}

Result<OcspAnswer> Issuer::sign_ocsp(const OcspQuestion& question, Seconds now) const {
  const auto present = state();
  PKI_TRY(const auto chosen, choose(present, question.ca));
  PKI_TRY(const auto label, realm::parse_label(question.ca));
  const auto name = realm::responder_for(*present.realm, label.name);
  const auto* const service = newest_service(*present.services, name, "ocsp", question.ca, *journal_, now);
  if (service == nullptr || chosen.held->authority == nullptr) return no_responder(question.ca);
  const auto& certificate = service->certificate;
  const auto until = std::min(now + present.realm->cas.at(name).answers_valid_for, certificate.not_after());
  x509::OcspSpec spec{
      .responder = certificate, .answers = question.answers, .this_update = now, .next_update = until, .nonce = question.nonce};
  for (auto& answer : spec.answers) {
    PKI_TRY_VOID(check_answer(question.ca, chosen.held->authority->certificate, answer, now));
    answer.revoked_at = std::min(answer.revoked_at, now);  // by a clock that has been set back since
  }
  PKI_TRY(const auto algorithm, crypto::algorithm_for(service->key->public_key().spec(), present.realm->digest));
  PKI_TRY(auto tbs, x509::build_ocsp_tbs(spec));
  PKI_TRY(const auto linted, x509::lint_ocsp(std::move(tbs), algorithm, spec));
  FileKey key(service->key);  // which verifies what it signs
  PKI_TRY(const auto signature, key.sign(linted.algorithm(), linted.bytes()));
  PKI_TRY(const auto basic, x509::assemble_ocsp(linted.bytes(), linted.algorithm(), signature, certificate));
  return OcspAnswer{x509::ocsp_response(basic), now, until};
}

/// By its name the newest key; by a label that one, which may be older: clients encrypt for the certificate that they know.
Result<const HeldService*> Issuer::ra_in_use(const State& present, const std::string& wanted, Seconds now) const {
  const auto& all = *present.services;
  const auto labelled = all.find(wanted);
  const auto* const found = labelled != all.end() ? &labelled->second : newest_service(all, wanted, "ra", {}, *journal_, now);
  const bool is_there = found != nullptr && found->purpose == "ra" && is_in_force(*found, *journal_, now);
  const auto row = is_there ? present.realm->cas.find(found->label.name) : present.realm->cas.end();
  if (row != present.realm->cas.end() && row->second.purpose == "ra") return found;
  return Error(Code::NotFound, "no RA \"" + base::printable(wanted, 80) + "\" in this realm",
               "a CA below cas with purpose: ra is one (doc/services.md)");
}

Result<Bytes> Issuer::open_for_ra(const RaQuestion& question, Seconds now) const {
  const auto present = state();
  PKI_TRY(const auto* service, ra_in_use(present, question.service, now));
  return x509::open_enveloped(question.octets, *service->key, service->certificate);
}

Result<Bytes> Issuer::sign_for_ra(const RaQuestion& question, Seconds now) const {
  const auto present = state();
  PKI_TRY(const auto* service, ra_in_use(present, question.service, now));
  return x509::sign_content(question.octets, question.attributes, *service->key, service->certificate);
}

}  // namespace chancery::signer
