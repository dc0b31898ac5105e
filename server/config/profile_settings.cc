#include "server/config/profile_settings.h"

#include <algorithm>
#include <array>
#include <set>

#include "server/base/text.h"
#include "server/config/approval_settings.h"
#include "server/config/profile_dialects.h"
#include "server/config/text_checks.h"

namespace chancery::config {
namespace {

constexpr std::int64_t kMostDays = 36525;
constexpr std::size_t kMaxShown = 80;

std::string shown(std::string_view text) { return "\"" + base::printable(text, kMaxShown) + "\""; }

// --- subject: a map, or the older list of maps with one key each ---------------------------------------------------------

void read_attribute(const SettingInfo& info, const Node& node, Profile& profile, Report& report) {
  if (const auto problem = misplaced(info, node, Looks::Text)) return report.error(node, *problem);
  const auto text = Codec<std::string>::parse(SettingInfo{.type = info.type}, node.text);
  const auto fits = text.ok() ? check_dn_attribute(node.name, *text) : Status(text.error());
  if (!fits.ok()) return report.error(node, fits.error().message());
  profile.subject.emplace_back(node.name, *text);
}

void read_subject(const SettingInfo& info, const Node& node, Profile& profile, Report& report) {
  profile.subject.clear();
  if (node.kind == Node::Kind::Scalar || node.kind == Node::Kind::Null) {
    return report.error(node, "found no attributes, expected a map like {C: \"FR\", O: \"Company\", CN: \"\"}");
  }
  for (const auto& child : node.children) {
    if (node.kind == Node::Kind::Map) {
      read_attribute(info, child, profile, report);
      continue;
    }
    if (child.kind != Node::Kind::Map || child.children.size() != 1) {
      report.error(child, "found an item that is no map of one attribute, expected items like - C: \"FR\"");
      continue;
    }
    read_attribute(info, child.children[0], profile, report);
  }
}

Node write_subject(const SettingInfo&, const Profile& profile) {
  Node items = list();
  for (const auto& [name, value] : profile.subject) {
    Node item = map();
    item.children.push_back(named(name, quoted(value)));
    items.children.push_back(std::move(item));
  }
  return items;
}

// --- single words --------------------------------------------------------------------------------------------------------

void read_subject_from(const SettingInfo& info, const Node& node, Profile& profile, Report& report) {
  std::string word = profile.subject_from_request ? "request" : "profile";
  read_value(info, node, word, report);
  profile.subject_from_request = word == "request";
}
Node write_subject_from(const SettingInfo&, const Profile& profile) {
  return plain(profile.subject_from_request ? "request" : "profile");
}

/// One word, or the older list of words.
void read_cert_type(const SettingInfo& info, const Node& node, Profile& profile, Report& report) {
  std::vector<std::string> types;
  read_value(info, node, types, report);
  if (!types.empty()) profile.cert_type = base::join(types, ",");
}
Node write_cert_type(const SettingInfo& info, const Profile& profile) {
  return write_value(info, base::split(profile.cert_type, ','));
}

/// The name of a profile is its file's; a name inside has to agree.
void read_name(const SettingInfo&, const Node& node, Profile& profile, Report& report) {
  if (node.kind == Node::Kind::Scalar && node.text == profile.name.text()) return;
  report.error(
      node, "found the name " + shown(node.text) + ", expected " + shown(profile.name.text()) + ", since the file is called so");
}

/// The documentation's list of {dns|ip|email|uri: truth}.
void read_subject_alt_name(const SettingInfo& info, const Node& node, Profile& profile, Report& report) {
  profile.san_types.clear();
  std::set<std::string> seen;
  const SettingInfo truth{.yaml11_truth = true, .type = Codec<bool>::kType};
  const auto read_kinds = [&](const Node& kinds) {
    for (const auto& kind : kinds.children) {
      bool allowed = false;
      if (!read_scalar(truth, kind, allowed, report)) continue;
      const auto word = Codec<std::string>::parse(info, base::to_lower_ascii(kind.name));
      if (!word.ok()) report.error_at_name(kind, word.error().message());
      if (word.ok() && !seen.insert(*word).second)
        report.error_at_name(kind, "found " + *word + " a second time, expected it once");
      if (word.ok() && allowed) profile.san_types.push_back(*word);
    }
  };
  if (node.kind == Node::Kind::Map) read_kinds(node);
  if (node.kind == Node::Kind::Scalar || node.kind == Node::Kind::Null) {
    report.error(node, "found no kinds of names, expected a list like [{dns: true}, {ip: false}]");
  }
  for (const auto& item : node.children) {
    if (node.kind == Node::Kind::List && is_section(item, report)) read_kinds(item);
  }
  profile.altnames = !profile.san_types.empty();
}

constexpr std::array kProfile{
    row<&Profile::key>(
        {.name = "key", .doc = "Of key pairs that the server generates: ec:P-256, ec:P-384, ec:P-521, ed25519 or rsa:BITS."}),
    Setting<Profile>{
        {.name = "keyType", .aliases = "key_type", .words = "rsa ec ed25519", .doc = "uPKI's form of key.", .type = "word"},
        nullptr,
        nullptr},
    Setting<Profile>{
        {.name = "keyLen", .aliases = "key_length", .least = 256, .most = 8192, .doc = "Bits, beside keyType.", .type = "number"},
        nullptr,
        nullptr},
    row<&Profile::allowed_keys>(
        {.name = "allowed_keys",
         .doc = "Kinds of key that requests may bring; RSA rows are least sizes. Empty: every good key."}),
    row<&Profile::validity>({.name = "duration",
                             .aliases = "validity",
                             .unit = "d",
                             .least = 1,
                             .most = kMostDays,
                             .doc = "How long a certificate is valid."}),
    row<&Profile::digest>(
        {.name = "digest", .words = "sha256 sha384 sha512", .check = check_digest, .filled = true, .doc = "For signatures."}),
    row<&Profile::altnames>(
        {.name = "altnames", .yaml11_truth = true, .doc = "Whether a request may name subject alternative names."}),
    row<&Profile::san_types>({.name = "san_types",
                              .words = "dns ip email uri",
                              .doc = "Kinds of subject alternative names a request may name. Empty: all."}),
    Setting<Profile>{
        {.name = "subject_alt_name",
         .words = "dns ip email uri",
         .doc = "The form of altnames and san_types in uPKI's documentation: a list like [{dns: true}, {ip: false}].",
         .type = "list of maps"},
        read_subject_alt_name,
        nullptr},
    row<&Profile::domain>({.name = "domain",
                           .check = check_domain,
                           .doc =
                               "When set, every name lies in or below it: DNS names, hosts of e-mail addresses and URIs, common "
                               "names that could be hosts'. An IP address lies in none.",
                           .type = "DNS name"}),
    Setting<Profile>{{.name = "subject",
                      .doc = "Attributes of the subject, in order: a map, or a list of maps with one key each. The request's "
                             "common name stands in place of CN, as with uPKI.",
                      .type = "text"},
                     read_subject,
                     write_subject},
    Setting<Profile>{{.name = "subject_from",
                      .words = "request profile",
                      .filled = true,
                      .doc = "Whether the subject is the request's (as uPKI's sign does) or the profile's with the request's CN.",
                      .type = "word"},
                     read_subject_from,
                     write_subject_from},
    row<&Profile::common_name>(
        {.name = "common_name",
         .words = "names none",
         .filled = true,
         .doc = "names: the subject's common name is the request's, or without one the first DNS name of at most 64 characters. "
                "none: subjects have none, whatever the request says; what it says stands among the alternative names where a "
                "verifier could take it for a host's. Subjects that a policy rule writes stay as the rule writes them."}),
    row<&Profile::key_usage>(
        {.name = "keyUsage",
         .aliases = "key_usage",
         .words = "digitalSignature nonRepudiation keyEncipherment dataEncipherment keyAgreement keyCertSign cRLSign "
                  "encipherOnly decipherOnly",
         .doc = "What the key is for (RFC 5280 4.2.1.3)."}),
    row<&Profile::extended_key_usage>({.name = "extendedKeyUsage",
                                       .aliases = "extended_key_usage",
                                       .words = "serverAuth clientAuth codeSigning emailProtection timeStamping OCSPSigning",
                                       .doc = "And in which protocols (RFC 5280 4.2.1.12)."}),
    Setting<Profile>{
        {.name = "certType",
         .aliases = "type",
         .words = "user server email sslCA",
         .filled = true,
         .doc = "Shown to uPKI's readers. With server among them, serverAuth needs an alternative name. One word or a list.",
         .type = "word"},
        read_cert_type,
        write_cert_type},
    row<&Profile::is_ca>({.name = "ca",
                          .yaml11_truth = true,
                          .doc = "Whether the certificate is a CA's. Left out: whether keyUsage has keyCertSign."}),
    row<&Profile::path_length>({.name = "pathLen",
                                .aliases = "path_length",
                                .least = 0,
                                .most = 16,
                                .doc = "How many CAs may follow below such a CA (RFC 5280 4.2.1.9)."}),
    row<&Profile::freshest_crl>(
        {.name = "freshest_crl",
         .doc = "Certificates say where delta CRLs are (RFC 5280 4.2.1.15), where the realm's crl_delta_urls do. false: for "
                "holders whose verifiers do not know what to make of it."}),
    row<&Profile::ocsp_no_check>(
        {.name = "ocsp_no_check",
         .doc =
             "Of OCSP responders elsewhere: verifiers need not ask whether such a certificate is revoked (RFC 6960 4.2.2.2.1), "
             "so keep its validity short. The realm's own responder has it anyway (doc/services.md)."}),
    row<&Profile::least_role>(
        {.name = "least_role",
         .doc =
             "Who may have a certificate of this profile issued. CAs: ca-operator or admin. So do ra and admin, which make their "
             "holders somebody, whatever stands here; ra may also be registered with a seed."}),
    Setting<Profile>{
        {.name = "name", .doc = "The profile's name, which is its file's.", .type = "profile name"}, read_name, nullptr},
};

// --- uPKI's key kinds ------------------------------------------------------------------------------------------------------

std::optional<base::KeySpec::Kind> kind_of(const Node& type, Report& report) {
  const auto word = base::to_lower_ascii(type.text);
  if (word == "rsa") return base::KeySpec::Kind::Rsa;
  if (word == "ec" || word == "ecdsa") return base::KeySpec::Kind::Ec;
  if (word == "ed25519") return base::KeySpec::Kind::Ed25519;
  if (word == "dsa") {
    report.error(type,
                 "found \"dsa\", expected rsa, ec or ed25519: no current standard makes DSA signatures any more (FIPS 186-5)");
  } else {
    report.error(type, mismatch(SettingInfo{.words = "rsa ec ed25519"}, type.text).message());
  }
  return std::nullopt;
}

int usual_bits(base::KeySpec::Kind kind) {
  constexpr int kRsaBits = 3072;
  constexpr int kOtherBits = 256;
  return kind == base::KeySpec::Kind::Rsa ? kRsaBits : kOtherBits;
}

/// Whether there is a key kind of that size.
Status check_bits(base::KeySpec::Kind kind, int bits) {
  const auto refuse = [&](const std::string& expected) {
    return Status(Error(Code::BadConfig, "found " + std::to_string(bits) + " bits, expected " + expected));
  };
  switch (kind) {
    case base::KeySpec::Kind::Rsa:
      if (bits < 2048) return refuse("at least 2048: shorter RSA keys can be factored (NIST SP 800-131A)");
      if (bits > 8192 || bits % 8 != 0) return refuse("at most 8192 in steps of 8");
      return {};
    case base::KeySpec::Kind::Ec:
      return bits == 256 || bits == 384 || bits == 521 ? Status() : refuse("256, 384 or 521 for an EC key");
    case base::KeySpec::Kind::Ed25519: return bits == 256 ? Status() : refuse("256 for an Ed25519 key, or no length");
  }
  return {};
}

}  // namespace

std::span<const Setting<Profile>> profile_settings() {
  static const auto kAll = [] {
    std::vector<Setting<Profile>> rows(kProfile.begin(), kProfile.end());
    const auto approval = approval_settings();
    rows.insert(rows.end(), approval.begin(), approval.end());
    return rows;
  }();
  return kAll;
}

void read_upki_key(const Node& section, base::KeySpec& key, Report& report) {
  const Node* type = nullptr;
  const Node* length = nullptr;
  for (const auto& child : section.children) {
    const auto is_one_of = [&](std::string_view names) { return std::ranges::count(words_of(names), child.name) != 0; };
    if (is_one_of(kKeyTypeNames)) type = &child;
    if (is_one_of(kKeyLengthNames)) length = &child;
  }
  if (type == nullptr && length == nullptr) return;
  const Node& first = type != nullptr ? *type : *length;
  if (section.find("key") != nullptr) {
    return report.error_at_name(first, "found " + first.name + " beside key, expected one of them");
  }
  base::KeySpec wanted = key;
  if (type != nullptr) {
    const auto kind = kind_of(*type, report);
    if (!kind) return;
    if (*kind != key.kind) wanted = {*kind, usual_bits(*kind)};
  }
  if (length != nullptr && !read_scalar(SettingInfo{.type = Codec<int>::kType}, *length, wanted.bits, report)) return;
  if (const auto fits = check_bits(wanted.kind, wanted.bits); !fits.ok()) {
    return report.error(length != nullptr ? *length : *type, fits.error().message());
  }
  key = wanted;
}

Profile read_profile(const Node& node, Profile base, Report& report) {
  Profile profile = std::move(base);
  profile.origin = report.file();
  if (!is_section(node, report)) return profile;
  check_names(node, names_of(profile_settings()), report);
  check_one_dialect(node, report);
  read_settings(profile_settings(), node, profile, report);
  read_upki_key(node, profile.key, report);
  const bool usage_given = node.find("keyUsage") != nullptr || node.find("key_usage") != nullptr;
  if (node.find("ca") == nullptr && usage_given) profile.is_ca = std::ranges::count(profile.key_usage, "keyCertSign") != 0;
  return profile;
}

Node write_profile(const Profile& profile) {
  Node node = map();
  write_settings(profile_settings(), profile, node);
  return node;
}

}  // namespace chancery::config
