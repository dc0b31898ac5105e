#include "server/worker/describe.h"

#include "server/base/file.h"
#include "server/worker/issue.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kMaxRequestBytes = 65536;

}  // namespace

void add_certificate(Json& out, const x509::Certificate& certificate) {
  out.set("certificate", certificate.pem())
      .set("subject", certificate.subject().to_slash())
      .set("serial", certificate.serial().hex())
      .set("key", base::to_text(certificate.public_key().spec()))
      .set("fingerprint", certificate.fingerprint_hex())
      .set("not_before", base::to_rfc3339(certificate.not_before()))
      .set("not_after", base::to_rfc3339(certificate.not_after()));
}

Json describe_ca(Session& session, const realm::Generation* generation) {
  auto out = Json::object({{"name", generation == nullptr ? config::kFirstCa : generation->label}});
  if (generation != nullptr && generation->authority) {
    const auto& certificate = generation->authority->certificate;
    out.set("state", session.clock().now() > certificate.not_after() ? "expired" : "ready");
    add_certificate(out, certificate);
  } else if (generation != nullptr && !generation->request.empty()) {
    out.set("state", "waiting").set("request", generation->request);
  } else {
    const auto request = base::read_file(session.realm().directory / "ca.csr", kMaxRequestBytes);
    out.set("state", request.ok() ? "waiting" : "unavailable");
    if (request.ok()) out.set("request", *request);
  }
  if (generation == nullptr) return out;
  const auto row = session.realm().cas.find(generation->name());
  out.set("purpose", row == session.realm().cas.end() ? config::CaConfig().purpose : row->second.purpose);
  out.set("ca", generation->name())
      .set("generation", std::int64_t{generation->number()})
      .set("phase", realm::to_text(generation->state));
  if (!generation->new_with_old.empty()) out.set("new_with_old", generation->new_with_old);
  if (!generation->old_with_new.empty()) out.set("old_with_new", generation->old_with_new);
  if (generation->state == realm::GenerationState::Draining)
    out.set("drained", !generation->last_end || session.clock().now() > *generation->last_end);
  if (generation->last_end) out.set("last_end", base::to_rfc3339(*generation->last_end));
  return out;
}

Json describe_ca(Session& session) {
  const auto generation = session.generation("");
  return describe_ca(session, generation.ok() ? *generation : nullptr);
}

Json chain_of(const realm::Authority& authority) { return Json::strings(realm::chain_pems(authority)); }

std::vector<std::string> san_texts(const std::vector<x509::GeneralName>& sans) {
  std::vector<std::string> out;
  for (const auto& san : sans) out.push_back(san.to_text());
  return out;
}

namespace {

void add_chains_of(const realm::Generation& above, const std::vector<realm::Generation>& all, Json& out) {
  out.set("chain", chain_of(*above.authority));
  auto list = Json::array();
  for (const auto& chain : realm::alternates(all, above)) list.push_back(Json::object({{"chain", Json::strings(chain)}}));
  if (!list.as_array()->empty()) out.set("alternates", std::move(list));
}

}  // namespace

Status add_chains(Session& session, const x509::Certificate& certificate, Json& out) {
  PKI_TRY(const auto* above, session.generation_above(certificate));
  PKI_TRY(const auto* all, session.generations());
  add_chains_of(*above, *all, out);
  return {};
}

Status add_chains(Session& session, const store::CertificateRecord& record, Json& out) {
  PKI_TRY(const auto* all, session.generations());
  const auto* above = realm::find(*all, record.ca);
  if (above != nullptr && above->authority) {
    add_chains_of(*above, *all, out);
    return {};
  }
  PKI_TRY(const auto certificate, x509::Certificate::from_der(record.der));
  return add_chains(session, certificate, out);
}

Result<Json> describe_issued(Session& session, const x509::Certificate& certificate, const std::string& profile) {
  auto out = Json::object({{"serial", certificate.serial().hex()},
                           {"certificate", certificate.pem()},
                           {"subject", certificate.subject().to_slash()},
                           {"sans", Json::strings(san_texts(certificate.sans()))},
                           {"profile", profile},
                           {"not_before", base::to_rfc3339(certificate.not_before())},
                           {"not_after", base::to_rfc3339(certificate.not_after())}});
  PKI_TRY_VOID(add_chains(session, certificate, out));
  return out;
}

std::string state_of(const store::CertificateRecord& record, Seconds now) {
  if (record.state == store::CertificateState::Revoked) return "revoked";
  if (record.state == store::CertificateState::Held) return "held";
  return now > record.not_after ? "expired" : "valid";
}

Json describe_record(const store::CertificateRecord& record, Seconds now) {
  auto out = Json::object({{"serial", record.serial.hex()},
                           {"ca", record.ca},
                           {"subject", record.subject},
                           {"sans", Json::strings(record.sans)},
                           {"profile", record.profile},
                           {"state", state_of(record, now)},
                           {"not_before", base::to_rfc3339(record.not_before)},
                           {"not_after", base::to_rfc3339(record.not_after)},
                           {"requester", record.requester},
                           {"front_end", record.front_end},
                           {"issued_at", base::to_rfc3339(record.issued_at)}});
  if (auto rule = rule_in_evidence(record.evidence); !rule.empty()) out.set("policy_rule", std::move(rule));
  if (!record.acme_order.empty()) out.set("acme_order", record.acme_order);
  if (record.revoked_at) out.set("revoked_at", base::to_rfc3339(*record.revoked_at)).set("reason", record.reason);
  return out;
}

}  // namespace chancery::worker
