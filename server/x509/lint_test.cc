#include "server/x509/lint.h"

#include <gtest/gtest.h>

#include <functional>
#include <type_traits>

#include "server/x509/crl.h"
#include "server/x509/der.h"
#include "server/x509/extension.h"
#include "server/x509/samples.inc"
#include "server/x509/testing.h"

namespace chancery::x509 {
namespace {

using namespace testing;

static_assert(!std::is_copy_constructible_v<LintedTbs> && !std::is_default_constructible_v<LintedTbs>);
static_assert(!std::is_constructible_v<LintedTbs, Bytes, crypto::SignatureAlgorithm>);
static_assert(!std::is_copy_constructible_v<LintedCrl> && !std::is_default_constructible_v<LintedCrl>);

/// Elements of a TBSCertificate.
enum At { kVersionAt, kSerialAt, kAlgorithmAt, kIssuerAt, kValidityAt, kSubjectAt, kSpkiAt, kExtensionsAt };

/// A good leaf, to be broken in its specification, in what is expected of it, or in its octets.
struct Leaf {
  TbsSpec spec = leaf_spec();
  LintContext context = leaf_context();
  std::function<void(std::vector<Bytes>&)> change_elements = [](std::vector<Bytes>&) {};
  std::function<void(std::vector<Extension>&)> change_extensions;

