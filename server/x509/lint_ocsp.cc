#include "server/x509/lint_ocsp.h"

#include <openssl/ocsp.h>

#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

/// "20260101000000Z"
std::string in_generalized_time(Seconds at) {
  auto text = base::to_rfc3339(at);
  std::erase_if(text, [](char c) { return c == '-' || c == 'T' || c == ':'; });
  return text;
}

bool is_at(const ASN1_GENERALIZEDTIME* time, Seconds at) {
  return time != nullptr && ASN1_STRING_type(time) == V_ASN1_GENERALIZEDTIME &&
         in_generalized_time(at) ==
             base::as_text({ASN1_STRING_get0_data(time), static_cast<std::size_t>(ASN1_STRING_length(time))});
}

int openssl_status(OcspStatus status) {
  if (status == OcspStatus::Good) return V_OCSP_CERTSTATUS_GOOD;
  return status == OcspStatus::Revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_UNKNOWN;
}

Verdict fault_in_answer(OCSP_SINGLERESP* read, const OcspSingle& wanted, const OcspSpec& spec) {
  int reason = -1;
  ASN1_GENERALIZEDTIME* revoked = nullptr;
  ASN1_GENERALIZEDTIME* this_update = nullptr;
  ASN1_GENERALIZEDTIME* next_update = nullptr;
  const int status = OCSP_single_get0_status(read, &reason, &revoked, &this_update, &next_update);
  if (status != openssl_status(wanted.status)) return "says another status";
  if (!is_at(this_update, spec.this_update) || !is_at(next_update, spec.next_update)) return "is for another time";
  if (wanted.status == OcspStatus::Revoked && !is_at(revoked, wanted.revoked_at)) return "says another time of revocation";
  const int wanted_reason =
      wanted.status == OcspStatus::Revoked && wanted.reason != kReasonUnspecified ? wanted.reason : OCSP_REVOKED_STATUS_NOSTATUS;
  if (reason != wanted_reason) return "says another reason";
  const auto id = encoded_again<OCSP_CERTID>([](OCSP_CERTID* one, unsigned char** der) { return i2d_OCSP_CERTID(one, der); },
                                             const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(read)));
  return unless(id == wanted.id.der, "is about another certificate");
}

Verdict fault_in_responder(const OCSP_BASICRESP* read, const OcspSpec& wanted) {
  const ASN1_OCTET_STRING* by_key = nullptr;
  const X509_NAME* by_name = nullptr;
  const bool has_id = OCSP_resp_get0_id(read, &by_key, &by_name) == 1 && by_key != nullptr;
  const auto certificate = read_certificate_by_openssl(wanted.responder.der());
  std::array<unsigned char, SHA_DIGEST_LENGTH> hash{};
  unsigned length = 0;
  const bool is_hashed = certificate && X509_pubkey_digest(certificate.get(), EVP_sha1(), hash.data(), &length) == 1;
  const bool is_its = has_id && is_hashed && ASN1_STRING_length(by_key) == static_cast<int>(length) &&
                      std::equal(hash.begin(), hash.end(), ASN1_STRING_get0_data(by_key));
  return unless(is_its, "is another responder's");
}

Verdict fault_in_nonce(OCSP_BASICRESP* read, const OcspSpec& wanted) {
  const int at = OCSP_BASICRESP_get_ext_by_NID(read, NID_id_pkix_OCSP_Nonce, -1);
  if ((at >= 0) != wanted.nonce.has_value()) return "has a nonce, or none, where it is the other way round";
  if (at < 0) return kPass;
  const auto* value = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(read, at));
  const ByteView octets(ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value)));
  return unless(std::ranges::equal(octets, *wanted.nonce), "has another nonce");
}

Verdict fault_in(ByteView tbs, crypto::SignatureAlgorithm algorithm, const OcspSpec& wanted) {
  constexpr std::size_t kOctets = 8;
  const auto basic = assemble_ocsp(tbs, algorithm, Bytes(kOctets), wanted.responder);
  if (!basic.ok()) return basic.error().message();
  const auto read = read_by_openssl<crypto::OcspBasicPtr>(d2i_OCSP_BASICRESP, *basic);
  if (!read) return "is not what OpenSSL reads";
  const auto again =
      encoded_again<OCSP_RESPDATA>([](OCSP_RESPDATA* one, unsigned char** der) { return i2d_OCSP_RESPDATA(one, der); },
                                   const_cast<OCSP_RESPDATA*>(OCSP_resp_get0_respdata(read.get())));
  if (!std::ranges::equal(again, tbs)) return "is not DER";
  if (!is_at(OCSP_resp_get0_produced_at(read.get()), wanted.this_update)) return "is made at another time";
  for (const auto& verdict : {fault_in_responder(read.get(), wanted), fault_in_nonce(read.get(), wanted)}) {
    if (!verdict.empty()) return verdict;
  }
  if (OCSP_resp_count(read.get()) != static_cast<int>(wanted.answers.size())) return "says more or less than is wanted";
  for (int i = 0; i < OCSP_resp_count(read.get()); ++i) {
    auto verdict = fault_in_answer(OCSP_resp_get0(read.get(), i), wanted.answers[static_cast<std::size_t>(i)], wanted);
    if (!verdict.empty()) return verdict;
  }
  return kPass;
}

}  // namespace

Result<LintedOcsp> lint_ocsp(Bytes tbs, crypto::SignatureAlgorithm algorithm, const OcspSpec& wanted) {
  const auto fault = fault_in(tbs, algorithm, wanted);
  if (!fault.empty()) return Error(Code::LintFailed, "OCSP response: it " + fault);
  return LintedOcsp(std::move(tbs), algorithm);
}

}  // namespace chancery::x509
