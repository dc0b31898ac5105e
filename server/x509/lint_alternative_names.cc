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

/// What a verifier may compare with a host's name, whether it can be one or not: underscores, wildcards and letters beyond ASCII
/// count. After the last slash, since host/www.example.org is a grid's name of a service.
std::string host_in(std::string_view common_name) {
  static constexpr std::string_view kNeverOfHosts = " !\"#$%&'()+,;<=>?@\\^`{|}~";
  const auto host = common_name.substr(common_name.rfind('/') + 1);
  return host.find_first_of(kNeverOfHosts) == std::string_view::npos ? std::string(host) : std::string();
}

bool is_among(const std::vector<GeneralName>& names, const std::string& host) {
  for (const auto* prefix : {"IP:", "DNS:"}) {
    const auto name = GeneralName::parse(prefix + host);
    if (name.ok() && std::ranges::find(names, *name) != names.end()) return true;
  }
  return false;
}

Verdict common_name_among_names(const View& v) {
  if (!is_server(v)) return kPass;
  for (const auto& one : v.certificate.subject().attributes) {
    const auto host = one.type == "CN" ? host_in(one.value) : std::string();
    if (!host.empty() && !is_among(v.certificate.sans(), host)) return "a server's common name is none of the alternative names";
  }
  return kPass;
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