  void set_element(At at, Bytes der) {
    change_elements = [at, der = std::move(der)](std::vector<Bytes>& elements) { elements[at] = der; };
  }
  void set_extension(std::string_view oid, bool critical, const Bytes& value) {
    change_extensions = [=](std::vector<Extension>& extensions) {
      std::erase_if(extensions, [&](const Extension& e) { return e.oid == oid; });
      extensions.push_back({std::string(oid), critical, value});
    };
  }
  Bytes tbs() const {
    auto elements = elements_of(build_tbs(spec).value());
    change_elements(elements);
    if (!change_extensions) return sequence_of(elements);
    auto extensions = sign(build_tbs(spec).value()).extensions();
    change_extensions(extensions);
    Bytes list;
    for (const auto& e : extensions) der::append(list, encode_extension(e.oid, e.critical, e.value));
    elements[kExtensionsAt] = der::tlv(der::constructed(3), der::tlv(der::kSequence, list));
    return sequence_of(elements);
  }
};

struct Break {
  std::string_view rule;
  std::function<void(Leaf&)> change;
};

/// Rules broken from what the builder makes. t/data/lint breaks every rule by octets that none of our code made
/// (lint_samples_test.cc).
const Break kBreaks[] = {
    {"openssl_reads_it",
     [](Leaf& l) {
       l.set_extension(kCrlDistributionPoints, false, {der::kNull, 0});
     }},
    {"serial_long_enough", [](Leaf& l) { l.spec.serial = Serial::from_hex("01").value(); }},
    {"issuer_byte_equal", [](Leaf& l) { l.spec.issuer_der = Name::from_slash("/CN=Root")->der().value(); }},
    {"issuer_not_empty",
     [](Leaf& l) {
       l.spec.issuer_der = {der::kSequence, 0};
     }},
    {"issuer_is_ca", [](Leaf& l) { l.context.issuer = sign(build_tbs(leaf_spec()).value()); }},
    {"validity_ordered",
     [](Leaf& l) {
       l.set_element(kValidityAt, der::wrap(der::kSequence, {der::time(l.spec.not_after), der::time(l.spec.not_before)}));
     }},
    {"validity_within_profile", [](Leaf& l) { l.spec.not_after += std::chrono::seconds{1}; }},
    {"within_issuer", [](Leaf& l) { l.spec.not_after = at("2056-01-01T00:00:00Z"); }},
    {"time_forms",
     [](Leaf& l) {
       const auto late_form = der::tlv(der::kGeneralizedTime, base::as_bytes("20260101000000Z"));
       l.set_element(kValidityAt, der::wrap(der::kSequence, {late_form, der::time(l.spec.not_after)}));
     }},
    {"subject_string_types",
     [](Leaf& l) {
       const auto pair = der::wrap(der::kSequence, {der::oid("2.5.4.3").value(), der::tlv(der::kIa5String, base::as_bytes("x"))});
       l.set_element(kSubjectAt, der::tlv(der::kSequence, der::tlv(der::kSet, pair)));
     }},
    {"subject_or_names", [](Leaf& l) { l.spec.subject = {}, l.spec.sans.clear(); }},
    {"ca_has_subject", [](Leaf& l) { l.spec.subject = {}, l.spec.is_ca = true; }},
    {"subject_is_not_issuer", [](Leaf& l) { l.spec.subject = ca().subject(); }},
    {"key_strong",
     [](Leaf& l) {
       const Bytes modulus(128, 0xab);
       const auto weak = crypto::PublicKey::from_rsa(modulus, Bytes{1, 0, 1}).value();
       l.spec.spki.assign(weak.spki().begin(), weak.spki().end());
     }},
    {"key_is_not_issuers", [](Leaf& l) { l.spec.spki = spki_of(ca_key()); }},
    {"extension_known",
     [](Leaf& l) {
       l.set_extension("1.2.3", false, {der::kNull, 0});
     }},
    {"extension_criticality",
     [](Leaf& l) {
       l.set_extension("1.2.3", true, {der::kNull, 0});
     }},
    {"subject_key_id_of_key", [](Leaf& l) { l.set_extension(kSubjectKeyId, false, der::tlv(der::kOctetString, Bytes(20))); }},
    {"authority_key_id_of_issuer", [](Leaf& l) { l.spec.authority_key_id = Bytes(20); }},
    {"basic_constraints_critical",
     [](Leaf& l) {
       l.set_extension(kBasicConstraints, false, {der::kSequence, 0});
     }},
    {"ca_as_profile", [](Leaf& l) { l.spec.is_ca = true; }},
    {"path_length_as_profile", [](Leaf& l) { l.context.path_length = 0; }},
    {"path_length_only_for_ca",
     [](Leaf& l) { l.set_extension(kBasicConstraints, true, der::wrap(der::kSequence, {der::integer(0)})); }},
    {"path_length_below_issuer", [](Leaf& l) { l.spec.is_ca = true; }},
    {"key_usage_as_profile", [](Leaf& l) { l.spec.key_usage.emplace_back("keyAgreement"); }},
    {"key_usage_critical", [](Leaf& l) { l.set_extension(kKeyUsage, false, encode_key_usage({"digitalSignature"}).value()); }},
    {"key_usage_fits_key",
     [](Leaf& l) {
       l.context.key_usage = {"digitalSignature", "keyEncipherment"};
       l.set_extension(kKeyUsage, true, encode_key_usage(l.context.key_usage).value());
     }},
    {"key_cert_sign_only_for_ca", [](Leaf& l) { l.spec.key_usage.emplace_back("keyCertSign"); }},
    {"extended_key_usage_as_profile", [](Leaf& l) { l.spec.extended_key_usage = {"clientAuth"}; }},
    {"san_critical_iff_no_subject",
     [](Leaf& l) { l.set_extension(kSubjectAltName, true, encode_general_names(l.spec.sans).value()); }},
    {"san_in_normal_form", [](Leaf& l) { l.set_extension(kSubjectAltName, false, base::from_hex("30058203412e62").value()); }},
    {"san_unique", [](Leaf& l) { l.spec.sans.push_back(l.spec.sans.front()); }},
    {"common_name_among_names", [](Leaf& l) { l.spec.sans.erase(l.spec.sans.begin()); }},
    {"crl_urls_fetchable",
     [](Leaf& l) {  // ftp://x
       l.set_extension(kCrlDistributionPoints, false, base::from_hex("300f300da00ba00986076674703a2f2f78").value());
     }},
    {"access_urls_fetchable",
     [](Leaf& l) {
       l.set_extension(kAuthorityInfoAccess, false, {der::kSequence, 0});
     }},
};

/// Rules that look a second time, by OpenSSL's eyes: our reader refuses these octets before.
const Break kBehindTheReader[] = {
    {"version_three", [](Leaf& l) { l.set_element(kVersionAt, der::wrap(der::constructed(0), {der::integer(1)})); }},
    {"serial_positive",
     [](Leaf& l) {
       l.set_element(kSerialAt, {der::kInteger, 1, 0xff});
     }},
    {"serial_octets", [](Leaf& l) { l.set_element(kSerialAt, der::tlv(der::kInteger, Bytes(21, 0x01))); }},
    {"algorithm_agrees", [](Leaf& l) { l.spec.algorithm = crypto::SignatureAlgorithm::EcdsaSha384; }},
    {"der_canonical",
     [](Leaf& l) {
       l.set_element(kSerialAt, {der::kInteger, 2, 0, 1});
     }},
    {"extension_once", [](Leaf& l) { l.change_extensions = [](std::vector<Extension>& all) { all.push_back(all.front()); }; }},
};

TEST(Lint, GoodOnesPassWithoutWarning) {
  const auto root = lint_certificate(build_tbs(ca_spec()).value(), kAlgorithm, ca_context());
  ASSERT_TRUE(root.ok()) << root.error().message();
  const auto leaf = lint_certificate(Leaf().tbs(), kAlgorithm, leaf_context());
  ASSERT_TRUE(leaf.ok()) << leaf.error().message();
  EXPECT_TRUE(leaf->warnings().empty());
  EXPECT_EQ(leaf->algorithm(), kAlgorithm);
}

TEST(Lint, C3_EveryBreakIsNamed) {
  for (const auto& [rule, change] : kBreaks) {
    Leaf leaf;
    change(leaf);
    const auto linted = lint_certificate(leaf.tbs(), kAlgorithm, leaf.context);
    ASSERT_FALSE(linted.ok()) << rule;
    EXPECT_EQ(linted.error().code(), Code::LintFailed) << rule;
    EXPECT_NE(linted.error().message().find(std::string(rule) + ": "), std::string::npos)
        << rule << ": " << linted.error().message();
  }
  for (const auto& [rule, change] : kBehindTheReader) {
    Leaf leaf;
    change(leaf);
    const auto linted = lint_certificate(leaf.tbs(), kAlgorithm, leaf.context);
    ASSERT_FALSE(linted.ok()) << rule;
    EXPECT_EQ(linted.error().code(), Code::LintFailed) << rule;
  }
  for (const auto& nonsense : {Bytes{}, Bytes{der::kSequence, 0}, Bytes(1000, 0x30)}) {
    EXPECT_EQ(lint_certificate(nonsense, kAlgorithm, leaf_context()).error().code(), Code::LintFailed);
  }
}

std::vector<std::string_view> ids(const std::vector<Finding>& findings) {
  std::vector<std::string_view> out;
  for (const auto& finding : findings) out.push_back(finding.rule.id);
  return out;
}

TEST(Lint, B6_WarningsDoNotHinder) {
  Leaf leaf;
  leaf.spec.sans.clear();
  leaf.spec.subject = Name::from_slash("/CN=uPKI RA").value();
  leaf.spec.not_before = at("2029-03-15T00:00:00Z");
  leaf.spec.not_after = leaf.spec.not_before + std::chrono::days{47};
  const auto linted = lint_certificate(leaf.tbs(), kAlgorithm, leaf.context);
  ASSERT_TRUE(linted.ok()) << linted.error().message();
  EXPECT_EQ(ids(linted->warnings()), (std::vector<std::string_view>{"validity_within_baseline", "server_has_names"}));
  leaf.spec.not_after -= std::chrono::seconds{1};
  EXPECT_EQ(ids(lint_certificate(leaf.tbs(), kAlgorithm, leaf.context)->warnings()),
            std::vector<std::string_view>{"server_has_names"});
}

TEST(Lint, I3_LastSecondCounts) {
  Leaf leaf;
  EXPECT_TRUE(lint_certificate(leaf.tbs(), kAlgorithm, leaf.context).ok());
  leaf.spec.not_after += std::chrono::seconds{1};
  EXPECT_FALSE(lint_certificate(leaf.tbs(), kAlgorithm, leaf.context).ok());
  leaf.spec.not_before += std::chrono::seconds{1};
  EXPECT_TRUE(lint_certificate(leaf.tbs(), kAlgorithm, leaf.context).ok());
}

TEST(Lint, AgreesWithRealmsThatOthersBegan) {
  Leaf leaf;  // below a root that has neither SKI nor AKI
  leaf.context.issuer = Certificate::from_pem(kBareRoot).value();
  const auto& root = *leaf.context.issuer;
  leaf.spec.issuer_der.assign(root.subject_der().begin(), root.subject_der().end());
  leaf.spec.authority_key_id = root.key_id();
  leaf.spec.not_before = root.not_before();
  leaf.spec.not_after = leaf.spec.not_before + std::chrono::days{1};
  const auto linted = lint_certificate(leaf.tbs(), kAlgorithm, leaf.context);
  EXPECT_TRUE(linted.ok()) << linted.error().message();
}

TEST(Lint, SubjectMayBeEmptyAndCommonNamesFree) {
  Leaf leaf;
  leaf.spec.subject = {};
  EXPECT_TRUE(lint_certificate(leaf.tbs(), kAlgorithm, leaf.context).ok());
  leaf.spec.subject = Name::from_slash("/CN=uPKI RA").value();
  EXPECT_TRUE(lint_certificate(leaf.tbs(), kAlgorithm, leaf.context).ok());
}

// ----- CRLs

struct List {
  CrlSpec spec{.issuer = ca(),
               .algorithm = kAlgorithm,
               .number = 7,
               .this_update = at("2026-02-01T00:00:00Z"),
               .next_update = at("2026-02-08T00:00:00Z"),
               .entries = {{Serial::from_hex("0102").value(), at("2026-01-15T00:00:00Z"), 1},
                           {Serial::from_hex("ff").value(), at("2026-01-16T00:00:00Z"), 0}}};
  Certificate issuer = ca();
  std::function<void(std::vector<Bytes>&)> change_elements = [](std::vector<Bytes>&) {};

