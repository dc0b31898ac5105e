#pragma once

#include <array>

#include "clients/api/routes.h"

/// The lists of fields and answers in routes.def. Included by routes.cc alone.
namespace chancery::api {

inline constexpr bool kRequired = true;
inline constexpr bool kOptional = false;

// ----- requests
inline constexpr std::int64_t kMostDays = 36500;  ///< as certificate.enrol's
inline constexpr Field kProfileField{"profile", Kind::Text, kOptional, "profile name, default server"};
inline constexpr std::array kPageQuery{Field{"limit", Kind::Number, kOptional, "rows of a page, 1 to 1000, default 1000"},
                                       Field{"after", Kind::Text, kOptional, "the `next` of the page before"}};
inline constexpr std::array kMagicQuery{
    Field{"cn", Kind::Text, kOptional, "common name, default a name of the profile's domain"},
    Field{"sans", Kind::Text, kOptional, "subject alternative names with commas between: \"a.example.com,IP:192.0.2.1\""}};
inline constexpr std::array kCertifyBody{Field{"csr", Kind::Pem, kRequired, "PKCS#10 request"}, kProfileField};
inline constexpr std::array kEnrolBody{
    Field{"csr", Kind::Pem, kRequired, "PKCS#10 request"}, kProfileField,
    Field{"days", Kind::Number, kOptional, "validity in days, 1 to 36500, at most the profile's, which is the default", 1,
          kMostDays},
    Field{"hmac", Kind::Text, kOptional,
          "HMAC with SHA-256 over the request's DER and what comes beside it (doc/enrolment.md), in hex"},
    Field{"signature", Kind::Pem, kOptional, "detached CMS SignedData over the same octets as hmac, by who enrols on behalf"}};
inline constexpr std::array kOcspBody{Field{"serial", Kind::Serial, kOptional, "serial number"},
                                      Field{"cert", Kind::Pem, kOptional, "the certificate"}};
inline constexpr std::array kNodeBody{Field{"cn", Kind::Text, kRequired, "common name"}, kProfileField,
                                      Field{"sans", Kind::Sans, kOptional, "subject alternative names"}};
inline constexpr std::array kAdminsBody{Field{"admins", Kind::Texts, kRequired, "DNs, in slash or comma form"}};
inline constexpr std::array kRenewBody{
    Field{"profile", Kind::Text, kOptional, "the certificate's own profile; another one is refused"},
    Field{"csr", Kind::Pem, kOptional, "PKCS#10 request with a new key"}};
inline constexpr std::array kRevokeBody{
    Field{"reason", Kind::Reason, kOptional, "CRLReason (RFC 5280 5.3.1) in any case, or its number; default unspecified"}};

inline constexpr std::array kOlderCertifyBody{Field{"CSR", Kind::Pem, kRequired, "PKCS#10 request"}, kProfileField};
inline constexpr std::array kOlderMagicBody{Field{"cn", Kind::Text, kOptional, "common name"},
                                            Field{"sans", Kind::Texts, kOptional, "subject alternative names"}};
inline constexpr std::array kOlderRevokeBody{
    Field{"dn", Kind::Text, kRequired, "DN, CN or serial number"},
    Field{"reason", Kind::Reason, kOptional, "CRLReason, its name in any case or its number; default unspecified"}};
inline constexpr std::array kOlderUnrevokeBody{Field{"dn", Kind::Text, kRequired, "DN, CN or serial number"}};

inline constexpr Fields kNothing{};
inline constexpr Fields kPage{.query = kPageQuery, .body = {}};
inline constexpr Fields kMagic{.query = kMagicQuery, .body = {}};
inline constexpr Fields kCertify{.query = {}, .body = kCertifyBody};
inline constexpr Fields kEnrol{.query = {}, .body = kEnrolBody};
inline constexpr Fields kOcsp{.query = {}, .body = kOcspBody};
inline constexpr Fields kNodeNew{.query = {}, .body = kNodeBody};
inline constexpr Fields kAdminsNew{.query = {}, .body = kAdminsBody};
inline constexpr Fields kRenew{.query = {}, .body = kRenewBody};
inline constexpr Fields kRevoke{.query = {}, .body = kRevokeBody};

inline constexpr Fields kOlderCertify{.query = {}, .body = kOlderCertifyBody};
inline constexpr Fields kOlderMagic{.query = {}, .body = kOlderMagicBody};
inline constexpr Fields kOlderRevoke{.query = {}, .body = kOlderRevokeBody};
inline constexpr Fields kOlderUnrevoke{.query = {}, .body = kOlderUnrevokeBody};

// ----- answers
inline constexpr Field kNext{"next", Kind::Text, kOptional, "what `after` must be for the next page; absent on the last"};
inline constexpr std::array kHealthFields{Field{"status", Kind::Text, kRequired, "healthy"}};
inline constexpr std::array kCertificateFields{Field{"certificate", Kind::Pem, kRequired, "the certificate, PEM"}};
inline constexpr std::array kCrlFields{Field{"crl", Kind::Text, kRequired, "the CRL, base64 of DER"}};
inline constexpr std::array kCertificatesFields{
    Field{"certificates", Kind::Objects, kRequired, "{dn, cn, profile, state, serial} each"}, kNext};
inline constexpr std::array kNodesFields{Field{"nodes", Kind::Objects, kRequired, "{dn, cn, profile, state, serial} each"},
                                         kNext};
inline constexpr std::array kIssuedFields{Field{"certificate", Kind::Pem, kRequired, "the certificate, PEM"},
                                          Field{"dn", Kind::Text, kRequired, "its subject, slash form"},
                                          Field{"serial", Kind::Serial, kRequired, "its serial number, an integer"},
                                          Field{"profile", Kind::Text, kRequired, "its profile"}};
inline constexpr std::array kMagicFields{
    Field{"profile", Kind::Text, kRequired, "the profile"},
    Field{"commands", Kind::Object, kRequired, "{generate_key, generate_csr}: a line for a shell each"}};
inline constexpr std::array kOcspFields{Field{"status", Kind::Text, kRequired, "good, revoked or unknown"},
                                        Field{"serial", Kind::Serial, kRequired, "serial number, an integer"},
                                        Field{"cn", Kind::Text, kOptional, "common name"},
                                        Field{"revoke_reason", Kind::Text, kOptional, "why it was revoked"},
                                        Field{"revoke_date", Kind::Text, kOptional, "when it was revoked"}};
inline constexpr std::array kNodeFields{Field{"node", Kind::Object, kRequired, "{dn, certificate, serial}"}};
inline constexpr std::array kAdminsFields{
    Field{"admins", Kind::Texts, kRequired, "DNs, slash form"},
    Field{"administrators", Kind::Objects, kRequired,
          "{dn, keys, serials, others} each: SHA-256 of the public keys that are bound to the name, serials of its valid "
          "certificates with them, and of those with other keys, whose holders are no administrators"}};
inline constexpr std::array kAdminResultsFields{
    Field{"results", Kind::Objects, kRequired,
          "{dn, success} each, with a message where success is false, and else with keys, serials and others as in GET"}};
inline constexpr std::array kConfigFields{
    Field{"ca_host", Kind::Text, kRequired, "the CA's address, or the path of the server's socket"},
    Field{"ca_port", Kind::Number, kRequired, "its port of operations; 0: a socket has none"},
    Field{"data_dir", Kind::Text, kRequired, "where this front end keeps its TLS keys"},
    Field{"registered", Kind::Flag, kRequired, "whether the CA takes this front end for one in this realm"},
    Field{"realm", Kind::Text, kRequired, "the realm"}};
inline constexpr std::array kOptionsFields{Field{"key_types", Kind::Texts, kRequired, "kinds of key pairs that the server makes"},
                                           Field{"digests", Kind::Texts, kRequired, "digests of the realm's CA and profiles"},
                                           Field{"profiles", Kind::Texts, kRequired, "profile names"},
                                           Field{"validity", Kind::Object, kRequired, "days, by profile name"}};
inline constexpr std::array kStatusFields{Field{"dn", Kind::Text, kRequired, "subject, slash form"},
                                          Field{"serial", Kind::Serial, kRequired, "serial number, an integer"},
                                          Field{"status", Kind::Text, kRequired, "valid, held, revoked or expired"},
                                          Field{"ocsp", Kind::Text, kRequired, "good, revoked or unknown"}};

inline constexpr Answer kDescription{Answer::Shape::Document, {}, "an OpenAPI 3.1 document"};
inline constexpr Answer kHealth{Answer::Shape::Data, kHealthFields, "the realm answers"};
inline constexpr Answer kCertificateAnswer{Answer::Shape::Data, kCertificateFields, "the CA certificate"};
inline constexpr Answer kCrlAnswer{Answer::Shape::Data, kCrlFields, "the CRL"};
inline constexpr Answer kProfileNames{Answer::Shape::List, {}, "the names"};
inline constexpr Answer kProfileAnswer{Answer::Shape::Data,
                                       {},
                                       "keyType keyLen duration digest altnames domain subject keyUsage "
                                       "extendedKeyUsage certType pathLen"};
inline constexpr Answer kCertificatesAnswer{Answer::Shape::Data, kCertificatesFields, "a page of nodes"};
inline constexpr Answer kView{Answer::Shape::Data,
                              {},
                              "subject issuer extensions sans key_usage basic_constraints serial_number "
                              "fingerprint not_valid_before not_valid_after is_valid is_revoked "
                              "revoke_reason is_ca serial status, as uPKI's `view`"};
inline constexpr Answer kIssued{Answer::Shape::Data, kIssuedFields, "the new certificate"};
inline constexpr Answer kMagicAnswer{Answer::Shape::Data, kMagicFields, "the commands"};
inline constexpr Answer kOcspAnswer{Answer::Shape::Data, kOcspFields, "the state"};
inline constexpr Answer kNodesAnswer{Answer::Shape::Data, kNodesFields, "a page of nodes"};
inline constexpr Answer kNodeAnswer{Answer::Shape::Data, kNodeFields, "the new node"};
inline constexpr Answer kAdminsAnswer{Answer::Shape::Data, kAdminsFields, "the list"};
inline constexpr Answer kAdminResults{Answer::Shape::Data, kAdminResultsFields, "one result for each DN"};
inline constexpr Answer kConfigAnswer{Answer::Shape::Data, kConfigFields, "the configuration"};
inline constexpr Answer kOptionsAnswer{Answer::Shape::Data, kOptionsFields, "the options"};
inline constexpr Answer kStatusAnswer{Answer::Shape::Data, kStatusFields, "the state"};
inline constexpr std::array kOlderMagicFields{Field{"command", Kind::Text, kRequired, "a line for a shell"}};
inline constexpr std::array kOlderProfileFields{Field{"profiles", Kind::Object, kRequired, "profiles by name, in uPKI's keys"}};
inline constexpr Answer kOlderMagicAnswer{Answer::Shape::Data, kOlderMagicFields, "the command"};
inline constexpr std::array kOlderOcspFields{Field{"response", Kind::Object, kRequired, "as `data` of /api/v1/ocsp"}};
inline constexpr Answer kOlderOcsp{Answer::Shape::Data, kOlderOcspFields, "the state"};
inline constexpr Answer kOlderProfiles{Answer::Shape::Data, kOlderProfileFields, "the profiles"};
inline constexpr Answer kRawCa{Answer::Shape::Raw, {}, "PEM", "application/x-x509-ca-cert"};
inline constexpr Answer kRawCrl{Answer::Shape::Raw, {}, "PEM, as that generation has it under this type", "application/pkix-crl"};
inline constexpr Answer kDone{Answer::Shape::Message, {}, "what was done"};

}  // namespace chancery::api
