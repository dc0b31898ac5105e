#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/base/bytes.h"
#include "server/base/clock.h"
#include "server/base/names.h"

/// The rows of the store as plain values. Times are UTC seconds, serials and ids text, JSON documents text.
namespace chancery::store {

// ----- certificates

/// What was decided about a certificate. That it has expired is not stored: it follows from the clock.
enum class CertificateState : std::uint8_t { Valid, Revoked, Held };
/// "valid", "revoked", "held".
std::string_view to_text(CertificateState state);
std::optional<CertificateState> certificate_state(std::string_view text);

/// The CRLReason of which a certificate can come back (RFC 5280 5.3.1).
inline constexpr std::string_view kHoldReason = "certificateHold";

/// One certificate as it was issued. The caller has read the names out of the DER.
struct NewCertificate {
  Serial serial;
  std::string ca;     ///< name of the CA that signed it
  Bytes der;          ///< at most kMaxDerBytes
  std::string key{};  ///< SHA-256 of its SubjectPublicKeyInfo, in hex; empty: it cannot be read
  std::string profile;
  std::string subject;              ///< DN, slash form
  std::string cn;                   ///< common name; empty: none, then no node is made
  std::vector<std::string> sans{};  ///< "DNS:a.example.com", normalised
  Seconds not_before{};
  Seconds not_after{};
  Seconds issued_at{};
  std::string requester{};        ///< identity that asked
  std::string front_end{};        ///< through which front end; empty: none
  std::string rule{};             ///< by which policy rule
  std::string evidence{};         ///< proof that was accepted (challenge, address), or its digest
  std::string idempotency_key{};  ///< empty: none
  std::string acme_account{};     ///< empty: not by ACME
  std::string acme_order{};
  bool is_renewal = false;    ///< its node is there, or was deleted and stays so
  std::string reservation{};  ///< of room below a limit of the policy; empty: none was taken
};

enum class Added : std::uint8_t {
  New,
  Already,
  Compromised  ///< new, and its key was reported meanwhile: whoever adds it revokes it, should that be cut off a sweep does
};

struct CertificateRecord {
  Serial serial;
  std::string ca{};
  CertificateState state = CertificateState::Valid;
  std::string profile{};
  std::string subject{};
  std::string cn{};
  std::vector<std::string> sans{};
  Seconds not_before{};
  Seconds not_after{};
  Seconds issued_at{};
  std::string requester{};
  std::string front_end{};
  std::string rule{};
  std::string evidence{};
  std::string acme_account{};
  std::string acme_order{};
  std::optional<Seconds> revoked_at{};
  std::string reason{};  ///< CRLReason name; empty: not revoked
  std::string revoked_by{};
  Bytes der{};  ///< of single certificates only; pages leave it empty
};

/// Which certificates count as living.
struct Living {
  Seconds now{};
  Seconds issued_after{};  ///< what was issued before cannot be in force any more
  int most = 1;            ///< counted no further
};

/// What certificate search asks for; empty members do not narrow.
struct CertificateFilter {
  std::string cn_prefix{};
  std::string san{};  ///< exactly one of the certificate's, normalised
  std::optional<Serial> serial{};
  std::string profile{};
  std::string state{};  ///< valid, revoked, held or expired, seen at `now`
  std::string requester{};
  std::optional<Seconds> expires_before{};  ///< not_after < this
  std::optional<Seconds> expires_after{};   ///< not_after >= this
  std::optional<Seconds> issued_before{};   ///< issued_at < this
  std::optional<Seconds> issued_after{};    ///< issued_at >= this
  Seconds now{};
};

/// Part of a list. A page may be short and still have a successor: a call looks at a bounded number of rows.
template <class T>
struct Page {
  std::vector<T> items;
  std::string next;  ///< `after` of the next call; empty: this was the last page
};

struct Revocation {
  Serial serial;
  std::string reason;  ///< CRLReason name
  Seconds at;
  std::string by{};  ///< identity
  std::string ca{};  ///< empty: whichever CA of the realm issued that serial
  /// SHA-256 of its SubjectPublicKeyInfo, in hex, when the key is compromised: nobody gets it certified again. Empty: it is not.
  std::string compromised_key{};
};

/// Held or Revoked, by the reason.
inline CertificateState state_after(const Revocation& revocation) {
  return revocation.reason == kHoldReason ? CertificateState::Held : CertificateState::Revoked;
}

/// A compromised key whose certificates are to be looked for.
struct KeySweep {
  std::string spki;        ///< SHA-256 of the SubjectPublicKeyInfo, in hex
  std::int64_t asked = 0;  ///< how often
};

struct LivingCertificate {
  Serial serial;
  std::string ca;
  Bytes der{};
};

/// A DN that comes onto the list of administrators, or a key that is bound to one.
struct NewAdmin {
  std::string dn;                 ///< slash form
  std::vector<std::string> keys;  ///< SHA-256 of each SubjectPublicKeyInfo, in hex
  Seconds at;
  std::string by;  ///< identity
};

struct AdminRecord {
  bool listed = false;
  std::vector<std::string> keys{};  ///< as NewAdmin's, sorted
};

/// A renewal that a holder has by itself.
struct OwnRenewal {
  std::string names;  ///< a digest of the certificate's, which its renewals keep
  std::string id;     ///< random
  Seconds at;
};

/// A registration seed that an operator made.
struct SeedRecord {
  std::string id;
  std::string digest;  ///< SHA-256 of the seed, in hex
  std::string profile;
  std::string cn;  ///< empty: any
  std::int64_t uses_left = 0;
  std::int64_t used = 0;
  Seconds expires_at{};
  Seconds created_at{};
  std::string created_by{};
};

/// Why a key may not be certified again.
struct CompromisedKey {
  Serial serial;  ///< of the certificate whose revocation said so first
  Seconds reported_at;
};

// ----- CRLs

struct RevokedCertificate {
  Serial serial;
  Seconds revoked_at;
  std::string reason;  ///< CRLReason name
};

struct NewCrl {
  std::string ca;
  std::uint64_t number = 0;  ///< of next_crl_number
  Seconds this_update{};
  Seconds next_update{};
  Bytes der;
  std::vector<RevokedCertificate> entries;  ///< as revoked_for_crl gave them: what this CRL says
  std::uint64_t base = 0;                   ///< of a delta CRL: the full one that it adds to
};

struct CrlRecord {
  std::string ca;
  std::uint64_t number = 0;
  Seconds this_update{};
  Seconds next_update{};
  std::int64_t entries = 0;
  std::uint64_t base = 0;  ///< of a delta CRL: the full one that it adds to
  Bytes der{};
};

// ----- nodes

/// The newest certificate of a common name (UPKI.md: nodes).
struct NodeRecord {
  Serial serial;
  std::string cn{};
  std::string ca{};
  std::string subject{};
  std::string profile{};
  CertificateState state = CertificateState::Valid;
  Seconds registered_at{};  ///< when the name was first seen
  Seconds not_after{};
};

// ----- ACME (RFC 8555 7.1). `version` is what compare-and-set compares; only update functions change it.

struct AcmeAccount {
  std::string id;
  std::string thumbprint;  ///< RFC 7638, of the present key; one account per key
  std::string jwk;         ///< JSON
  std::string status;
  std::string contact;  ///< JSON array
  bool terms_agreed = false;
  Seconds created_at{};
  std::string terms{};  ///< URL of what it agreed to, or "none"; empty: nothing, or nobody noted what
  std::int64_t version = 0;
};

/// A key of external account bindings (RFC 8555 7.3.4).
struct AcmeEab {
  std::string kid;
  std::string mac_key;  ///< base64url
  std::string label{};
  std::string policy{};                     ///< of the accounts that it binds; empty: the realm's
  std::optional<std::int64_t> uses_left{};  ///< none: any number
  std::int64_t used = 0;
  std::optional<Seconds> expires_at{};  ///< none: never
  Seconds created_at{};
  std::string created_by{};
};

/// What the realm knows of an account beside RFC 8555's own.
struct AcmeBinding {
  std::string account;
  std::string eab{};     ///< kid of the key that bound it; empty: none
  std::string policy{};  ///< empty: the realm's
};

struct AcmeOrder {
  std::string id;
  std::string account;
  std::string status;
  std::string identifiers;                    ///< JSON array of {type, value}
  std::vector<std::string> authorizations{};  ///< ids, in the order of the identifiers
  std::string profile{};
  std::optional<Seconds> not_before{};
  std::optional<Seconds> not_after{};
  Seconds expires{};
  Seconds created_at{};
  std::string error{};       ///< JSON problem document; empty: none
  std::string serial{};      ///< of the certificate, once valid
  Bytes csr{};               ///< DER, once processing: so that a finalize that was cut off can be finished
  std::string replaces{};    ///< identifier of the certificate that it replaces (RFC 9773 4.1); only of single orders
  std::string asked_from{};  ///< address that it was asked for from, only of single orders; empty: nobody said so
  std::int64_t version = 0;
};

struct AcmeAuthorization {
  std::string id;
  std::string account;
  std::string type;   ///< "dns" or "ip"
  std::string value;  ///< without "*."
  bool wildcard = false;
  std::string status;
  Seconds expires{};
  Seconds created_at{};
  std::string challenges;  ///< JSON array
  std::int64_t version = 0;
};

/// What an operator's search for orders or authorizations asks for; empty members do not narrow.
struct AcmeFilter {
  std::string account{};
  std::string status{};  ///< as it is at `now`
  Seconds now{};
};

/// What an order or authorization is by then: one that has expired meanwhile is not written anew for that.
std::string status_at(const AcmeOrder& order, Seconds now);
/// An order that has its request and may not be issued yet, for a look at CAA is due: it is kept as ready, so that whatever ends
/// one that is ready ends it, and shown as processing. One that is kept as processing is being signed.
bool is_held_back(const AcmeOrder& order);
std::string status_at(const AcmeAuthorization& authorization, Seconds now);

/// A validation that failed.
struct AcmeFailure {
  std::string account;
  std::string name;  ///< "DNS:a.example.com"
  Seconds at;
  std::string id;  ///< random
};

}  // namespace chancery::store
