#pragma once

#include "server/wire/commands.h"

/// The parameter and result lists of commands.def. Included by commands.cc alone.
namespace chancery::wire {

inline constexpr std::int64_t kMaxPem = 65536;  ///< PROMISES D11: a request or certificate
inline constexpr std::int64_t kMaxChainPem = 262144;
inline constexpr std::int64_t kMaxText = 1024;
inline constexpr std::int64_t kMaxSans = 100;
inline constexpr std::int64_t kMaxDays = 36500;
inline constexpr std::int64_t kMaxPage = 1000;
inline constexpr std::int64_t kMaxId = 64;
inline constexpr std::int64_t kMaxCertificateId = 128;
inline constexpr std::string_view kReasons =
    "unspecified keyCompromise cACompromise affiliationChanged superseded cessationOfOperation certificateHold "
    "privilegeWithdrawn aACompromise";

inline constexpr std::span<const Param> kNoParams{};

// ----- pieces that recur
inline constexpr Param kLimit{"limit", Type::Integer, kOptional, kMaxPage, "rows of one page, 1 to 1000, default 100", {}, 1};
inline constexpr Param kAfter{"after", Type::Text, kOptional, 256, "the `next` of the page before"};
inline constexpr Param kCsr{"csr", Type::Pem, kRequired, kMaxPem, "PKCS#10 request (RFC 2986)"};
inline constexpr Param kProfileOptional{"profile", Type::Word, kOptional, 63, "profile name, default server"};
inline constexpr Param kSansOptional{"sans", Type::Texts, kOptional, kMaxSans,
                                     "subject alternative names, \"DNS:a.example.com\", \"IP:10.0.0.1\", \"EMAIL:…\", \"URI:…\"; "
                                     "they replace those of the request"};
inline constexpr Param kDays{
    "days", Type::Integer, kOptional, kMaxDays, "validity in days, at least 1, at most the profile's", {}, 1};
inline constexpr Param kIdempotency{"idempotency_key", Type::Text, kOptional, 128,
                                    "the same key with the same request gives the same certificate"};
inline constexpr Param kHmac{
    "hmac", Type::Hex, kOptional, 64,
    "HMAC with SHA-256 (RFC 2104) over the request's DER and what comes beside it (doc/enrolment.md), where a "
    "rule's proofs want one"};
inline constexpr Param kOnBehalf{"signature", Type::Pem, kOptional, kMaxPem,
                                 "detached CMS SignedData over the same octets as hmac, by who enrols on behalf (RFC 5652 5)"};
inline constexpr Param kAccount{"account", Type::Text, kRequired, kMaxId, "account id"};
inline constexpr Param kSignedBy{"signed_by", Type::Text, kOptional, kMaxId,
                                 "thumbprint of the key that signed the request (RFC 7638): refused unless it is the account's"};
inline constexpr Param kOrder{"order", Type::Text, kRequired, kMaxId, "order id"};
inline constexpr Param kAuthorization{"authorization", Type::Text, kRequired, kMaxId, "authorization id"};
inline constexpr Param kChallengeType{"type", Type::Word,       kRequired,
                                      32,     "challenge type", "http-01 dns-01 tls-alpn-01 dns-account-01 dns-persist-01"};
inline constexpr Param kReason{"reason", Type::Word, kOptional, 32, "CRLReason name, default unspecified (RFC 5280 5.3.1)",
                               kReasons};
inline constexpr Param kJwk{"jwk", Type::Object, kRequired, 8192, "public JSON Web Key of the account (RFC 7517)"};
inline constexpr Param kContact{"contact", Type::Texts, kOptional, 10, "contact URLs, mailto: only"};

inline constexpr Field kSerialField{"serial", Type::Hex, "serial number"};
inline constexpr Field kCertificateField{"certificate", Type::Pem, "the certificate"};
inline constexpr Field kCaField{"ca", Type::Word, "the generation of a CA that signed it"};
inline constexpr Field kAlternates{
    "alternates", Type::Objects,
    "other chains above it while a CA is rolled over, {chain} each: for who trusts the generation before, or the next one"};
inline constexpr Field kChainField{"chain", Type::Texts, "the CA certificates above it, PEM, issuer first"};
inline constexpr Field kNotBefore{"not_before", Type::Time, "start of validity"};
inline constexpr Field kNotAfter{"not_after", Type::Time, "end of validity"};
inline constexpr Field kProfileField{"profile", Type::Word, "profile it was made by"};
inline constexpr Field kSubjectField{"subject", Type::Text, "DN, slash form"};
inline constexpr Field kSansField{"sans", Type::Texts, "subject alternative names"};
inline constexpr Field kStateField{"state", Type::Word, "valid, revoked, held or expired"};
inline constexpr Field kNext{"next", Type::Text, "key of the next page; absent on the last"};

// ----- parameters
inline constexpr std::array kPage{kLimit, kAfter};
inline constexpr std::array kAuditList{kLimit, kAfter};
inline constexpr std::array kRepair{
    Param{"apply", Type::Boolean, kOptional, 1, "mend what is found; without it nothing is changed"},
    Param{"after", Type::Text, kOptional, 32, "the `next` of the step before"}};
inline constexpr std::array kAuditSelf{Param{"after", Type::Text, kOptional, 128, "the `next` of the step before"}};
inline constexpr std::array kAuditFound{
    Field{"findings", Type::Objects, "{part, about, fault} each: what is not as it should be"},
    Field{"certificates", Type::Integer, "certificates of the store that this step has looked at"},
    Field{"next", Type::Text, "where the next step begins; absent after the last"}};
inline constexpr std::array kAuditNight{
    Field{"running", Type::Boolean, "whether one is under way"},
    Field{"now", Type::Object, "of that one: started, certificates, findings, first (up to 20 findings)"},
    Field{"last", Type::Object,
          "of the last one: started, finished, certificates, findings, first, all (whether it came to the end)"},
    Field{"more", Type::Boolean, "of audit.nightly: whether another step waits"}};
inline constexpr std::array kAuditPage{
    Field{"records", Type::Objects,
          "kind (genesis, anchor, intent, signature, crl, event), position, at, and what that kind says: what, phase, requester, "
          "front_end, peer, about, roles, outcome; serial, profile, rule, evidence"},
    kNext};
inline constexpr std::array kAuditVerified{
    Field{"whole", Type::Boolean, "always true; what does not hold is an error that names its place"}};
inline constexpr Param kCaParam{"ca", Type::Word, kOptional, 80,
                                "CA, or a generation of one like ca-2; default the generation of the first CA that issues"};
inline constexpr Param kIssuingCa{
    "ca", Type::Word, kOptional, 63,
    "CA that is to issue it, default the one that has the profile in ca.config.yml, else the first"};
inline constexpr std::array kCaSelect{kCaParam};
inline constexpr Param kRolloverCa{"ca", Type::Word, kOptional, 63, "CA name, default ca, the realm's first"};
inline constexpr std::array kRolloverSelect{
    kRolloverCa, Param{"generation", Type::Word, kOptional, 80,
                       "name of the new generation, default the newest; to retire, the oldest that drains and has nothing left"}};
inline constexpr std::array kRolloverStart{
    kRolloverCa,
    Param{"from", Type::Word, kOptional, 8,
          "who certifies it: itself (self), the realm's root that `cas:` names (root), or an outside CA (request); default: as "
          "configured, else as for the generation before",
          "self root request"}};
inline constexpr std::array kRolloverAdvance{
    kRolloverCa,
    Param{
        "generation", Type::Word, kOptional, 80,
        "name of the new generation; one that is not there yet is begun, where it is the next one. Default: the rollover that is "
        "under way; of a CA that never had one, the first"},
    Param{"from", Type::Word, kOptional, 8, "as of ca.rollover.start, where it is begun", "self root request"}};
inline constexpr std::array kCaImport{
    Param{"certificate", Type::Pem, kRequired, kMaxChainPem, "the CA's certificate first, then those above it up to the root"},
    Param{"ca", Type::Word, kOptional, 80, "generation that it is for, default ca"}};
inline constexpr std::array kCertificateEnrol{kCsr, kProfileOptional, kSansOptional, kDays, kHmac, kOnBehalf, kIdempotency};
inline constexpr std::array kCertificateIssue{kCsr,  kProfileOptional, kSansOptional, kDays, kIssuingCa,
                                              kHmac, kOnBehalf,        kIdempotency};
inline constexpr std::array kCertificatePreview{
    Param{"csr", Type::Pem, kOptional, kMaxPem, "PKCS#10 request; without it, `cn` and `sans` are judged for a generated key"},
    kProfileOptional,
    kSansOptional,
    kDays,
    kIssuingCa,
    Param{"cn", Type::Text, kOptional, 64, "common name, without a request"},
    kHmac,
    kOnBehalf,
    Param{"way", Type::Word, kOptional, 8, "as which command it would come, default command", "command enrol"}};
inline constexpr std::array kCertificateGenerate{
    Param{"cn", Type::Text, kRequired, 64, "common name"},
    kProfileOptional,
    kSansOptional,
    kDays,
    kIssuingCa,
    Param{"key", Type::Word, kOptional, 16, "kind of key pair, default the profile's",
          "ec:P-256 ec:P-384 ec:P-521 rsa:2048 rsa:3072 rsa:4096 ed25519"},
    Param{"store_key", Type::Boolean, kOptional, 1, "keep the private key in the realm's nodes directory, default false"},
    Param{"return_key", Type::Boolean, kOptional, 1, "give the private key in the answer, default true"},
    kIdempotency};
inline constexpr Param kPassword{"password", Type::Text, kOptional, 1024, "password"};
inline constexpr Param kDn{"dn", Type::Text, kRequired, kMaxText, "DN, slash or comma form"};
inline constexpr std::array kCertificateRequest{kDn, kProfileOptional, kSansOptional};
inline constexpr std::array kCertificateRenew{
    Param{"serial", Type::Hex, kRequired, 40, "certificate to renew"},
    Param{"csr", Type::Pem, kOptional, kMaxPem, "request with a new key; without it the same key is certified again"}, kDays,
    kIdempotency};
inline constexpr std::array kCertificateGet{
    Param{"serial", Type::Hex, kOptional, 40, "serial number"},
    Param{"cn", Type::Text, kOptional, 255, "common name: the newest certificate of that name"},
    Param{"dn", Type::Text, kOptional, kMaxText,
          "DN, slash or comma form in either order: the newest certificate of that subject"}};
inline constexpr std::array kSerialOnly{Param{"serial", Type::Hex, kRequired, 40, "1 to 40 digits (RFC 5280 4.1.2.2)"}};
inline constexpr std::array kCertificateRevoke{Param{"serial", Type::Hex, kRequired, 40, "1 to 40 digits (RFC 5280 4.1.2.2)"},
                                               kReason};
inline constexpr std::array kCertificateSearch{
    Param{"subject", Type::Text, kOptional, 255, "beginning of the common name"},
    Param{"san", Type::Text, kOptional, 255, "one subject alternative name, exactly"},
    Param{"serial", Type::Hex, kOptional, 40, "serial number"},
    Param{"profile", Type::Word, kOptional, 63, "profile"},
    Param{"state", Type::Word, kOptional, 16, "state", "valid revoked held expired"},
    Param{"requester", Type::Text, kOptional, 128, "identity that asked"},
    Param{"expires_before", Type::Time, kOptional, 40, "not_after before this time"},
    Param{"expires_after", Type::Time, kOptional, 40, "not_after at or after this time"},
    Param{"issued_before", Type::Time, kOptional, 40, "issued before this time"},
    Param{"issued_after", Type::Time, kOptional, 40, "issued at or after this time"},
    kLimit,
    kAfter};
inline constexpr Param kCrlKind{"kind", Type::Word, kOptional, 8, "full or delta (RFC 5280 5.2.4), default full", "full delta"};
inline constexpr std::array kCrlGet{kCaParam, kCrlKind};
inline constexpr std::array kCrlIssue{
    kCaParam, kCrlKind,
    Param{
        "if_due", Type::Boolean, kOptional, 1,
        "only when half of its life is over, a revocation waits longer than the realm's setting, or a delta CRL's base is old"}};
inline constexpr std::array kListenerCertify{Param{"listener", Type::Word, kRequired, 63, "listener name in chancery.xml"}, kCsr};
inline constexpr std::array kNodeAnnounce{
    kDn, kProfileOptional, kSansOptional, kDays,
    Param{"replace", Type::Boolean, kOptional, 1, "change what was announced, instead of announcing; default false"}};
inline constexpr std::array kNodeAnnounced{kDn};
inline constexpr std::array kNodeSelect{Param{"cn", Type::Text, kRequired, 255, "common name"}};
inline constexpr std::array kNodeRegister{
    Param{"seed", Type::Text, kRequired, 256, "registration seed"}, Param{"cn", Type::Text, kRequired, 64, "common name"},
    Param{"profile", Type::Word, kOptional, 63, "profile, default ra; never admin or one that makes a CA"}, kSansOptional};
inline constexpr std::array kSeedCreate{
    Param{"profile", Type::Word, kOptional, 63,
          "the profile of what is registered; never admin or one that makes a CA. The default, ra, needs the role ca-operator"},
    Param{"uses", Type::Integer, kOptional, 1000, "registrations that it is good for, default 1", {}, 1},
    Param{"expires", Type::Text, kOptional, 32, "how long it is good, \"2h\", at least 60s, at most 366d, default 24h"},
    Param{"cn", Type::Text, kOptional, 64, "the only common name that may be registered; without it, any"}};
inline constexpr std::array kSeedSelect{Param{"id", Type::Hex, kRequired, 16, "id of the seed"}};
inline constexpr std::array kOcspStatus{Param{"serial", Type::Hex, kOptional, 40, "serial number"},
                                        Param{"certificate", Type::Pem, kOptional, kMaxPem, "the certificate"}};
inline constexpr std::array kOcspRequest{
    Param{"request", Type::Text, kRequired, 11000,
          "base64 of the DER of an OCSPRequest (RFC 6960 4.1.1), about 20 certificates at most"}};
inline constexpr Param kRa{"ca", Type::Word, kRequired, 80,
                           "name of the RA; or of one of its keys, for what was encrypted to an older one"};
inline constexpr std::array kRaOpen{kRa, Param{"message", Type::Text, kRequired, kMaxPem, "base64 of the DER"}};
inline constexpr std::array kRaSign{kRa, Param{"message", Type::Text, kRequired, kMaxPem, "base64 of the content"},
                                    Param{"attributes", Type::Texts, kOptional, 20,
                                          "signed attributes beside CMS's own: OID:BASE64, with the DER of a PrintableString, "
                                          "UTF8String, IA5String or OCTET STRING"}};
inline constexpr std::array kAdminDn{kDn};
inline constexpr std::array kAdminAdd{
    kDn,
    Param{"serial", Type::Hex, kOptional, 40,
          "the valid certificate of that name whose key becomes an administrator's, where several keys have some, or the name "
          "is on the list already"}};
inline constexpr std::array kProfileName{Param{"profile", Type::Word, kRequired, 63, "profile name"}};
inline constexpr std::array kDescribe{Param{"method", Type::Text, kOptional, 64, "one command; without it, all"}};
inline constexpr std::array kLogLevel{Param{"level", Type::Word, kOptional, 16, "new level", "trace debug info warning error"}};
inline constexpr std::array kSessionOpen{
    Param{"realm", Type::Word, kOptional, 63, "realm, default the server's default realm"},
    Param{"front_end", Type::Word, kOptional, 63, "act as this configured front end, with its roles at most"}};
inline constexpr std::array kAttest{
    Param{"evidence", Type::Word, kRequired, 16,
          "certificate: of a client whose possession of its key the front end's TLS has proved; curve_key: of a ZMQ peer that "
          "CURVE "
          "has proved; loopback: a ZMQ peer of this machine without CURVE; anybody: who has shown nothing; none: the front end "
          "itself "
          "again",
          "certificate curve_key loopback anybody none"},
    Param{"certificate", Type::Pem, kOptional, kMaxPem, "for certificate: the client's, this realm's own"},
    Param{"curve_key", Type::Text, kOptional, 40, "for curve_key: the peer's public key, Z85 (ZeroMQ RFC 32), 40 characters"},
    Param{"endpoint", Type::Text, kOptional, 64, "for loopback: ADDRESS:PORT of the endpoint that the peer came to"},
    Param{"as_front_end", Type::Boolean, kOptional, 0,
          "the peer is a front end itself, on another machine, which needs the role frontend of its own: the next commands may "
          "have `for`, or are for the `holder`"},
    Param{"holder", Type::Pem, kOptional, kMaxPem,
          "for as_front_end: the certificate, this realm's own, of a client whose possession of its key that front end's TLS has "
          "proved"}};
inline constexpr std::array kOwnRenew{
    Param{"csr", Type::Pem, kOptional, kMaxPem, "request with a new key; without it the same key is certified again"}, kDays,
    kIdempotency};
inline constexpr std::array kOwnRevoke{kReason};
inline constexpr std::array kLogin{
    Param{"stack", Type::Word, kOptional, 63, "login stack of the realm; without it, an administrator's certificate"},
    Param{"user", Type::Text, kOptional, 128, "name, where the stack asks for one"},
    kPassword,
    Param{"token", Type::Text, kOptional, 256, "personal token, where the stack takes one"},
    Param{"certificate", Type::Pem, kOptional, kMaxPem, "certificate issued by this realm"},
    Param{"signature", Type::Text, kOptional, 2048, "base64 signature over the challenge text, SHA-256 (Ed25519: none)"}};

inline constexpr std::array kAcmeAccountCreate{
    kJwk,
    kContact,
    Param{"terms_agreed", Type::Boolean, kOptional, 1, "termsOfServiceAgreed"},
    Param{"only_existing", Type::Boolean, kOptional, 1, "onlyReturnExisting"},
    Param{"external_account", Type::Object, kOptional, 8192, "externalAccountBinding: a flattened JWS (RFC 8555 7.3.4)"},
    Param{"url", Type::Text, kOptional, 2048, "newAccount's URL, as the client used it; external_account must name it"}};
inline constexpr std::array kAcmeAccountGet{kAccount};
inline constexpr std::array kAcmeAccountRekey{kAccount, kSignedBy, kJwk};
inline constexpr std::array kAcmeAccountUpdate{
    kAccount, kSignedBy, kContact, Param{"status", Type::Word, kOptional, 16, "deactivated", "deactivated"},
    Param{"terms_agreed", Type::Boolean, kOptional, 1, "true: it agrees to the terms as they are now (RFC 8555 7.3.3)"}};
inline constexpr std::array kAcmeAccountSync{
    kAccount, kJwk, kContact,
    Param{"status", Type::Word, kOptional, 16, "status, default that which it has, a new one's valid",
          "valid deactivated revoked"},
    Param{"created_at", Type::Time, kOptional, 40, "when it was made, default now"}};
inline constexpr std::array kAcmeAuthorizationFind{kAuthorization};
inline constexpr std::array kAcmeAuthorizationGet{kAccount, kSignedBy, kAuthorization};
inline constexpr Param kPeerAddress{"peer", Type::Text, kOptional, 64, "address that the client asks from"};
inline constexpr Param kClientCertificate{"client_certificate", Type::Pem, kOptional, kMaxPem,
                                          "certificate whose key the client has proved to TLS"};
inline constexpr std::array kAcmeAuthorizationCreate{
    kAccount, kSignedBy, Param{"identifier", Type::Object, kRequired, 1024, "{type, value}; no wildcard"}, kPeerAddress,
    kClientCertificate};
inline constexpr std::array kAcmeAuthorizationSync{
    kAuthorization, kOrder, Param{"identifier", Type::Object, kRequired, 1024, "{type, value}, one of the order's identifiers"},
    Param{"status", Type::Word, kOptional, 16, "status, default that which it has, a new one's pending",
          "pending valid invalid deactivated expired revoked"}};
inline constexpr Param kUntried{"untried", Type::Boolean, kOptional, 1,
                                "nobody looked, which is no verdict: the claim is given back, and whoever looks next has it"};
inline constexpr std::array kAcmeCaaFinish{
    kOrder,
    kAuthorization,
    Param{"claim", Type::Text, kRequired, kMaxId, "what acme.order.finalize or acme.order.get gave"},
    Param{"allowed", Type::Boolean, kRequired, 1, "whether CAA was found, and allowed it"},
    Param{"error", Type::Object, kOptional, 8192, "problem document {type, detail} when not allowed"},
    kUntried,
    Param{"evidence", Type::Text, kOptional, 16384, "what was asked, and what came back"}};
inline constexpr std::array kAcmeCertificateGet{kAccount, kSignedBy, Param{"serial", Type::Hex, kRequired, 40, "serial number"}};
inline constexpr std::array kAcmeCertificateRevoke{
    Param{"certificate", Type::Pem, kRequired, kMaxPem, "the certificate"},
    Param{"account", Type::Text, kOptional, kMaxId, "account that signed the request"}, kSignedBy,
    Param{"jwk", Type::Object, kOptional, 8192, "key that signed the request, when it is the certificate's own"}, kReason};
inline constexpr std::array kAcmeChallengeBegin{kAccount, kSignedBy, kAuthorization, kChallengeType, kPeerAddress};
inline constexpr std::array kAcmeChallengeFinish{
    kAuthorization,
    kChallengeType,
    Param{"claim", Type::Text, kRequired, kMaxId, "what acme.challenge.begin gave"},
    Param{"valid", Type::Boolean, kRequired, 1, "whether the proof was found"},
    Param{"caa_checked", Type::Boolean, kOptional, 1, "whether CAA was looked at, and allowed it"},
    Param{"error", Type::Object, kOptional, 8192, "problem document {type, detail} when not valid"},
    kUntried,
    Param{"evidence", Type::Text, kOptional, 16384, "what was asked, of which address, and what came back"}};
inline constexpr Param kAccountOptional{"account", Type::Text, kOptional, kMaxId, "only this account's"};
inline constexpr std::array kAcmeAccountPolicy{
    kAccount, Param{"policy", Type::Word, kOptional, 63, "name of the policy; without it, the account has the realm's"}};
inline constexpr std::array kAcmeAccounts{
    Param{"status", Type::Word, kOptional, 16, "only those of this status", "valid deactivated revoked blocked"},
    Param{"eab", Type::Text, kOptional, kMaxId, "only those that this key bound, by their id"}, kLimit, kAfter};
inline constexpr std::array kAcmeOrders{
    kAccountOptional,
    Param{"status", Type::Word, kOptional, 16, "only those of this status", "pending ready processing valid invalid"}, kLimit,
    kAfter};
inline constexpr std::array kAcmeAuthorizations{
    kAccountOptional,
    Param{"status", Type::Word, kOptional, 16, "only those of this status", "pending valid invalid deactivated expired revoked"},
    kLimit, kAfter};
inline constexpr Param kEabKid{"kid", Type::Text, kRequired, kMaxId, "id of the key"};
inline constexpr std::array kAcmeEabCreate{
    Param{"label", Type::Text, kOptional, 128, "whom the key is for, in your words"},
    Param{"policy", Type::Word, kOptional, 63, "policy of the accounts that it binds, of acme.policies; without it, the realm's"},
    Param{"uses", Type::Integer, kOptional, 1000000, "accounts that it binds at most; without it, any number", {}, 1},
    Param{"expires", Type::Text, kOptional, 32, "how long it binds accounts, \"2h\", at least 60s; without it, for ever"}};
inline constexpr std::array kAcmeEabDelete{
    kEabKid, Param{"block_accounts", Type::Boolean, kOptional, 1, "block the accounts that it bound, too; default false"}};
inline constexpr std::array kAcmeOrderCreate{
    kAccount,
    kSignedBy,
    Param{"identifiers", Type::Objects, kRequired, kMaxSans, "{type, value} each (RFC 8555 7.1.3)"},
    Param{"profile", Type::Word, kOptional, 63, "profile, default the realm's"},
    Param{"not_before", Type::Time, kOptional, 40, "requested start"},
    Param{"not_after", Type::Time, kOptional, 40, "requested end"},
    Param{"replaces", Type::Text, kOptional, kMaxCertificateId, "identifier of the certificate that it replaces (RFC 9773 5)"},
    kPeerAddress,
    kClientCertificate};
inline constexpr std::array kAcmeRenewalGet{
    Param{"certificate_id", Type::Text, kRequired, kMaxCertificateId,
          "identifier of a certificate: key identifier and serial number (RFC 9773 4.1)"}};
inline constexpr std::array kAcmeOrderGet{kAccount, kSignedBy, kOrder};
inline constexpr std::array kAcmeOrderFind{kOrder};
inline constexpr std::array kAcmeOrderFinalize{
    kAccount,
    kSignedBy,
    kOrder,
    kCsr,
    Param{"profile", Type::Word, kOptional, 63, "another profile that ACME offers here, default the order's"},
    kPeerAddress};
inline constexpr std::array kAcmeOrderList{kAccount, kSignedBy, kLimit, kAfter};
inline constexpr std::array kAcmeOrderSync{
    kAccount,
    kOrder,
    Param{"identifiers", Type::Objects, kRequired, kMaxSans, "{type, value} each (RFC 8555 7.1.3)"},
    Param{"status", Type::Word, kOptional, 16, "status, default that which it has, a new one's pending",
          "pending ready processing valid invalid"},
    Param{"not_before", Type::Time, kOptional, 40, "requested start"},
    Param{"not_after", Type::Time, kOptional, 40, "requested end"}};

// ----- results
inline constexpr std::array kIssued{kSerialField, kCertificateField, kChainField, kAlternates, kSubjectField,
                                    kSansField,   kProfileField,     kNotBefore,  kNotAfter};
inline constexpr std::array kEnrolled{
    kSerialField,
    kCertificateField,
    kChainField,
    kAlternates,
    kSubjectField,
    kSansField,
    kProfileField,
    kNotBefore,
    kNotAfter,
    Field{"state", Type::Word, "pending: people are asked, and nothing is issued yet; issued: they agreed"},
    Field{"request", Type::Word, "of what people decide: the request that was opened"}};
inline constexpr std::array kGenerated{
    kSerialField, kCertificateField, kChainField, kAlternates, kSubjectField,
    kSansField,   kProfileField,     kNotBefore,  kNotAfter,   Field{"private_key", Type::Pem, "PKCS#8 key, when asked for"}};
inline constexpr std::array kCertificate{kSerialField,
                                         kCertificateField,
                                         kChainField,
                                         kAlternates,
                                         kCaField,
                                         kSubjectField,
                                         kSansField,
                                         kProfileField,
                                         kNotBefore,
                                         kNotAfter,
                                         kStateField,
                                         Field{"issuer", Type::Text, "issuer DN, slash form"},
                                         Field{"fingerprint", Type::Hex, "SHA-256 of the DER"},
                                         Field{"key", Type::Word, "kind of key"},
                                         Field{"key_usage", Type::Texts, "key usages"},
                                         Field{"extended_key_usage", Type::Texts, "extended key usages"},
                                         Field{"is_ca", Type::Boolean, "basicConstraints CA"},
                                         Field{"path_length", Type::Integer, "pathLenConstraint, when there is one"},
                                         Field{"requester", Type::Text, "identity that asked"},
                                         Field{"front_end", Type::Text, "through which front end; zmq/curve:ra1 are two"},
                                         Field{"policy_rule", Type::Word, "the realm's own rule that granted it, if one did"},
                                         Field{"issued_at", Type::Time, "when it was issued"},
                                         Field{"acme_order", Type::Text, "the ACME order that obtained it, if one did"},
                                         Field{"revoked_at", Type::Time, "when it was revoked"},
                                         Field{"reason", Type::Word, "why it was revoked"}};
inline constexpr std::array kCertificatePage{Field{"certificates", Type::Objects, "as certificate.get, without the PEM texts"},
                                             kNext};
inline constexpr std::array kChained{kSerialField, kCertificateField, kChainField, kAlternates};
inline constexpr std::array kRevoked{kSerialField, Field{"revoked_at", Type::Time, "when"}, Field{"reason", Type::Word, "why"}};
inline constexpr std::array kUnrevoked{kSerialField, kStateField};
inline constexpr std::array kPreview{Field{"allowed", Type::Boolean, "whether certificate.issue would issue"},
                                     Field{"reasons", Type::Objects, "each check {rule, passed, detail}"},
                                     kSubjectField,
                                     kSansField,
                                     kProfileField,
                                     kNotBefore,
                                     kNotAfter,
                                     Field{"key", Type::Word, "kind of key"},
                                     Field{"extensions", Type::Objects, "each extension {name, critical, value}"},
                                     Field{"policy", Type::Object,
                                           "of the realm's rules: rule, granted, points, needed and each of its proofs {proof, "
                                           "points, holds}; absent where the realm has none"}};
inline constexpr std::array kCaChain{Field{"chain", Type::Pem, "PEM blocks, the issuing CA first"}, kAlternates};
inline constexpr std::array kCa{
    Field{"name", Type::Word, "CA name"},
    Field{"state", Type::Word, "ready, waiting (for a certificate), expired or unavailable"},
    kCertificateField,
    Field{"request", Type::Pem, "PKCS#10 request, while the CA waits for its certificate"},
    kSubjectField,
    kSerialField,
    Field{"key", Type::Word, "kind of key"},
    Field{"fingerprint", Type::Hex, "SHA-256 of the DER"},
    kNotBefore,
    kNotAfter,
    Field{"ca", Type::Word, "name of the CA; `name` is that of this generation of it"},
    Field{"generation", Type::Integer, "its number, from 1"},
    Field{"phase", Type::Word, "prepared, active (it issues), draining (it signs CRLs alone), retired or aborted"},
    Field{"purpose", Type::Word, "issuing or root; of a key that is no CA's: ocsp or ra (doc/services.md)"},
    Field{"certified_by", Type::Word, "of such a key: the generation that certified it"},
    Field{"new_with_old", Type::Pem, "its key, certified by the generation before it (RFC 4210 4.4)"},
    Field{"old_with_new", Type::Pem, "the key of the generation before it, certified by this one"},
    Field{"drained", Type::Boolean, "while it drains: whether its last certificate has expired, so that it can be retired"},
    Field{"last_end", Type::Time, "while it drains: when the last of its certificates expires"}};
inline constexpr std::array kCaRequest{Field{"request", Type::Pem, "PKCS#10 request"},
                                       Field{"name", Type::Word, "the generation"}};
inline constexpr std::array kRollover{
    Field{"ca", Type::Word, "name of the CA"},
    Field{"state", Type::Word,
          "none, preparing, prepared, publishing, published, switching, draining, retiring, retired, aborting or aborted"},
    Field{"possible", Type::Text, "steps that may be taken now"},
    Field{"old", Type::Word, "the generation before; empty: there is none"},
    Field{"new", Type::Word, "the new generation"},
    Field{"waits", Type::Boolean, "the new generation waits for its certificate (ca.request, ca.import)"},
    Field{"living_old", Type::Integer, "certificates of the old generation that are neither expired nor revoked"},
    Field{"living_new", Type::Integer, "those of the new one"},
    Field{"percent_old", Type::Integer, "what part of both the old generation has, rounded up"},
    Field{"counted_all", Type::Boolean, "no: there are more certificates than were counted, and the numbers are of those"},
    Field{"old_ends", Type::Time, "when the last certificate of the old generation expires"},
    Field{"changed_by", Type::Text, "who took the last step"},
    Field{"changed_at", Type::Time, "when"},
    Field{"waits_for", Type::Text, "what has to happen before the next step; absent: nothing"},
    Field{"waits_until", Type::Time, "when that will be, where the clock decides"}};
inline constexpr std::array kCaList{Field{"cas", Type::Objects, "as ca.get"}};
inline constexpr std::array kCrl{kCaField,
                                 Field{"crl", Type::Pem, "X509 CRL"},
                                 Field{"number", Type::Integer, "CRL number"},
                                 Field{"base", Type::Integer, "of a delta CRL: number of the full one that it adds to"},
                                 Field{"this_update", Type::Time, "made at"},
                                 Field{"next_update", Type::Time, "next one due"},
                                 Field{"entries", Type::Integer, "certificates on it"},
                                 Field{"issued", Type::Boolean, "whether this call made it"}};
inline constexpr std::array kServiceList{Field{"services", Type::Objects, "as ca.list shows them"}};
inline constexpr std::array kRaMessage{
    Field{"message", Type::Text, "base64: the content that was opened, or the DER of the SignedData"}};
inline constexpr std::array kOcspAnswer{
    Field{"status", Type::Word, "successful, malformed_request, internal_error, try_later or unauthorized (RFC 6960 2.3)"},
    Field{"response", Type::Text, "base64 of the DER of an OCSPResponse"}, Field{"this_update", Type::Time, "made at"},
    Field{"next_update", Type::Time, "to be asked again by then"},
    Field{"has_nonce", Type::Boolean, "whether it is the answer to this request alone"}};
inline constexpr std::array kOcsp{Field{"status", Type::Word, "good, revoked or unknown"},
                                  kSerialField,
                                  Field{"cn", Type::Text, "common name"},
                                  kNotAfter,
                                  Field{"revoked_at", Type::Time, "when"},
                                  Field{"reason", Type::Word, "why"}};
inline constexpr std::array kNode{Field{"cn", Type::Text, "common name"},
                                  Field{"dn", Type::Text, "DN, slash form"},
                                  kProfileField,
                                  kSerialField,
                                  kStateField,
                                  Field{"registered_at", Type::Time, "first seen"},
                                  Field{"key_stored", Type::Boolean, "whether the server keeps its private key"},
                                  kNotAfter};
inline constexpr std::array kRequested{Field{"private_key", Type::Pem, "PKCS#8"}, Field{"csr", Type::Pem, "PKCS#10"},
                                       kSubjectField};
inline constexpr std::array kAnnounced{Field{"number", Type::Integer, "the same for the same DN"},
                                       Field{"dn", Type::Text, "slash form"},
                                       Field{"cn", Type::Text, "common name"},
                                       kProfileField,
                                       kSansField,
                                       Field{"days", Type::Integer, "validity in days"},
                                       Field{"announced_at", Type::Time, "when"}};
inline constexpr std::array kNodePage{Field{"nodes", Type::Objects, "as node.get"}, kNext};
inline constexpr std::array kNodeDeleted{Field{"cn", Type::Text, "common name"}, kSerialField};
inline constexpr Field kSeedId{"id", Type::Hex, "id, with which the seed begins"};
inline constexpr std::array kSeedMade{Field{"seed", Type::Text, "the seed, for whoever registers"},
                                      kSeedId,
                                      kProfileField,
                                      Field{"cn", Type::Text, "the only common name that may be registered, when there is one"},
                                      Field{"state", Type::Word, "good, used or expired"},
                                      Field{"uses_left", Type::Integer, "registrations left"},
                                      Field{"used", Type::Integer, "registrations made or under way"},
                                      Field{"expires_at", Type::Time, "until"},
                                      Field{"created_at", Type::Time, "when it was made"},
                                      Field{"created_by", Type::Text, "by whom"}};
inline constexpr std::array kSeedPage{Field{"seeds", Type::Objects, "as seed.create, without the seed"}, kNext};
inline constexpr std::array kSeedGone{kSeedId};
inline constexpr std::array kAdminAdded{
    Field{"dn", Type::Text, "as stored, slash form"},
    Field{"keys", Type::Texts, "SHA-256 of the public keys (SubjectPublicKeyInfo) with which that name is an administrator"},
    Field{"serials", Type::Texts, "valid certificates of that name and those keys, which can log in"},
    Field{"others", Type::Texts, "valid certificates of that name and other keys, which cannot"}};
inline constexpr std::array kAdminList{Field{"admins", Type::Texts, "DNs, slash form"},
                                       Field{"administrators", Type::Objects, "as admin.add"}};
inline constexpr std::array kAdminRemoved{Field{"removed", Type::Boolean, "whether it was on the list"}};
inline constexpr std::array kProfile{Field{"name", Type::Word, "profile name"},
                                     Field{"origin", Type::Text, "built-in, or the file"},
                                     Field{"profile", Type::Object,
                                           "the profile in uPKI's keys: keyType keyLen duration digest altnames domain subject "
                                           "keyUsage extendedKeyUsage certType pathLen"}};
inline constexpr std::array kProfileOptions{
    Field{"words", Type::Object, "words by setting: keyType, digest, keyUsage, …; subject: the attributes it may have"},
    Field{"key_lengths", Type::Object, "usual lengths in bits by keyType"}};
inline constexpr std::array kProfileList{
    Field{"profiles", Type::Texts, "profile names: the built-in ones in uPKI's order, then the others"}};
inline constexpr std::array kRealm{Field{"name", Type::Word, "realm name"},
                                   Field{"state", Type::Word, "ready, locked (people have to open the CA's key) or degraded"},
                                   Field{"detail", Type::Text, "why it is not ready"}, Field{"ca", Type::Object, "as ca.get"},
                                   Field{"settings", Type::Object, "effective settings, without secrets"}};
inline constexpr std::array kRealmList{Field{"realms", Type::Objects, "{name, state} each"}};
inline constexpr std::array kReconciled{
    Field{"stored", Type::Texts, "serials that were journalled but not stored, and are stored now"},
    Field{"purged_certificates", Type::Integer, "certificates whose time in the store was over, of one batch"}};
inline constexpr std::array kRepaired{
    Field{"missing", Type::Texts, "serials that the journal has signed and the store lacks"},
    Field{"states", Type::Objects, "{serial, found, expected} of certificates whose revocation the store has lost"},
    Field{"damaged", Type::Objects, "{serial, fault} of certificates whose stored form is not what was signed"},
    Field{"applied", Type::Boolean, "whether that was mended"},
    Field{"compared", Type::Integer, "certificates that this step has compared"},
    Field{"next", Type::Text, "where the next step begins; absent after the last"}};
inline constexpr std::array kDescription{Field{"commands", Type::Objects, "{name, role, state, params, result, doc} each"},
                                         Field{"errors", Type::Objects, "{code, number, meaning} each"}};
inline constexpr std::array kLogLevelNow{
    Field{"level", Type::Word, "level in force"},
    Field{"holds", Type::Text, "for which process and how long: this session's worker, until the session ends"}};
inline constexpr std::array kPing{Field{"pong", Type::Boolean, "true"}};
inline constexpr std::array kServerStatus{Field{"version", Type::Text, "version"},
                                          Field{"pid", Type::Integer, "pid of the master"},
                                          Field{"started_at", Type::Time, "when"},
                                          Field{"generation", Type::Integer, "configurations taken so far"},
                                          Field{"workers", Type::Objects, "{pid, uid, realm, state, requests, since} each"},
                                          Field{"processes", Type::Objects, "{kind, name, pid, state, restarts} each"},
                                          Field{"key_pool", Type::Objects, "{kind, ready, size} of the key pairs kept ready"},
                                          Field{"limits", Type::Object, "limits in force"},
                                          Field{"refused", Type::Integer, "connections refused for a limit"}};
inline constexpr std::array kClosed{Field{"closed", Type::Boolean, "true"}};
inline constexpr std::array kIdentity{Field{"realm", Type::Word, "realm of this session"},
                                      Field{"identity", Type::Text, "\"unix:alice\", \"frontend:http\", \"cert:/CN=…\""},
                                      Field{"roles", Type::Texts, "roles in this realm"},
                                      Field{"challenge", Type::Text, "text to sign for session.login"},
                                      Field{"stack", Type::Word, "login stack by which it was proved; absent without one"},
                                      Field{"until", Type::Time, "when that login ends at the latest"}};

inline constexpr std::array kAttested{
    Field{"realm", Type::Word, "realm of this session"},
    Field{"identity", Type::Text, "\"cert:/CN=…\", \"curve:<name>\", \"loopback\", \"anybody\", or the front end's own"},
    Field{"roles", Type::Texts, "what it may do here: its own roles, at most those of each front end between"},
    Field{"serial", Type::Hex, "of the certificate"},
    Field{"cn", Type::Text, "its common name, when it has one"},
    Field{"dn", Type::Text, "its subject, slash form"},
    Field{"profile", Type::Word, "the profile it was made by"}};

inline constexpr std::array kAcmeAccount{Field{"id", Type::Text, "RFC 7638 thumbprint of its first key"},
                                         Field{"status", Type::Word, "valid, deactivated, revoked or blocked"},
                                         Field{"contact", Type::Texts, "contact URLs"},
                                         Field{"jwk", Type::Object, "public key"},
                                         Field{"terms_agreed", Type::Boolean, "termsOfServiceAgreed"},
                                         Field{"created_at", Type::Time, "when"},
                                         Field{"created", Type::Boolean, "whether this call made it"}};
inline constexpr std::array kAcmeAccountPage{Field{"accounts", Type::Objects, "as acme.account.get"}, kNext};
inline constexpr std::array kAcmeAccountStep{Field{"account", Type::Text, "account id"},
                                             Field{"status", Type::Word, "what it is now"}};
inline constexpr std::array kAcmeAccountPolicyNow{Field{"account", Type::Text, "account id"},
                                                  Field{"policy", Type::Word, "its policy; empty: the realm's"}};
inline constexpr std::array kAcmeAccountRows{
    Field{"accounts", Type::Objects, "{id, status, contact, created_at, eab, policy} each"}, kNext};
inline constexpr std::array kAcmeEabMade{Field{"kid", Type::Text, "id of the key: what clients call the key identifier"},
                                         Field{"mac_key", Type::Text, "the key, base64url: what clients call the HMAC key"},
                                         Field{"label", Type::Text, "whom it is for"},
                                         Field{"state", Type::Word, "good, used or expired"},
                                         Field{"policy", Type::Word, "of its accounts; absent: the realm's"},
                                         Field{"uses_left", Type::Integer, "accounts that it still binds; absent: any number"},
                                         Field{"used", Type::Integer, "accounts that it bound"},
                                         Field{"expires_at", Type::Time, "until; absent: for ever"},
                                         Field{"created_at", Type::Time, "when"},
                                         Field{"created_by", Type::Text, "who made it"}};
inline constexpr std::array kAcmeEabPage{
    Field{"keys", Type::Objects, "{kid, label, state, policy, uses_left, used, expires_at, created_at, created_by} each"}, kNext};
inline constexpr std::array kAcmeEabGone{Field{"kid", Type::Text, "id of the key that is gone"},
                                         Field{"blocked", Type::Integer, "accounts that were blocked with it"}};
inline constexpr Field kIdentifierField{"identifier", Type::Object, "{type, value}, without *."};
inline constexpr Field kAuthorizationStatus{"status", Type::Word, "pending valid invalid deactivated expired revoked"};
inline constexpr std::array kAcmeAuthorization{
    Field{"id", Type::Text, "authorization id"},
    Field{"account", Type::Text, "account id"},
    kIdentifierField,
    Field{"wildcard", Type::Boolean, "whether it stands for a wildcard name"},
    kAuthorizationStatus,
    Field{"expires", Type::Time, "until"},
    Field{"challenges", Type::Objects, "{type, token, issuer_domain_names, status, interrupted, validated, error} each"}};
inline constexpr std::array kAcmeAuthorizationMade{
    Field{"id", Type::Text, "authorization id"},
    Field{"account", Type::Text, "account id"},
    kIdentifierField,
    Field{"wildcard", Type::Boolean, "whether it stands for a wildcard name"},
    kAuthorizationStatus,
    Field{"expires", Type::Time, "until"},
    Field{"challenges", Type::Objects, "{type, token, issuer_domain_names, status, interrupted, validated, error} each"},
    Field{"created", Type::Boolean, "whether this call made it; false: the name is proved already"}};
inline constexpr std::array kAcmeAuthorizationOfOrder{
    Field{"id", Type::Text, "authorization id"},
    Field{"account", Type::Text, "account id"},
    Field{"order", Type::Text, "the order that it was made for; absent where that is not known"},
    kIdentifierField,
    Field{"wildcard", Type::Boolean, "whether it stands for a wildcard name"},
    kAuthorizationStatus,
    Field{"expires", Type::Time, "until"}};
inline constexpr std::array kAcmeChallengeTask{
    Field{"claimed", Type::Boolean, "whether the caller is to validate; false: it is decided or under way"},
    Field{"claim", Type::Text, "for acme.challenge.finish"}, Field{"authorization", Type::Object, "as acme.authorization.get"},
    Field{"thumbprint", Type::Text, "of the account's key, for the key authorization"},
    Field{"rules", Type::Object, "where it is claimed: as acme.realm.get"}};
inline constexpr std::array kAcmeOrder{
    Field{"id", Type::Text, "order id"},
    Field{"account", Type::Text, "account id"},
    Field{"status", Type::Word, "pending ready processing valid invalid"},
    Field{"identifiers", Type::Objects, "{type, value} each"},
    Field{"authorizations", Type::Texts, "authorization ids"},
    Field{"profile", Type::Word, "profile"},
    Field{"expires", Type::Time, "until"},
    kNotBefore,
    kNotAfter,
    Field{"error", Type::Object, "problem document"},
    Field{"serial", Type::Hex, "of the certificate, once valid"},
    Field{"replaces", Type::Text, "identifier of the certificate that it replaces"},
    Field{"caa_checks", Type::Objects,
          "{authorization, account, identifier, wildcard, type, claim} each: CAA to be looked at "
          "before it is issued, and reported by acme.caa.finish; of finalize and get"}};
inline constexpr std::array kAcmeOrderPage{Field{"orders", Type::Texts, "order ids"}, kNext};
inline constexpr std::array kAcmeRenewal{Field{"start", Type::Time, "renew from then"},
                                         Field{"end", Type::Time, "and until then"},
                                         Field{"explanation_url", Type::Text, "why, where the certificate is revoked"}};
inline constexpr std::array kAcmeOrderRows{
    Field{"orders", Type::Objects, "{id, account, status, identifiers, profile, created_at, expires, serial} each"}, kNext};
inline constexpr std::array kAcmeAuthorizationRows{
    Field{"authorizations", Type::Objects, "{id, account, type, name, status, created_at, expires} each"}, kNext};
inline constexpr std::array kAcmeStory{
    Field{"id", Type::Text, "order id"},
    Field{"account", Type::Text, "account id"},
    Field{"status", Type::Word, "pending ready processing valid invalid"},
    Field{"identifiers", Type::Objects, "{type, value} each"},
    Field{"profile", Type::Word, "profile"},
    Field{"created_at", Type::Time, "when it was made"},
    Field{"expires", Type::Time, "until"},
    Field{"serial", Type::Hex, "of the certificate, once valid"},
    Field{"replaces", Type::Text, "identifier of the certificate that it replaces"},
    Field{"error", Type::Object, "why it is invalid, as a problem document"},
    Field{"authorizations", Type::Objects, "{id, account, type, name, status, created_at, expires} each"},
    Field{"holder", Type::Object, "its account: {id, status, contact, created_at, eab, policy}"},
    Field{"certificate", Type::Object, "as a row of certificate.search"},
    Field{"story", Type::Objects, "{at, what} each, oldest first: what was asked, checked and found, issued and revoked"}};
inline constexpr std::array kAcmeRealm{
    Field{"enabled", Type::Boolean, "whether ACME is on"},
    Field{"terms_of_service", Type::Text, "URL"},
    Field{"profiles", Type::Texts, "profiles an order may name"},
    Field{"http01_port", Type::Integer, "port of http-01"},
    Field{"tlsalpn01_port", Type::Integer, "port of tls-alpn-01"},
    Field{"resolver", Type::Text, "ADDR:PORT, or empty"},
    Field{"dnssec_anchors", Type::Texts, "DS or DNSKEY records to trust"},
    Field{"caa_identities", Type::Texts, "DNS names that mean this CA; none: CAA is not checked"},
    Field{"allow_loopback", Type::Boolean, "whether validation may connect to loopback"},
    Field{"allowed_networks", Type::Texts, "networks that it may connect to although they are forbidden otherwise"},
    Field{"forbidden_networks", Type::Texts, "networks that it does not connect to, beside loopback and other special ones"},
    Field{"vantage_points", Type::Texts, "tcp://HOST:PORT KEY of those who look, too"},
    Field{"vantage_quorum", Type::Integer, "how many of them must agree"},
    Field{"upki_clients", Type::Boolean, "whether uPKI's command line is served"},
    Field{"external_account", Type::Word, "external account binding: none, optional or required"}};

// ----- policy.replay
inline constexpr std::int64_t kMaxConfig = 524288;
inline constexpr std::array kPolicyReplay{
    Param{"config", Type::File, kRequired, kMaxConfig,
          "a ca.config.yml: its `policy:` and `profiles:` count, the realm's own profile files beside them"},
    Param{"since", Type::Text, kOptional, 32, "how far back, \"90d\", default 90d"}, kLimit, kAfter};
inline constexpr std::array kPolicyReplayed{
    Field{"asked", Type::Integer, "how many certificates were decided again"},
    Field{"differences", Type::Objects,
          "serial, subject, profile, requester, issued_at; allowed and why now; rule: the one that granted it then, rule_now"},
    Field{"refused_asked", Type::Integer, "how many requests that were refused were decided again, on the first page"},
    Field{"grantable", Type::Objects, "those that would be granted: id, subject, profile, requester, last_at, times, rule_now"},
    Field{"findings", Type::Texts, "what is wrong with the configuration; then nothing was decided"},
    kNext};
inline constexpr std::array kPolicyRefused{kLimit, kAfter};
inline constexpr std::array kPolicyRefusedPage{
    Field{"refused", Type::Objects,
          "id, way, profile, requester, subject, sans, why, times, first_at, last_at; the newest first"},
    kNext};
// ----- the secret of the CA's key
inline constexpr std::array kSecretEnter{
    Param{"secret", Type::Text, kRequired, 1024, "the share, a whole line of chancery secret split, or the passphrase"}};
inline constexpr std::array kSecretStatus{
    Field{"method", Type::Word, "who opens the key: none (a file or credential), prompt or shares"},
    Field{"store", Type::Word, "where it is: file or pkcs11"},
    Field{"state", Type::Word, "open; locked: people have to open it; away: its token cannot be used"},
    Field{"reason", Type::Text, "why it is not open"},
    Field{"shares", Type::Integer, "how many shares there are, with method shares"},
    Field{"threshold", Type::Integer, "how many of them it takes"},
    Field{"set", Type::Text, "id of the set that they must be of, once it is known"},
    Field{"given", Type::Objects, "{index, by, at} of each share that is in"}};
// ----- people
inline constexpr Param kUser{"user", Type::Text, kRequired, 64, "name: a-z 0-9 . _ @ -"};
inline constexpr Param kUserOptional{"user", Type::Text, kOptional, 64, "name, default oneself"};
inline constexpr Param kRoleNames{"roles", Type::Texts, kOptional, 64,
                                  "roles: user ra-operator ca-operator auditor admin, and the realm's own"};
inline constexpr std::array kAccessExplain{
    Param{"command", Type::Text, kRequired, 64, "name of the command"},
    Param{"identity", Type::Text, kOptional, 256, "for whom, \"user:alice\", default oneself"},
    Param{"roles", Type::Texts, kOptional, 64, "with which roles, default those that the person has"},
    Param{"profile", Type::Text, kOptional, 63, "profile of the certificate that it is about"},
    Param{"subject", Type::Text, kOptional, kMaxText, "its DN, slash or comma form"},
    Param{"sans", Type::Texts, kOptional, kMaxSans, "its subject alternative names"}};
inline constexpr std::array kAccessExplained{Field{"identity", Type::Text, "for whom"},
                                             Field{"roles", Type::Texts, "with which roles, as they were given"},
                                             Field{"command", Type::Text, "which command"},
                                             Field{"least_role", Type::Word, "what the command table demands"},
                                             Field{"allowed", Type::Boolean, "whether it may be run"},
                                             Field{"why", Type::Text, "one line"},
                                             Field{"rule", Type::Word, "name of the rule that decides; absent where none does"}};
inline constexpr std::array kIdentityCreate{kUser, kRoleNames, kPassword};
inline constexpr std::array kIdentityUser{kUser};
inline constexpr std::array kIdentityOwn{kUserOptional};
inline constexpr std::array kIdentityRoles{kUser, kRoleNames};
inline constexpr std::array kIdentityPassword{
    kUserOptional, Param{"password", Type::Text, kRequired, 1024, "new password, at least 8 octets"},
    Param{"old_password", Type::Text, kOptional, 1024, "the one until now; needed for one's own"}};
inline constexpr std::array kPerson{Field{"user", Type::Text, "name"},
                                    Field{"identity", Type::Text, "what the session of that person is called, \"user:alice\""},
                                    Field{"state", Type::Word, "enabled or disabled"},
                                    Field{"roles", Type::Texts, "roles of that person, whatever the stack"},
                                    Field{"password", Type::Text, "how it is hashed, \"scrypt ln=15 r=8 p=1\", or none"},
                                    Field{"created_at", Type::Time, "when it was made"},
                                    Field{"created_by", Type::Text, "who made it"},
                                    Field{"changed_at", Type::Time, "when it was changed last"}};
inline constexpr std::array kPersonPage{Field{"identities", Type::Objects, "as identity.get"}, kNext};
inline constexpr std::array kPersonGone{Field{"user", Type::Text, "name"}};
inline constexpr std::array kTokenCreate{
    kUserOptional,
    Param{"commands", Type::Texts, kOptional, 64, "what it is for, names or globs like certificate.*; without any, all"},
    kRoleNames,
    Param{"expires", Type::Text, kOptional, 32, "how long it is good, \"30d\", at least 60s, at most 366d, default 90d"},
    Param{"note", Type::Text, kOptional, 128, "what it is for, for people"}};
inline constexpr std::array kTokenList{kUserOptional, kLimit, kAfter};
inline constexpr std::array kTokenSelect{Param{"id", Type::Hex, kRequired, 16, "id of the token"}};
inline constexpr std::array kTokenMade{Field{"token", Type::Text, "the token, for session.login"},
                                       Field{"id", Type::Hex, "id, by which it is revoked"},
                                       Field{"user", Type::Text, "whose it is"},
                                       Field{"state", Type::Word, "good or expired"},
                                       Field{"commands", Type::Texts, "what it is for; empty: all"},
                                       Field{"roles", Type::Texts, "the only roles that it has; empty: its owner's"},
                                       Field{"note", Type::Text, "what it is for, for people"},
                                       Field{"expires_at", Type::Time, "when it ends"},
                                       Field{"created_at", Type::Time, "when it was made"},
                                       Field{"created_by", Type::Text, "who made it"}};
inline constexpr std::array kTokenPage{Field{"tokens", Type::Objects, "as token.create, without the token"}, kNext};
inline constexpr std::array kTokenGone{Field{"id", Type::Hex, "id of the token"}};
// ----- notices that certificates end
inline constexpr Param kNoticeId{"id", Type::Hex, kRequired, kMaxId, "the notice's id"};
inline constexpr std::array kNoticeClaimed{Field{
    "notice", Type::Object,
    "{id, token, channel, recipient, ahead, attempt, serial, subject, cn, names, profile, requester, not_before, not_after, "
    "seconds_left}; of a request that waits: event request.waits, request, kind, digest, approvals, approvals_needed, "
    "approval_roles, created_at, expires_at, seconds_waited; of a self-audit that found something: event self_audit.findings, "
    "started, finished, certificates, findings, first; absent: none is due"}};
inline constexpr std::array kNoticeFinish{kNoticeId, Param{"token", Type::Hex, kRequired, kMaxId, "of the claim"},
                                          Param{"sent", Type::Boolean, kRequired, 1, "whether it was sent"},
                                          Param{"problem", Type::Text, kOptional, kMaxText, "why it was not"}};
inline constexpr std::array kNoticeFinished{Field{"state", Type::Word, "sent or waiting"},
                                            Field{"again_at", Type::Time, "when it is tried again; absent: it was sent"}};
inline constexpr std::array kNoticePage{
    Field{"notices", Type::Objects,
          "{id, state, channel, recipient, serial or request, ahead, not_after, attempts, at, problem} "
          "each, by the ends of their certificates; at "
          "is when it was sent or dropped, or when it may be tried (again)"},
    kNext};

// ----- many certificates at once
inline constexpr std::array kCertificateRevokeMany{
    Param{"subject", Type::Text, kOptional, 255, "beginning of the common name"},
    Param{"san", Type::Text, kOptional, 255, "one subject alternative name, exactly"},
    Param{"serial", Type::Hex, kOptional, 40, "serial number"},
    Param{"profile", Type::Word, kOptional, 63, "profile"},
    Param{"requester", Type::Text, kOptional, 128, "identity that asked"},
    Param{"expires_before", Type::Time, kOptional, 40, "not_after before this time"},
    Param{"expires_after", Type::Time, kOptional, 40, "not_after at or after this time"},
    Param{"issued_before", Type::Time, kOptional, 40, "issued before this time"},
    Param{"issued_after", Type::Time, kOptional, 40, "issued at or after this time"},
    Param{"state", Type::Word, kOptional, 16, "which ones, default valid", "valid held"},
    kReason,
    Param{"apply", Type::Boolean, kOptional, 1, "revoke them; without it nothing is changed"},
    Param{"expected", Type::Integer, kOptional, 500, "with apply: how many they are, as the command said without it"}};
inline constexpr std::array kRevokedMany{
    Field{"applied", Type::Boolean, "whether anything was changed"}, Field{"count", Type::Integer, "how many match"},
    Field{"certificates", Type::Objects, "without apply: the rows of certificate.search"},
    Field{"revoked", Type::Texts, "with apply: serial numbers"},
    Field{"refused", Type::Objects, "with apply: {serial, why} of those that somebody else changed meanwhile"}};

}  // namespace chancery::wire
