#include <array>

#include "server/x509/lint_rules.h"

namespace chancery::x509 {
namespace {

using View = CertificateView;

Verdict san_critical_iff_no_subject(const View& v) {
  if (v.find(kSubjectAltName) == nullptr) return kPass;
  return unless(v.is_critical(kSubjectAltName) == v.certificate.subject().empty(),
                "alternative names are critical without need, or not with it");
}

Verdict san_in_normal_form(const View& v) {
  const auto* extension = v.find(kSubjectAltName);
  if (extension == nullptr) return kPass;
  const auto again = encode_general_names(v.certificate.sans());
  return unless(again.ok() && !v.certificate.sans().empty() && *again == extension->value,
                "alternative names are none, or not in their normal form");
}

Verdict san_unique(const View& v) {
  auto names = v.certificate.sans();
  std::ranges::sort(names);
  return unless(std::ranges::adjacent_find(names) == names.end(), "an alternative name stands twice");
}

bool is_server(const View& v) { return !v.certificate.is_ca() && has_word(v.certificate.extended_key_usage(), "serverAuth"); }

Verdict server_has_names(const View& v) {
  return unless(!is_server(v) || !v.certificate.sans().empty(), "serverAuth without alternative names");
}

bool is_host(const GeneralName& name) {
  return name.type == GeneralName::Type::Ip || (name.type == GeneralName::Type::Dns && name.value.find('.') != std::string::npos);
}

/// Of several common names each: which one counts differs from one reader to the next.
Verdict common_name_among_names(const View& v) {
  const auto sans = v.certificate.sans();
  if (!is_server(v) || sans.empty()) return kPass;
  const auto subject = v.certificate.subject();
  return unless(std::ranges::all_of(subject.attributes,
                                    [&](const Attribute& one) {
                                      if (one.type != "CN") return true;
                                      const auto name = GeneralName::parse(one.value);
                                      return !name.ok() || !is_host(*name) || std::ranges::find(sans, *name) != sans.end();
                                    }),
                "a common name of the server is none of the alternative names");
}

constexpr std::array kRules{
    Rule<View>{{"san_critical_iff_no_subject", "RFC 5280 4.2.1.6"}, san_critical_iff_no_subject},
    Rule<View>{{"san_in_normal_form", "RFC 5280 4.2.1.6, PROMISES C14"}, san_in_normal_form},
    Rule<View>{{"san_unique", "PROMISES C14"}, san_unique},
    Rule<View>{{"server_has_names", "RFC 9525 6.3", Severity::Warning}, server_has_names},
    Rule<View>{{"common_name_among_names", "CABF BR 7.1.4.3, PROMISES C14"}, common_name_among_names},
};

}  // namespace

std::span<const Rule<CertificateView>> alternative_name_rules() { return kRules; }

}  // namespace chancery::x509
