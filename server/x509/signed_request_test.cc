#include "server/x509/signed_request.h"

#include <gtest/gtest.h>

#include "server/base/file.h"
#include "server/x509/pem.h"

/// The samples are those that the fuzzer begins with: `openssl cms` made them over "a request".
namespace chancery::x509 {
namespace {

constexpr std::string_view kRequest = "a request";

std::string sample(const std::string& name) {
  auto text = base::read_file(CHANCERY_SOURCE_DIR "/t/fuzz/corpus/request_signature/" + name, kMaxSignatureBytes).value();
  return name.ends_with(".pem") ? text : to_pem("CMS", base::as_bytes(text));
}

Result<Certificate> signer_in(const std::string& pem, std::string_view request = kRequest) {
  return signer_of(base::as_bytes(request), pem);
}

TEST(SignedRequest, NamesItsSigner) {
  for (const auto* name : {"good.der", "good.pem", "older.pem", "key-id.der", "no-attributes.der"}) {
    const auto signer = signer_in(sample(name));
    ASSERT_TRUE(signer.ok()) << name << ": " << signer.error().message();
    EXPECT_EQ(signer->subject().to_slash(), "/CN=a") << name;
    EXPECT_EQ(signer_in(sample(name), "another request").error().code(), Code::BadProof) << name;
    EXPECT_EQ(signer_in(sample(name), "").error().code(), Code::BadProof) << name;
  }
}

TEST(SignedRequest, RefusesWhatIsNone) {
  struct Case {
    const char* name;
    Code code;
  };
  const Case kCases[] = {{"cut.der", Code::Malformed},          {"digested.der", Code::Malformed},
                         {"enveloped.der", Code::Malformed},    {"two-signers.der", Code::Malformed},
                         {"sha1.der", Code::Unsupported},       {"no-certificate.der", Code::BadProof},
                         {"unknown-digest.der", Code::BadProof}};
  for (const auto& one : kCases) EXPECT_EQ(signer_in(sample(one.name)).error().code(), one.code) << one.name;
  EXPECT_EQ(signer_in("").error().code(), Code::Malformed);
  EXPECT_EQ(signer_in(sample("good.pem") + sample("good.pem")).error().code(), Code::Malformed);
  EXPECT_EQ(signer_in(std::string(kMaxSignatureBytes + 1, 'x')).error().code(), Code::TooLarge);
}

/// What is in it says nothing about what it is beside.
TEST(SignedRequest, ItsOwnContentIsNotBelieved) {
  EXPECT_EQ(signer_in(sample("with-content.der"), "another request").error().code(), Code::BadProof);
}

}  // namespace
}  // namespace chancery::x509
