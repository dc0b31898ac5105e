#include "server/x509/ocsp.h"

#include <gtest/gtest.h>
#include <openssl/ocsp.h>

#include "server/crypto/signature.h"
#include "server/x509/der.h"
#include "server/x509/lint_ocsp.h"
#include "server/x509/testing.h"

namespace chancery::x509 {
namespace {

using namespace testing;

template <auto Free, class T>
std::unique_ptr<T, crypto::Freer<Free>> own(T* object) {
  return std::unique_ptr<T, crypto::Freer<Free>>(object);
}

crypto::X509Ptr openssl(const Certificate& certificate) {
  const auto der = certificate.der();
  const unsigned char* cursor = der.data();
  return crypto::X509Ptr(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
}

const Certificate& leaf() {
  static const auto kLeaf = sign(build_tbs(leaf_spec()).value());
  return kLeaf;
}

Certificate responder() {
  auto spec = leaf_spec();
  spec.sans.clear();
  spec.extended_key_usage = {"OCSPSigning"};
  spec.ocsp_no_check = true;
  return sign(build_tbs(spec).value());
}

/// As OpenSSL asks about the leaf.
Bytes request(const EVP_MD* digest, int count = 1, bool nonce = true) {
  const auto made = own<&OCSP_REQUEST_free>(OCSP_REQUEST_new());
  for (int i = 0; i < count; ++i)
    OCSP_request_add0_id(made.get(), OCSP_cert_to_id(digest, openssl(leaf()).get(), openssl(ca()).get()));
  if (nonce) OCSP_request_add1_nonce(made.get(), nullptr, 32);
  unsigned char* der = nullptr;
  const int length = i2d_OCSP_REQUEST(made.get(), &der);
  const crypto::MemoryPtr owner(der);
  return {der, der + length};
}

const Seconds kNow = at("2026-02-01T12:00:00Z");

OcspSpec spec_of(const OcspRequest& asked, OcspStatus status, int reason = kReasonUnspecified) {
  OcspSpec spec{.responder = responder(),
                .answers = {},
                .this_update = kNow,
                .next_update = kNow + std::chrono::hours{4},
                .nonce = asked.nonce};
  for (const auto& id : asked.asked) spec.answers.push_back({id, status, kNow - std::chrono::hours{1}, reason});
  return spec;
}

TEST(Ocsp, F31_ReadsWhatOpensslAsks) {
  for (const auto* digest : {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
    const auto asked = parse_ocsp_request(request(digest));
    ASSERT_TRUE(asked.ok()) << asked.error().message();
    ASSERT_EQ(asked->asked.size(), 1U);
    EXPECT_TRUE(asked->asked[0].is_of(ca()));
    EXPECT_FALSE(asked->asked[0].is_of(leaf()));
    EXPECT_EQ(asked->asked[0].serial, leaf().serial());
    EXPECT_TRUE(asked->nonce.has_value());
  }
  EXPECT_FALSE(parse_ocsp_request(request(EVP_sha1(), 1, false))->nonce.has_value());
  const auto unknown_digest = parse_ocsp_request(request(EVP_md5())).value();
  EXPECT_FALSE(unknown_digest.asked[0].is_of(ca()));  // of nobody, rather than of everybody
}

Bytes cut(Bytes octets, std::size_t by) {
  octets.resize(octets.size() - by);
  return octets;
}

Bytes with_extensions(ByteView extensions) {
  const auto plain = request(EVP_sha1(), 1, false);
  const auto tbs = der::only(der::kSequence, der::only(der::kSequence, plain, "")->content, "").value();
  return der::wrap(der::kSequence, {der::wrap(der::kSequence, {tbs.content, der::tlv(der::constructed(2), extensions)})});
}

Bytes extension(std::string_view oid, bool critical, ByteView value) {
  return der::wrap(der::kSequence,
                   {der::oid(oid).value(), critical ? der::boolean_true() : Bytes{}, der::tlv(der::kOctetString, value)});
}

struct Case {
  const char* name;
  Bytes der;
  Code want;
};

TEST(Ocsp, RefusesBadRequests) {
  const auto good = request(EVP_sha1());
  auto behind = good;
  behind.push_back(0);
  const auto nonce = "1.3.6.1.5.5.7.48.1.2";
  const Case cases[] = {
      {"nothing", {}, Code::Malformed},
      {"cut", cut(good, 1), Code::Malformed},
      {"something behind", behind, Code::Malformed},
      {"no certificate", request(EVP_sha1(), 0), Code::Malformed},
      {"too many", request(EVP_sha1(), static_cast<int>(kMostOcspAsked) + 1), Code::TooLarge},
      {"too long", Bytes(kMaxOcspRequestBytes + 1, 0x30), Code::TooLarge},
      {"an empty list of extensions", with_extensions(der::wrap(der::kSequence, {})), Code::Malformed},
      {"an unknown critical extension", with_extensions(der::wrap(der::kSequence, {extension("1.2.3.4", true, Bytes{5, 0})})),
       Code::Unsupported},
      {"a nonce of no octets", with_extensions(der::wrap(der::kSequence, {extension(nonce, false, {})})), Code::Malformed},
      {"a nonce of 200 octets", with_extensions(der::wrap(der::kSequence, {extension(nonce, false, Bytes(200, 7))})),
       Code::Malformed},
      {"two nonces",
       with_extensions(der::wrap(der::kSequence, {extension(nonce, false, Bytes(9, 7)), extension(nonce, false, Bytes(9, 8))})),
       Code::Malformed},
      {"a certificate", Bytes(leaf().der().begin(), leaf().der().end()), Code::Malformed},
  };
  for (const auto& c : cases) {
    const auto read = parse_ocsp_request(c.der);
    ASSERT_FALSE(read.ok()) << c.name;
    EXPECT_EQ(read.error().code(), c.want) << c.name << ": " << read.error().message();
  }
  EXPECT_TRUE(parse_ocsp_request(with_extensions(der::wrap(der::kSequence, {extension("1.2.3.4", false, Bytes{5, 0})}))).ok());
}

TEST(Ocsp, OpensslVerifiesWhatIsBuilt) {
  const auto asked = parse_ocsp_request(request(EVP_sha1(), 2)).value();
  const auto spec = spec_of(asked, OcspStatus::Revoked, kReasonKeyCompromise);
  const auto linted = lint_ocsp(build_ocsp_tbs(spec).value(), kAlgorithm, spec);
  ASSERT_TRUE(linted.ok()) << linted.error().message();
  const auto signature = leaf_key().sign(linted->algorithm(), linted->bytes()).value();
  const auto whole = ocsp_response(assemble_ocsp(linted->bytes(), linted->algorithm(), signature, spec.responder).value());
  const unsigned char* cursor = whole.data();
  const auto response = own<&OCSP_RESPONSE_free>(d2i_OCSP_RESPONSE(nullptr, &cursor, static_cast<long>(whole.size())));
  ASSERT_TRUE(response);
  EXPECT_EQ(OCSP_response_status(response.get()), OCSP_RESPONSE_STATUS_SUCCESSFUL);
  const crypto::OcspBasicPtr basic(OCSP_response_get1_basic(response.get()));
  ASSERT_TRUE(basic);
  const auto store = own<&X509_STORE_free>(X509_STORE_new());
  X509_STORE_add_cert(store.get(), openssl(ca()).get());
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), static_cast<time_t>(base::to_epoch(kNow)));
  EXPECT_EQ(OCSP_basic_verify(basic.get(), nullptr, store.get(), 0), 1);
}

TEST(Ocsp, C3_TheLintFindsEveryDifference) {
  const auto asked = parse_ocsp_request(request(EVP_sha256())).value();
  const auto good = spec_of(asked, OcspStatus::Good);
  const auto tbs = build_ocsp_tbs(good).value();
  EXPECT_TRUE(lint_ocsp(tbs, kAlgorithm, good).ok());
  auto changed = std::vector<std::pair<const char*, OcspSpec>>(9, {"", good});
  auto change = [&, at = std::size_t{0}](const char* name, auto how) mutable {
    changed[at].first = name;
    how(changed[at++].second);
  };
  change("status", [](OcspSpec& s) { s.answers[0].status = OcspStatus::Revoked; });
  change("unknown", [](OcspSpec& s) { s.answers[0].status = OcspStatus::Unknown; });
  change("serial", [](OcspSpec& s) { s.answers[0].id.der.back() ^= 1; });
  change("this update", [](OcspSpec& s) { s.this_update += std::chrono::seconds{1}; });
  change("next update", [](OcspSpec& s) { s.next_update += std::chrono::seconds{1}; });
  change("no nonce", [](OcspSpec& s) { s.nonce.reset(); });
  change("another nonce", [](OcspSpec& s) { s.nonce->back() ^= 1; });
  change("responder", [](OcspSpec& s) { s.responder = ca(); });
  change("one more", [](OcspSpec& s) { s.answers.push_back(s.answers[0]); });
  for (const auto& [name, spec] : changed) {
    const auto found = lint_ocsp(tbs, kAlgorithm, spec);
    ASSERT_FALSE(found.ok()) << name;
    EXPECT_EQ(found.error().code(), Code::LintFailed) << name;
  }
  EXPECT_FALSE(lint_ocsp(cut(tbs, 1), kAlgorithm, good).ok());
  auto revoked = spec_of(asked, OcspStatus::Revoked, kReasonKeyCompromise);
  const auto revoked_tbs = build_ocsp_tbs(revoked).value();
  revoked.answers[0].reason = kReasonUnspecified;
  EXPECT_FALSE(lint_ocsp(revoked_tbs, kAlgorithm, revoked).ok());
  revoked.answers[0].reason = kReasonKeyCompromise;
  revoked.answers[0].revoked_at -= std::chrono::seconds{1};
  EXPECT_FALSE(lint_ocsp(revoked_tbs, kAlgorithm, revoked).ok());
}

TEST(Ocsp, BuildsNothingThatSaysNothing) {
  const auto asked = parse_ocsp_request(request(EVP_sha1())).value();
  auto none = spec_of(asked, OcspStatus::Good);
  none.answers.clear();
  auto timeless = spec_of(asked, OcspStatus::Good);
  timeless.next_update = timeless.this_update;
  auto removed = spec_of(asked, OcspStatus::Revoked, kReasonRemoveFromCrl);
  auto ahead = spec_of(asked, OcspStatus::Revoked);
  ahead.answers[0].revoked_at = kNow + std::chrono::seconds{1};
  for (const auto& spec : {none, timeless, removed, ahead}) EXPECT_EQ(build_ocsp_tbs(spec).error().code(), Code::InvalidParams);
}

TEST(Ocsp, RefusalsAreWhatOpensslReads) {
  for (const auto refusal :
       {OcspRefusal::MalformedRequest, OcspRefusal::InternalError, OcspRefusal::TryLater, OcspRefusal::Unauthorized}) {
    const auto der = ocsp_response(refusal);
    const unsigned char* cursor = der.data();
    const auto response = own<&OCSP_RESPONSE_free>(d2i_OCSP_RESPONSE(nullptr, &cursor, static_cast<long>(der.size())));
    ASSERT_TRUE(response);
    EXPECT_EQ(OCSP_response_status(response.get()), static_cast<int>(refusal));
  }
}

}  // namespace
}  // namespace chancery::x509