  Bytes tbs() const {
    auto elements = elements_of(build_crl_tbs(spec).value());
    change_elements(elements);
    return sequence_of(elements);
  }
};
/// Elements of a TBSCertList.
enum ListAt { kListVersionAt, kListAlgorithmAt, kListIssuerAt, kThisUpdateAt, kNextUpdateAt, kEntriesAt, kListExtensionsAt };

struct ListBreak {
  std::string_view rule;
  std::function<void(List&)> change;
};
std::function<void(std::vector<Bytes>&)> replace(ListAt at, Bytes der) {
  return [at, der = std::move(der)](std::vector<Bytes>& elements) { elements[at] = der; };
}
Bytes entry(const char* serial, int reason) {
  const Bytes enumerated{der::kEnumerated, 1, static_cast<std::uint8_t>(reason)};
  return der::wrap(der::kSequence, {der::integer(Serial::from_hex(serial).value()), der::time(at("2026-01-15T00:00:00Z")),
                                    der::tlv(der::kSequence, encode_extension(kReasonCode, false, enumerated))});
}

const ListBreak kListBreaks[] = {
    {"crl_issuer_byte_equal",
     [](List& l) { l.change_elements = replace(kListIssuerAt, Name::from_slash("/CN=Root")->der().value()); }},
    {"crl_issuer_signs_crls", [](List& l) { l.issuer = sign(build_tbs(leaf_spec()).value()); }},
    {"crl_updates_ordered", [](List& l) { l.change_elements = replace(kNextUpdateAt, der::time(l.spec.this_update)); }},
    {"crl_update_within_issuer", [](List& l) { l.spec.this_update = at("2025-12-31T23:59:59Z"); }},
    {"crl_time_forms",
     [](List& l) {
       l.change_elements = replace(kNextUpdateAt, der::tlv(der::kGeneralizedTime, base::as_bytes("20260208000000Z")));
     }},
    {"crl_authority_key_id_of_issuer",
     [](List& l) {
       const auto key_id = encode_extension(kAuthorityKeyId, false, encode_authority_key_id(Bytes(20)));
       const auto number = encode_extension(kCrlNumber, false, der::integer(7));
       l.change_elements =
           replace(kListExtensionsAt, der::wrap(der::constructed(0), {der::wrap(der::kSequence, {key_id, number})}));
     }},
    {"crl_number_positive", [](List& l) { l.spec.number = 0; }},
    {"crl_extensions_known",
     [](List& l) {
       const auto number = encode_extension(kCrlNumber, true, der::integer(7));
       l.change_elements = replace(kListExtensionsAt, der::wrap(der::constructed(0), {der::wrap(der::kSequence, {number})}));
     }},
    {"crl_entries_not_ahead", [](List& l) { l.spec.entries[0].revoked_at = l.spec.next_update; }},
    {"crl_entries_unique",
     [](List& l) {
       l.change_elements = replace(kEntriesAt, der::wrap(der::kSequence, {entry("05", 1), entry("05", 4)}));
     }},
    {"crl_no_removal",
     [](List& l) { l.change_elements = replace(kEntriesAt, der::wrap(der::kSequence, {entry("05", kReasonRemoveFromCrl)})); }},
};
const ListBreak kListBehindTheReader[] = {
    {"crl_algorithm_agrees", [](List& l) { l.spec.algorithm = crypto::SignatureAlgorithm::RsaSha256; }},
    {"crl_version_two", [](List& l) { l.change_elements = replace(kListVersionAt, der::integer(2)); }},
    {"crl_der_canonical",
     [](List& l) {
       l.change_elements = replace(kListVersionAt, {der::kInteger, 2, 0, 1});
     }},
};

TEST(LintCrl, I6_EveryBreakIsNamed) {
  EXPECT_TRUE(lint_crl(List().tbs(), kAlgorithm, ca()).ok());
  for (const auto& [rule, change] : kListBreaks) {
    List list;
    change(list);
    const auto linted = lint_crl(list.tbs(), kAlgorithm, list.issuer);
    ASSERT_FALSE(linted.ok()) << rule;
    EXPECT_EQ(linted.error().code(), Code::LintFailed) << rule;
    EXPECT_NE(linted.error().message().find(std::string(rule) + ": "), std::string::npos)
        << rule << ": " << linted.error().message();
  }
  for (const auto& [rule, change] : kListBehindTheReader) {
    List list;
    change(list);
    EXPECT_EQ(lint_crl(list.tbs(), kAlgorithm, list.issuer).error().code(), Code::LintFailed) << rule;
  }
}

TEST(LintCrl, B11_WarningsDoNotHinder) {
  List list;
  list.spec.entries[0].reason = kReasonCertificateHold;
  list.spec.next_update = list.spec.this_update + std::chrono::days{11};
  const auto linted = lint_crl(list.tbs(), kAlgorithm, ca());
  ASSERT_TRUE(linted.ok()) << linted.error().message();
  EXPECT_EQ(ids(linted->warnings()), (std::vector<std::string_view>{"crl_updates_near", "crl_no_hold"}));
}

}  // namespace
}  // namespace chancery::x509
