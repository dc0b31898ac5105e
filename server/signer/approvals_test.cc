#include "server/signer/approvals.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "server/base/approval_text.h"
#include "server/realm/request_content.h"
#include "server/signer/testing.h"
#include "server/x509/csr.h"

/// A signer that verifies approvals itself: whatever a worker says, it takes people's signatures.
namespace chancery::signer {
namespace {

const std::string kId = "0123456789abcdef0123456789abcdef";

crypto::PrivateKey new_key() { return crypto::PrivateKey::generate(base::parse_key_spec("ec:P-256").value()).value(); }

constexpr std::string_view kSealed =
    "keyUsage: [digitalSignature]\nextendedKeyUsage: [serverAuth]\napprovals: 2\nsigned_approvals: true\napprover_profiles: "
    "[user]\n";
constexpr std::string_view kClerk = "keyUsage: [digitalSignature]\nextendedKeyUsage: [clientAuth]\nsubject_from: request\n";

/// Somebody with a key and a certificate.
struct Person {
  crypto::PrivateKey key = new_key();
  std::optional<x509::Certificate> certificate;

  Bytes der() const { return {certificate->der().begin(), certificate->der().end()}; }
  SignedApproval approve(const std::string& digest) const {
    const auto algorithm = crypto::algorithm_for(key.public_key().spec(), "sha256").value();
    return {der(), key.sign(algorithm, base::as_bytes(base::approval_text(digest))).value()};
  }
};

class Office : public TestRealm {
 public:
  Office() {
    create_unencrypted();
    write("profiles/sealed.yml", kSealed);
    write("profiles/clerk.yml", kClerk);
    open();
    bob = person("/CN=bob", "user");
    carol = person("/CN=carol", "user");
  }

  Person person(const char* dn, const char* profile, std::chrono::days days = std::chrono::days{29}) {
    Person one;
    const auto subject = x509::Name::from_slash(dn).value();
    const auto half = one.key.public_key();
    const auto made = issuer->sign_certificate(SignRequest{.serial = Serial::random(),
                                                           .profile = ProfileName::parse(profile).value(),
                                                           .subject = subject,
                                                           .sans = {},
                                                           .spki = Bytes(half.spki().begin(), half.spki().end()),
                                                           .not_before = kNow,
                                                           .not_after = kNow + days,
                                                           .csr = x509::make_csr(one.key, subject, {}).value(),
                                                           .renews = {},
                                                           .requester = "unix:root",
                                                           .front_end = {},
                                                           .rule = "command",
                                                           .evidence = {},
                                                           .idempotency_key = {}},
                                               kNow);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message());
    if (made.ok()) one.certificate = x509::Certificate::from_der(made->certificate).value();
    return one;
  }

  void revoke(const Person& one, const std::string& reason) const {
    const auto about =
        Json::object({{"serial", one.certificate->serial().hex()}, {"reason", reason}, {"at", base::to_epoch(kNow)}});
    EXPECT_TRUE(
        issuer->record({.what = std::string(kStateChange), .phase = "begin", .about = wire::to_text(about), .at = kNow}).ok());
  }

  /// What alice asks for, without approvals.
  SignRequest asked() const {
    const auto subject = x509::Name::from_slash("/CN=www.example.com").value();
    const auto half = key.public_key();
    return SignRequest{
        .serial = Serial::random(),
        .profile = ProfileName::parse("sealed").value(),
        .subject = subject,
        .sans = {x509::GeneralName::parse("DNS:www.example.com").value()},
        .spki = Bytes(half.spki().begin(), half.spki().end()),
        .not_before = kNow,
        .not_after = kNow + std::chrono::days{30} - std::chrono::seconds{1},
        .csr = x509::make_csr(key, subject, {}).value(),
        .renews = {},
        .requester = "unix:alice",
        .front_end = {},
        .rule = "request " + kId,
        .evidence = "approved",
        .idempotency_key = key_of_request(kId),
        .approved = ApprovedRequest{
            .id = kId, .kind = "enrolment", .validity = std::chrono::days{30}, .expires = kNow + std::chrono::days{1}}};
  }

  /// As the worker computes it: the content that people were shown.
  std::string digest_of(const SignRequest& request) const {
    realm::RequestContent content;
    content.realm = "default";
    content.id = request.approved->id;
    content.kind = realm::request_kind(request.approved->kind).value();
    content.requester = request.requester;
    content.front_end = request.front_end;
    content.expires = request.approved->expires;
    content.certificate = request.approved->certificate;
    content.profile = request.profile.text();
    content.subject = request.subject.to_slash();
    for (const auto& one : request.sans) content.names.push_back(one.to_text());
    content.spki = request.spki;
    content.validity = request.approved->validity;
    content.uses = realm::uses_of(realm->profiles.at(request.profile));
    return realm::digest_of(content);
  }

