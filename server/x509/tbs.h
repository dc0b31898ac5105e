#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/names.h"
#include "server/crypto/key.h"
#include "server/x509/general_name.h"
#include "server/x509/name.h"

namespace chancery::x509 {

/// Everything that decides the octets of one TBSCertificate (RFC 5280 4.1).
struct TbsSpec {
  Serial serial;
  Bytes issuer_der{};  ///< the CA's subject, octet for octet (PROMISES B8); empty for a self-signed one: the subject
  Name subject{};
  Bytes subject_der{};  ///< octet for octet, instead of `subject`, for a CA that is certified again; empty: as `subject` says
  Seconds not_before{};
  Seconds not_after{};
  Bytes spki{};
  std::vector<GeneralName> sans{};                ///< critical when the subject is empty
  std::vector<std::string> key_usage{};           ///< written are those that the kind of key can have (key_usage_for)
  std::vector<std::string> extended_key_usage{};  ///< names of the table or dotted OIDs
  bool is_ca = false;
  std::optional<int> path_length{};
  Bytes subject_key_id{};    ///< of a CA that has one of another method already; empty: subject_key_id_of the key
  Bytes authority_key_id{};  ///< empty for a self-signed one: its own SKI
  std::vector<std::string> crl_urls{};
  std::vector<std::string> crl_delta_urls{};
  std::vector<std::string> ca_issuer_urls{};
  std::vector<std::string> ocsp_urls{};
  bool ocsp_no_check = false;  ///< nobody asks whether it is revoked (RFC 6960 4.2.2.2.1)
  crypto::SignatureAlgorithm algorithm{};
};

/// The DER. Pure: the same spec gives the same octets.
/// @errors Malformed: a name, usage or URL that does not hold, or no usage that the key can have; BadKey: the SPKI.
Result<Bytes> build_tbs(const TbsSpec& spec);

/// The algorithm that a TBSCertificate says it is signed with (RFC 5280 4.1.2.3). @errors Malformed, Unsupported.
Result<crypto::SignatureAlgorithm> algorithm_of(ByteView tbs);

/// When the certificate of a TBSCertificate ends, read without the rest of it.
struct TbsEnd {
  Seconds not_after{};
  bool is_self_issued = false;  ///< issuer and subject are one name (RFC 5280 3.2)
};
/// @errors Malformed.
Result<TbsEnd> end_of(ByteView tbs);

/// SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING }: certificate, CRL or request. @errors Malformed: the TBS is no SEQUENCE.
Result<Bytes> assemble_signed(ByteView tbs, crypto::SignatureAlgorithm algorithm, ByteView signature);

/// The leftmost 160 bits of SHA-256 over the key's BIT STRING (RFC 7093 2, method 1).
Result<Bytes> subject_key_id_of(ByteView spki);

}  // namespace chancery::x509
