#include "server/worker/describe.h"

#include "server/base/file.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kMaxRequestBytes = 65536;

Json describe_certificate_of(const realm::Authority& authority, Seconds now) {
  const auto& certificate = authority.certificate;
  return Json::object({{"name", "ca"},
                       {"state", now > certificate.not_after() ? "expired" : "ready"},
                       {"certificate", certificate.pem()},
                       {"subject", certificate.subject().to_slash()},
                       {"serial", certificate.serial().hex()},
                       {"key", base::to_text(certificate.public_key().spec())},
                       {"fingerprint", certificate.fingerprint_hex()},
                       {"not_before", base::to_rfc3339(certificate.not_before())},
                       {"not_after", base::to_rfc3339(certificate.not_after())}});
}

}  // namespace

Json describe_ca(Session& session) {
  const auto authority = session.authority();
  if (authority.ok()) return describe_certificate_of(**authority, session.clock().now());
  auto out = Json::object({{"name", "ca"}, {"state", "unavailable"}});
  const auto request = base::read_file(session.realm().directory / "ca.csr", kMaxRequestBytes);
  if (request.ok()) out.set("state", "waiting").set("request", *request);
  return out;
}

Json chain_of(const realm::Authority& authority) { return Json::strings(realm::chain_pems(authority)); }

std::vector<std::string> san_texts(const std::vector<x509::GeneralName>& sans) {
  std::vector<std::string> out;
  for (const auto& san : sans) out.push_back(san.to_text());
  return out;
}

Json describe_issued(const x509::Certificate& certificate, const std::string& profile, const realm::Authority& authority) {
  return Json::object({{"serial", certificate.serial().hex()},
                       {"certificate", certificate.pem()},
                       {"chain", chain_of(authority)},
                       {"subject", certificate.subject().to_slash()},
                       {"sans", Json::strings(san_texts(certificate.sans()))},
                       {"profile", profile},
                       {"not_before", base::to_rfc3339(certificate.not_before())},
                       {"not_after", base::to_rfc3339(certificate.not_after())}});
}

std::string state_of(const store::CertificateRecord& record, Seconds now) {
  if (record.state == store::CertificateState::Revoked) return "revoked";
  if (record.state == store::CertificateState::Held) return "held";
  return now > record.not_after ? "expired" : "valid";
}

Json describe_record(const store::CertificateRecord& record, Seconds now) {
  auto out = Json::object({{"serial", record.serial.hex()},
                           {"subject", record.subject},
                           {"sans", Json::strings(record.sans)},
                           {"profile", record.profile},
                           {"state", state_of(record, now)},
                           {"not_before", base::to_rfc3339(record.not_before)},
                           {"not_after", base::to_rfc3339(record.not_after)},
                           {"requester", record.requester},
                           {"front_end", record.front_end},
                           {"issued_at", base::to_rfc3339(record.issued_at)}});
  if (!record.acme_order.empty()) out.set("acme_order", record.acme_order);
  if (record.revoked_at) out.set("revoked_at", base::to_rfc3339(*record.revoked_at)).set("reason", record.reason);
  return out;
}

}  // namespace chancery::worker