  /// With the approvals of bob and carol.
  SignRequest approved() const {
    auto request = asked();
    const auto digest = digest_of(request);
    request.approved->approvals = {bob.approve(digest), carol.approve(digest)};
    return request;
  }

  Person bob;
  Person carol;
  crypto::PrivateKey key = new_key();
};

TEST(Approvals, F52_TheSignerMakesWhatTwoPeopleSigned) {
  Office office;
  const auto made = office.issuer->sign_certificate(office.approved(), kNow);
  ASSERT_TRUE(made.ok()) << made.error().message();
  // The same request again, with another serial number: one certificate for ever, also after a restart.
  office.open();
  const auto again = office.issuer->sign_certificate(office.approved(), kNow).value();
  EXPECT_EQ(again.certificate, made->certificate);
  EXPECT_TRUE(again.replayed);
}

TEST(Approvals, TravelAsTheyAre) {
  const Office office;
  const auto request = office.approved();
  const auto back = sign_request_from_json(to_json(request)).value();
  ASSERT_TRUE(back.approved);
  EXPECT_EQ(wire::to_text(to_json(*back.approved)), wire::to_text(to_json(*request.approved)));
  auto damaged = to_json(request);
  for (const auto& bad : {Json(), Json("x"), Json::object(), Json::object({{"approvals", Json::array({Json("x")})}}),
                          Json::object({{"approvals", Json::array({Json::object({{"certificate", "AA=="}})})}})}) {
    damaged.set("approved", bad);
    EXPECT_FALSE(sign_request_from_json(damaged).ok()) << wire::to_text(bad);
  }
}

struct Refused {
  const char* name;
  void (*change)(Office& office, SignRequest& request);
};
void sign_again(const Office& office, SignRequest& request, const Person& one, const Person& other) {
  const auto digest = office.digest_of(request);
  request.approved->approvals = {one.approve(digest), other.approve(digest)};
}
const Refused kRefused[] = {
    {"no request", [](Office&, SignRequest& r) { r.approved.reset(); }},
    {"no approvals", [](Office&, SignRequest& r) { r.approved->approvals.clear(); }},
    {"one of two", [](Office&, SignRequest& r) { r.approved->approvals.pop_back(); }},
    {"one twice", [](Office&, SignRequest& r) { r.approved->approvals[1] = r.approved->approvals[0]; }},
    {"a flipped bit in a signature", [](Office&, SignRequest& r) { r.approved->approvals[1].signature.back() ^= 1; }},
    {"no signature", [](Office&, SignRequest& r) { r.approved->approvals[1].signature.clear(); }},
    {"one's signature under another's certificate",
     [](Office&, SignRequest& r) { r.approved->approvals[1].signature = r.approved->approvals[0].signature; }},
    {"a certificate that is none",
     [](Office&, SignRequest& r) {
       r.approved->approvals[1].certificate = {0x30, 0};
     }},
    {"a flipped bit in a certificate", [](Office&, SignRequest& r) { r.approved->approvals[1].certificate.back() ^= 1; }},
    {"another name than was approved",
     [](Office& o, SignRequest& r) {
       r.subject = x509::Name::from_slash("/CN=evil.example.com").value();
       r.sans = {x509::GeneralName::parse("DNS:evil.example.com").value()};
       r.csr = x509::make_csr(o.key, r.subject, {}).value();
     }},
    {"a name more", [](Office&, SignRequest& r) { r.sans.push_back(x509::GeneralName::parse("DNS:evil.example.com").value()); }},
    {"another key",
     [](Office&, SignRequest& r) {
       const auto other = new_key();
       const auto half = other.public_key();
       r.spki.assign(half.spki().begin(), half.spki().end());
       r.csr = x509::make_csr(other, r.subject, {}).value();
     }},
    {"a longer validity than was approved", [](Office&, SignRequest& r) { r.not_after += std::chrono::seconds{1}; }},
    {"a longer validity that the worker says",
     [](Office&, SignRequest& r) {
       r.approved->validity += std::chrono::days{1};
       r.not_after += std::chrono::days{1};
     }},
    {"another requester", [](Office&, SignRequest& r) { r.requester = "unix:mallory"; }},
    {"another front end", [](Office&, SignRequest& r) { r.front_end = "http"; }},
    {"another request's approvals",
     [](Office&, SignRequest& r) {
       r.approved->id.back() = '0';
       r.idempotency_key = key_of_request(r.approved->id);
     }},
    {"another kind", [](Office&, SignRequest& r) { r.approved->kind = "renewal"; }},
    {"a revocation",
     [](Office& o, SignRequest& r) {
       r.approved->kind = "revocation";
       sign_again(o, r, o.bob, o.carol);
     }},
    {"a kind that is none", [](Office&, SignRequest& r) { r.approved->kind = "x"; }},
    {"another idempotency key, for a second certificate", [](Office&, SignRequest& r) { r.idempotency_key = "other"; }},
    {"no idempotency key", [](Office&, SignRequest& r) { r.idempotency_key.clear(); }},
    {"expired",
     [](Office& o, SignRequest& r) {
       r.approved->expires = kNow;
       sign_again(o, r, o.bob, o.carol);
     }},
    {"a later end than was approved", [](Office&, SignRequest& r) { r.approved->expires += std::chrono::days{1}; }},
    {"the requester among them", [](Office& o, SignRequest& r) { sign_again(o, r, o.person("/CN=alice", "user"), o.carol); }},
    {"the requester by the certificate",
     [](Office& o, SignRequest& r) {
       r.requester = "cert:/CN=bob";
       sign_again(o, r, o.bob, o.carol);
     }},
    {"two certificates of one person", [](Office& o, SignRequest& r) { sign_again(o, r, o.bob, o.person("/CN=bob", "user")); }},
    {"a profile that may not approve", [](Office& o, SignRequest& r) { sign_again(o, r, o.bob, o.person("/CN=dave", "clerk")); }},
    {"a certificate of another CA",
     [](Office& o, SignRequest& r) {
       Office other;
       sign_again(o, r, o.bob, other.carol);
     }},
    {"a revoked approver",
     [](Office& o, SignRequest& r) {
       const auto dave = o.person("/CN=dave", "user");
       o.revoke(dave, "privilegeWithdrawn");
       sign_again(o, r, o.bob, dave);
     }},
    {"an approver on hold",
     [](Office& o, SignRequest& r) {
       const auto dave = o.person("/CN=dave", "user");
       o.revoke(dave, "certificateHold");
       sign_again(o, r, o.bob, dave);
     }},
    {"one who was revoked, which no release takes back",
     [](Office& o, SignRequest& r) {
       const auto dave = o.person("/CN=dave", "user");
       o.revoke(dave, "keyCompromise");
       o.revoke(dave, "");
       sign_again(o, r, o.bob, dave);
     }},
    {"an approver whose certificate was revoked before a restart",
     [](Office& o, SignRequest& r) {
       const auto dave = o.person("/CN=dave", "user");
       o.revoke(dave, "superseded");
       o.open();
       sign_again(o, r, o.bob, dave);
     }},
    {"a signature over the digest alone",
     [](Office& o, SignRequest& r) {
       const auto digest = o.digest_of(r);
       const auto algorithm = crypto::algorithm_for(o.bob.key.public_key().spec(), "sha256").value();
       r.approved->approvals[0].signature = o.bob.key.sign(algorithm, base::as_bytes(digest)).value();
     }},
};

TEST(Approvals, F52_TheSignerRefusesForgedOnes) {
  Office office;
  for (const auto& one : kRefused) {
    auto request = office.approved();
    one.change(office, request);
    const auto made = office.issuer->sign_certificate(request, kNow);
    ASSERT_FALSE(made.ok()) << one.name;
    EXPECT_TRUE(made.error().code() == Code::PolicyRefused || made.error().code() == Code::Malformed)
        << one.name << ": " << made.error().message();
  }
  // And nothing of it stood in the way.
  EXPECT_TRUE(office.issuer->sign_certificate(office.approved(), kNow).ok());
}

TEST(Approvals, AThirdApprovalMakesUpForOneThatFell) {
  Office office;
  auto request = office.approved();
  const auto dave = office.person("/CN=dave", "user");
  request.approved->approvals.push_back(dave.approve(office.digest_of(request)));
  office.revoke(office.bob, "keyCompromise");
  EXPECT_TRUE(office.issuer->sign_certificate(request, kNow).ok());
}

TEST(Approvals, AHoldThatWasTakenBackIsOver) {
  Office office;
  office.revoke(office.bob, "certificateHold");
  EXPECT_FALSE(office.issuer->sign_certificate(office.approved(), kNow).ok());
  office.revoke(office.bob, "");
  EXPECT_TRUE(office.issuer->sign_certificate(office.approved(), kNow).ok());
}

TEST(Approvals, OfProfilesThatDemandNoneTheSignerAsksNothing) {
  Office office;
  EXPECT_TRUE(office.person("/CN=eve", "user").certificate.has_value());
}

// ----- rollovers

/// What bob and carol approve: the whole rollover to ca-2, which alice asks for.
struct Rolling {
  Rolling() {
    auto with_rollovers = *office.realm;
    with_rollovers.requests.rollover_approvals = 2;
    with_rollovers.requests.rollover_signers = {ProfileName::parse("user").value()};
    office.issuer->replace_realm(std::make_shared<const config::RealmConfig>(std::move(with_rollovers)));
    sign();
  }
  void sign() {
    realm::RequestContent content;
    content.realm = "default";
    content.id = approved.id;
    content.kind = realm::RequestKind::Rollover;
    content.requester = approved.requester;
    content.expires = approved.expires;
    content.ca = approved_ca;
    content.step = approved.step;
    content.source = approved.source;
    const auto digest = realm::digest_of(content);
    approved.approvals = {office.bob.approve(digest), office.carol.approve(digest)};
  }
  Status check(Seconds now = kNow) const { return office.issuer->check_rollover(deed, approved, now); }

