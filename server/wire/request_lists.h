#pragma once

#include "server/wire/command_lists.h"

/// The parameter and result lists of request.* in commands.def. Included by commands.cc alone.
namespace chancery::wire {

inline constexpr std::string_view kRequestKinds = "enrolment renewal revocation name-change rollover rule-change";
inline constexpr std::string_view kRequestStates = "pending approved processing issued done rejected withdrawn expired failed";
inline constexpr std::int64_t kMaxAttachments = 20;
inline constexpr std::int64_t kMaxRules = 49152;  ///< with what else one row of the store holds (PROMISES Q13)

// ----- pieces that recur
inline constexpr Param kRequestId{"request", Type::Hex, kRequired, 32, "request id"};
inline constexpr Param kRequestDigest{"digest", Type::Hex, kOptional, 64,
                                      "of the request that was looked at: refused when it is another one by now"};
inline constexpr Param kRequestWords{"comment", Type::Text, kOptional, kMaxText, "what the history shall say"};
inline constexpr Param kAttachments{
    "attachments", Type::Objects, kOptional, kMaxAttachments,
    "files of evidence, {name, type, data} each: a file's name, a media type (RFC 6838) and base64"};

// ----- parameters
inline constexpr std::array kRequestApprove{
    kRequestId, kRequestDigest, kRequestWords,
    Param{"certificate", Type::Pem, kOptional, kMaxPem, "the approver's certificate, of this realm, with `signature`"},
    Param{
        "signature", Type::Text, kOptional, 2048,
        "base64: by that certificate's key, SHA-256, over the line \"chancery request approval 1\" and the line of the digest"}};
inline constexpr std::array kRequestComment{
    kRequestId, Param{"comment", Type::Text, kRequired, kMaxText, "what the history shall say"}, kAttachments};
inline constexpr std::array kRequestCreate{
    Param{"kind", Type::Word, kOptional, 16, "what is asked for, default enrolment", kRequestKinds},
    Param{"csr", Type::Pem, kOptional, kMaxPem,
          "PKCS#10 request (RFC 2986): of an enrolment; with a new key also of a renewal and a name change"},
    kProfileOptional,
    kSansOptional,
    kDays,
    Param{"serial", Type::Hex, kOptional, 40, "the certificate to renew, to revoke, or whose names change"},
    Param{"dn", Type::Text, kOptional, kMaxText, "of a name change: the new DN, slash or comma form"},
    kReason,
    Param{"ca", Type::Text, kOptional, 63,
          "of a rollover: the CA, default ca; with a step after the first, its generation like ca-2"},
    Param{"step", Type::Word, kOptional, 16,
          "of a rollover: the one step, or the whole of start, publish and switch; default whole",
          "start publish switch abort whole"},
    Param{"from", Type::Word, kOptional, 8, "of a rollover that starts: as for ca.rollover.start", "self root request"},
    Param{"config", Type::File, kOptional, kMaxRules, "of a rule change: ca.config.yml as it shall be"},
    kHmac,
    kOnBehalf,
    kRequestWords,
    kAttachments,
    Param{"peer", Type::Text, kOptional, 64, "address that it is asked from; front ends alone say it"}};
inline constexpr std::array kRequestGet{
    kRequestId, Param{"attachment", Type::Integer, kOptional, 1000, "one of its attachments, by number, with its data"}};
inline constexpr std::array kRequestList{Param{"state", Type::Word, kOptional, 16, "state", kRequestStates},
                                         Param{"requester", Type::Text, kOptional, 128, "identity that asked"},
                                         Param{"mine", Type::Boolean, kOptional, 1, "the session's own alone"}, kLimit, kAfter};
inline constexpr std::array kRequestPickup{kRequestId};
inline constexpr std::array kRequestReject{kRequestId, kRequestDigest,
                                           Param{"comment", Type::Text, kRequired, kMaxText, "why, for the history"}};
inline constexpr std::array kRequestRetry{kRequestId, kRequestWords};
inline constexpr std::array kRequestWithdraw{kRequestId, kRequestDigest, kRequestWords};

// ----- results
inline constexpr std::array kRequest{
    Field{"request", Type::Hex, "request id"},
    Field{"kind", Type::Word, "enrolment, renewal, revocation, name-change, rollover or rule-change"},
    Field{"state", Type::Word,
          "pending, approved, processing, issued, done (what makes no certificate), rejected, withdrawn, expired or failed"},
    Field{"requester", Type::Text, "identity that asked"},
    kProfileField,
    Field{"digest", Type::Hex, "SHA-256 of `content`, which approvals are given for"},
    Field{"content", Type::Text, "everything that decides what is certified, as the text that is digested"},
    kSubjectField,
    kSansField,
    Field{"certificate_serial", Type::Hex, "of the certificate that it is about"},
    Field{"reason", Type::Word, "CRLReason name of a revocation"},
    Field{"ca", Type::Text, "of a rollover: the generation that is made"},
    Field{"step", Type::Word, "of a rollover: start, publish, switch, abort or whole"},
    Field{"rules", Type::Hex, "of a rule change: the digest of the rules, as a reload names it"},
    Field{"config", Type::Text, "of a rule change: ca.config.yml as it shall be"},
    Field{"differences", Type::Texts,
          "of a rule change: what it changes of the rules in force, as chanceryd --check --diff says it"},
    Field{"approvals_needed", Type::Integer, "people who have to approve"},
    Field{"approval_roles", Type::Texts, "roles, one of which they need"},
    Field{"approvals", Type::Objects, "those that count: {who, at, roles, signed} each"},
    Field{"rule", Type::Text, "the rule that approved it, instead of people"},
    Field{"created_at", Type::Time, "when it was made"},
    Field{"expires_at", Type::Time, "when it expires, unless it is finished"},
    Field{"serial", Type::Hex, "of the certificate that came of it, or that was revoked"},
    Field{"history", Type::Objects, "{number, at, what, state, who, why, digest, chain} each, oldest first"},
    Field{"attachments", Type::Objects, "{attachment, name, type, size, sha256} each"},
    Field{"attached", Type::Object, "{name, type, sha256, data} of the one that was asked for"}};
inline constexpr std::array kRequestPage{
    Field{"requests", Type::Objects,
          "{request, kind, state, requester, profile, subject, digest, created_at, expires_at, serial} each"},
    kNext};
inline constexpr std::array kRequestMade{Field{"request", Type::Hex, "request id"},
                                         Field{"state", Type::Word, "issued, or done"},
                                         kSerialField,
                                         kCertificateField,
                                         kChainField,
                                         kNotBefore,
                                         kNotAfter,
                                         kProfileField,
                                         kSubjectField,
                                         kSansField,
                                         Field{"ca", Type::Text, "of a rollover: the generation"},
                                         Field{"rollover", Type::Word, "of a rollover: its state"}};

}  // namespace chancery::wire
