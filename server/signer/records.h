#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/base/names.h"
#include "server/signer/messages.h"
#include "server/wire/json.h"

/// The bodies of the journal's records: JSON objects whose "kind" says which. Reading and writing of each stand together in
/// records.cc.
namespace chancery::signer {

/// Whose journal it is; the first record, and only the first.
struct Genesis {
  RealmName realm;
  std::string key_sha256;  ///< of the CA's SubjectPublicKeyInfo, hex
  Seconds at{};
};
Json to_json(const Genesis& genesis);
Result<Genesis> genesis_from(const Json& body);

/// A certificate of the CA itself: the TBS of a root, before its key signs it, or the fingerprint of one that was brought.
struct Anchor {
  Serial serial;
  Bytes tbs;                ///< of a root made here; empty for one that was brought
  std::string fingerprint;  ///< of one that was brought, hex
  Seconds at{};
  std::string ca = "ca";  ///< the generation that signs it, or that it was brought for
};
Json to_json(const Anchor& anchor);

/// What is to be signed, and why. Written durably before the key is used.
struct Intent {
  Serial serial;
  std::string profile;
  std::string digest;  ///< of the request, hex: the same idempotency key must mean the same request
  Bytes tbs;
  std::string spki_sha256;
  std::string requester;
  std::string front_end;
  std::string rule;
  std::string evidence;
  std::string idempotency_key;
  Seconds at{};
  std::string ca = "ca";  ///< the generation that signs it
};
Json to_json(const Intent& intent);
Result<Intent> intent_from(const Json& body);

/// A certificate that another program issued with this CA's key, before the realm took the CA over. Its serial is used.
struct Imported {
  TakenOver facts;
  Bytes certificate{};  ///< DER; empty: only the serial is known
  std::string profile{};
  std::string spki_sha256{};  ///< hex; empty: unknown
  std::string requester{};
  std::string evidence{};  ///< where it was found
  Seconds at{};            ///< when it was taken over
};
Json to_json(const Imported& imported);
Result<Imported> imported_from(const Json& body);

struct Signature {
  Serial serial;
  Bytes octets;
};
Json to_json(const Signature& signature);
Result<Signature> signature_from(const Json& body);

/// A CRL number that is taken, before the CRL is signed.
struct CrlClaim {
  std::uint64_t number = 0;
  Seconds this_update{};
  std::string digest;  ///< SHA-256 of the TBSCertList, hex
  std::string requester;
  Seconds at{};
  std::string ca = "ca";   ///< the generation whose CRL it is
  std::uint64_t base = 0;  ///< of a delta CRL: the full one that it adds to
};
Json to_json(const CrlClaim& claim);

/// That a generation of a CA has got a state; its first record says which key it has. The first CA's first one needs none until
/// it is replaced: it is active.
struct StateChangeOfCa {
  std::string ca;          ///< realm::Label
  std::string state;       ///< realm::GenerationState
  std::string key_sha256;  ///< of its SubjectPublicKeyInfo, hex
  std::string requester{};
  Seconds at{};
};
Json to_json(const StateChangeOfCa& change);

inline constexpr std::string_view kGenesis = "genesis";
inline constexpr std::string_view kAnchor = "anchor";
inline constexpr std::string_view kIntent = "intent";
inline constexpr std::string_view kImported = "imported";
inline constexpr std::string_view kSignature = "signature";
inline constexpr std::string_view kCrl = "crl";
inline constexpr std::string_view kGeneration = "generation";
inline constexpr std::string_view kEvent = "event";  ///< its body is an AuditEvent with this kind

}  // namespace chancery::signer