  Office office;
  std::string approved_ca = "ca-2";
  RolloverDeed deed{"ca-2", "start", "self"};
  ApprovedRequest approved{.id = kId,
                           .kind = "rollover",
                           .expires = kNow + std::chrono::days{1},
                           .requester = "unix:alice",
                           .step = "whole",
                           .source = "self"};
};

TEST(Approvals, F52_TheSignerRollsOverWhatTwoPeopleSigned) {
  Rolling rolling;
  for (const auto* step : {"start", "publish", "switch"}) {
    rolling.deed.step = step;
    const auto checked = rolling.check();
    EXPECT_TRUE(checked.ok()) << step << ": " << checked.error().message();
  }
  const auto back = approved_request_from_json(to_json(rolling.approved)).value();
  EXPECT_EQ(wire::to_text(to_json(back)), wire::to_text(to_json(rolling.approved)));
  rolling.approved.requester = std::string(5000, 'a');
  EXPECT_FALSE(approved_request_from_json(to_json(rolling.approved)).ok());
}

struct RefusedRollover {
  const char* name;
  void (*change)(Rolling& rolling);
};
const RefusedRollover kRefusedRollovers[] = {
    {"no approvals", [](Rolling& r) { r.approved.approvals.clear(); }},
    {"one of two", [](Rolling& r) { r.approved.approvals.pop_back(); }},
    {"one twice", [](Rolling& r) { r.approved.approvals[1] = r.approved.approvals[0]; }},
    {"another generation", [](Rolling& r) { r.deed.ca = "ca-3"; }},
    {"another CA", [](Rolling& r) { r.deed.ca = "web-2"; }},
    {"a step outside the whole", [](Rolling& r) { r.deed.step = "abort"; }},
    {"a step that was not approved",
     [](Rolling& r) {
       r.approved.step = "publish";
       r.sign();
     }},
    {"a step that says it is the approved one", [](Rolling& r) { r.approved.step = "start"; }},
    {"another source", [](Rolling& r) { r.deed.source = "request"; }},
    {"another source, as if approved", [](Rolling& r) { r.approved.source = r.deed.source = "request"; }},
    {"another requester", [](Rolling& r) { r.approved.requester = "unix:mallory"; }},
    {"another front end", [](Rolling& r) { r.approved.front_end = "http"; }},
    {"another request", [](Rolling& r) { r.approved.id.front() = 'f'; }},
    {"a later end", [](Rolling& r) { r.approved.expires += std::chrono::days{30}; }},
    {"an approver who asks",
     [](Rolling& r) {
       r.approved.requester = "cert:/CN=bob";
       r.sign();
     }},
    {"a revoked approver", [](Rolling& r) { r.office.revoke(r.office.bob, "keyCompromise"); }},
    {"approvals of a certificate's request", [](Rolling& r) { r.approved.approvals = r.office.approved().approved->approvals; }},
};

TEST(Approvals, F52_TheSignerRefusesRolloversThatWereNotApproved) {
  for (const auto& one : kRefusedRollovers) {
    Rolling rolling;
    one.change(rolling);
    const auto checked = rolling.check();
    ASSERT_FALSE(checked.ok()) << one.name;
    EXPECT_EQ(checked.error().code(), Code::PolicyRefused) << one.name;
  }
  Rolling rolling;
  EXPECT_FALSE(rolling.check(rolling.approved.expires).ok());
  EXPECT_FALSE(rolling.office.issuer->check_rollover(rolling.deed, std::nullopt, kNow).ok());
  const Office free;
  EXPECT_TRUE(free.issuer->check_rollover(rolling.deed, std::nullopt, kNow).ok());
}

}  // namespace
}  // namespace chancery::signer
