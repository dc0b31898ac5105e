#include "server/x509/name_constraints.h"

#include <algorithm>
#include <array>
#include <functional>

#include "server/base/text.h"
#include "server/x509/der.h"

namespace chancery::x509 {
namespace {

using Kind = NameConstraints::Kind;

constexpr std::size_t kMaxSubtrees = 1000;
constexpr std::uint8_t kDirectoryTag = der::constructed(4);

/// The kinds of names, in words, and their tags in GeneralName.
struct Row {
  Kind kind;
  std::string_view word;
  std::uint8_t tag;
};
constexpr std::array kRows{
    Row{Kind::Dns, "DNS", der::context(2)},         Row{Kind::Ip, "IP", der::context(7)},
    Row{Kind::Email, "EMAIL", der::context(1)},     Row{Kind::Uri, "URI", der::context(6)},
    Row{Kind::Directory, "DirName", kDirectoryTag},
};
const Row& row_of(Kind kind) { return *std::ranges::find(kRows, kind, &Row::kind); }

constexpr std::array kKindOfSan{Kind::Dns, Kind::Ip, Kind::Email, Kind::Uri};  // in the order of GeneralName::Type

/// A mailbox with its host in lower case; what has no '@' is a host (RFC 5280 4.2.1.10, 7.5).
std::string fold_mailbox(std::string_view text) {
  const auto host = text.rfind('@') + 1;
  return std::string(text.substr(0, host)) + base::to_lower_ascii(text.substr(host));
}

/// RFC 5280 7.1, as far as ASCII goes: letter case does not count, nor how many spaces there are.
std::string fold_value(std::string_view value) {
  std::string out;
  for (const auto& word : base::split(base::to_lower_ascii(value), ' ')) {
    if (!word.empty()) out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

bool begins_with(const Name& name, const Name& start) {
  const auto same = [](const Attribute& a, const Attribute& b) {
    return a.type == b.type && fold_value(a.value) == fold_value(b.value);
  };
  return name.attributes.size() >= start.attributes.size() &&
         std::equal(start.attributes.begin(), start.attributes.end(), name.attributes.begin(), same);
}

/// The empty tree holds every name; one that begins with a dot holds what lies below, not its root.
bool host_below(std::string_view host, std::string_view tree) {
  if (tree.empty() || host == tree) return true;
  const auto suffix = tree.starts_with('.') ? std::string(tree) : "." + std::string(tree);
  return host.size() > suffix.size() && host.ends_with(suffix);
}

/// A wildcard stands for one label, so it may mean a name in the tree though its own lies above.
bool wildcard_reaches(std::string_view name, std::string_view tree) {
  if (!name.starts_with("*.")) return false;
  const auto root = tree.starts_with('.') ? tree.substr(1) : tree;
  const auto dot = root.find('.');
  return dot != std::string_view::npos && root.substr(dot) == name.substr(1);
}

bool host_is(std::string_view host, std::string_view tree) {
  return tree.starts_with('.') ? host_below(host, tree) : host == tree;
}

bool mailbox_matches(std::string_view mailbox, std::string_view tree) {
  if (tree.find('@') != std::string_view::npos) return mailbox == tree;
  return host_is(mailbox.substr(mailbox.rfind('@') + 1), tree);
}

/// The octets that count: address and mask have one length, and the range is the address twice that long.
bool address_in(ByteView address, ByteView range) {
  if (range.size() != 2 * address.size()) return false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const auto mask = range[address.size() + i];
    if ((address[i] & mask) != (range[i] & mask)) return false;
  }
  return true;
}

/// "192.0.2.0/255.255.255.0"
std::string range_text(ByteView range) {
  const auto half = range.size() / 2;
  return ip_text(range.first(half)).value_or("?") + "/" + ip_text(range.subspan(half)).value_or("?");
}

/// The host of a URI by name; none: it has none, or an address, and RFC 5280 4.2.1.10 refuses both below any constraint.
std::optional<std::string> host_of(std::string_view uri) {
  const auto start = uri.find("://");
  if (start == std::string_view::npos) return std::nullopt;
  const auto rest = uri.substr(start + 3);
  const auto host = base::to_lower_ascii(rest.substr(0, rest.find_first_of(":/?#")));
  const auto name = GeneralName::parse("DNS:" + host);
  return name.ok() ? std::optional(host) : std::nullopt;
}

/// What OpenSSL and others take for a DNS name in a common name: two labels or more, of letters, digits, hyphens and underscores.
bool looks_like_dns(std::string_view text) {
  const auto is_fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return text.find('.') != std::string_view::npos && std::ranges::all_of(text, is_fine);
}

}  // namespace

/// One name of a certificate.
struct NameConstraints::Held {
  Kind kind;
  std::string shown;
  std::string text{};
  Bytes octets{};
  const Name* directory = nullptr;
  bool has_host = true;
};

Result<std::optional<NameConstraints::Subtree>> NameConstraints::read_base(std::uint8_t tag, ByteView content) {
  const auto row = std::ranges::find(kRows, tag, &Row::tag);
  if (row == kRows.end()) return std::optional<Subtree>();
  Subtree subtree{row->kind, {}, {}, {}};
  if (row->kind == Kind::Directory) {
    PKI_TRY(subtree.directory, Name::from_der(content));
    return std::optional(std::move(subtree));
  }
  if (row->kind == Kind::Ip) {
    constexpr std::size_t kFour = 8, kSix = 32;
    if (content.size() != kFour && content.size() != kSix)
      return Error(Code::Malformed, "an IP range of neither 8 nor 32 octets");
    subtree.octets.assign(content.begin(), content.end());
    return std::optional(std::move(subtree));
  }
  subtree.text = row->kind == Kind::Email ? fold_mailbox(base::as_text(content)) : base::to_lower_ascii(base::as_text(content));
  return std::optional(std::move(subtree));
}

/// GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }
Result<std::vector<NameConstraints::Subtree>> NameConstraints::read_subtrees(ByteView content) {
  std::vector<Subtree> subtrees;
  for (der::Reader list(content); !list.done();) {
    if (subtrees.size() == kMaxSubtrees) return Error(Code::TooLarge, "more than 1000 subtrees");
    PKI_TRY(const auto sequence, list.next(der::kSequence, "GeneralSubtree"));
    der::Reader reader(sequence.content);
    PKI_TRY(const auto base, reader.any());
    if (!reader.done()) return Error(Code::Unsupported, "a subtree with a minimum or maximum (RFC 5280 4.2.1.10)");
    PKI_TRY(auto subtree, read_base(base.tag, base.content));
    if (subtree) subtrees.push_back(std::move(*subtree));
  }
  return subtrees;
}

/// NameConstraints ::= SEQUENCE { permittedSubtrees [0] OPTIONAL, excludedSubtrees [1] OPTIONAL }
Result<NameConstraints> NameConstraints::read(ByteView value) {
  PKI_TRY(const auto sequence, der::only(der::kSequence, value, "name constraints"));
  der::Reader reader(sequence.content);
  NameConstraints out;
  if (reader.at(der::constructed(0))) {
    PKI_TRY(const auto list, reader.any());
    PKI_TRY(out.permitted_, read_subtrees(list.content));
  }
  if (reader.at(der::constructed(1))) {
    PKI_TRY(const auto list, reader.any());
    PKI_TRY(out.excluded_, read_subtrees(list.content));
  }
  PKI_TRY_VOID(reader.finish("name constraints"));
  return out;
}

std::vector<NameConstraints::Held> NameConstraints::held_names(const Name& subject, const std::vector<GeneralName>& sans,
                                                               bool is_ca) {
  std::vector<Held> held;
  if (!subject.empty())
    held.push_back({.kind = Kind::Directory, .shown = "subject " + subject.to_slash(), .directory = &subject});
  for (const auto& san : sans) {
    Held one{.kind = kKindOfSan.at(static_cast<std::size_t>(san.type)), .shown = san.to_text(), .text = san.value};
    if (one.kind == Kind::Ip) one.octets = ip_octets(san.value);
    if (one.kind == Kind::Uri) {
      const auto host = host_of(san.value);
      one.has_host = host.has_value();
      one.text = host.value_or("");
    }
    held.push_back(std::move(one));
  }
  const bool has_dns = std::ranges::find(sans, GeneralName::Type::Dns, &GeneralName::type) != sans.end();
  for (const auto& one : subject.attributes) {
    const auto shown = one.type + " \"" + base::printable(one.value, 80) + "\"";
    if (one.type == "emailAddress") held.push_back({.kind = Kind::Email, .shown = shown, .text = fold_mailbox(one.value)});
    if (one.type == "CN" && !is_ca && !has_dns && looks_like_dns(one.value))
      held.push_back({.kind = Kind::Dns, .shown = shown, .text = base::to_lower_ascii(one.value)});
  }
  return held;
}

bool NameConstraints::matches(const Held& held, const Subtree& subtree, bool excluded) {
  switch (held.kind) {
    case Kind::Dns: return host_below(held.text, subtree.text) || (excluded && wildcard_reaches(held.text, subtree.text));
    case Kind::Ip: return address_in(held.octets, subtree.octets);
    case Kind::Email: return mailbox_matches(held.text, subtree.text);
    case Kind::Uri: return held.has_host ? host_is(held.text, subtree.text) : excluded;
    case Kind::Directory: return begins_with(*held.directory, subtree.directory);
  }
  return excluded;
}

std::string NameConstraints::to_text(const Subtree& subtree) {
  const auto text = subtree.kind == Kind::Directory ? subtree.directory.to_slash()
                    : subtree.kind == Kind::Ip      ? range_text(subtree.octets)
                                                    : subtree.text;
  return std::string(row_of(subtree.kind).word) + ":" + base::printable(text, 200);
}

std::string NameConstraints::fault_in(const Held& held) const {
  const auto of_kind = [&](const Subtree& one) { return one.kind == held.kind; };
  for (const auto& one : excluded_) {
    if (of_kind(one) && matches(held, one, true)) return held.shown + " lies in " + to_text(one) + ", which is excluded";
  }
  std::string permitted;
  for (const auto& one : permitted_) {
    if (!of_kind(one)) continue;
    if (matches(held, one, false)) return {};
    permitted += (permitted.empty() ? "" : ", ") + to_text(one);
  }
  return permitted.empty() ? std::string() : held.shown + " lies outside of what is permitted: " + permitted;
}

std::string NameConstraints::fault_in(const Name& subject, const std::vector<GeneralName>& sans, bool is_ca) const {
  for (const auto& held : held_names(subject, sans, is_ca)) {
    if (auto fault = fault_in(held); !fault.empty()) return fault;
  }
  return {};
}

std::vector<std::string> NameConstraints::sample_texts(const Subtree& subtree) {
  const auto root = subtree.text.starts_with('.') ? subtree.text.substr(1) : subtree.text;
  const auto host = subtree.text.starts_with('.') ? "www." + root : root;
  switch (subtree.kind) {
    case Kind::Dns: return {"DNS:www." + root, "DNS:" + root};
    case Kind::Uri: return {"URI:https://" + host + "/"};
    case Kind::Email: return {"EMAIL:" + (root.find('@') == std::string::npos ? "somebody@" + host : root)};
    case Kind::Ip: return {"IP:" + ip_text(ByteView(subtree.octets).first(subtree.octets.size() / 2)).value_or("")};
    case Kind::Directory: break;
  }
  return {};
}

NameConstraints::Samples NameConstraints::samples() const {
  Samples out;
  for (const auto& one : permitted_) {
    if (one.kind == Kind::Directory) out.directories.push_back(one.directory);
    for (const auto& text : sample_texts(one)) {
      if (auto name = GeneralName::parse(text); name.ok()) out.names.push_back(std::move(*name));
    }
  }
  return out;
}

Result<std::optional<NameConstraints>> name_constraints_of(const Certificate& certificate) {
  const auto* extension = find_extension(certificate.extensions(), kNameConstraints);
  if (extension == nullptr) return std::optional<NameConstraints>();
  auto constraints = NameConstraints::read(extension->value);
  if (!constraints.ok()) return constraints.error().within("name constraints of " + certificate.subject().to_slash());
  return std::optional(std::move(*constraints));
}

}  // namespace chancery::x509
