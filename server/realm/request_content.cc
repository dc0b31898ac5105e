#include "server/realm/request_content.h"

#include <algorithm>
#include <charconv>

#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::realm {
namespace {

constexpr std::string_view kTitle = "chancery request 1\n";
constexpr std::string_view kCertificate = "cert:";

/// "subject: 20 /CN=www.example.com"
void add(std::string& out, std::string_view name, std::string_view value) {
  out += std::string(name) + ": " + std::to_string(value.size()) + " " + std::string(value) + "\n";
}

/// Whom an identity names, without how it was shown.
std::string plain_name(const std::string& identity) {
  if (identity.starts_with(kCertificate)) {
    const auto name = x509::Name::from_slash(identity.substr(kCertificate.size()));
    return base::to_lower_ascii(name.ok() ? name->common_name().value_or(identity) : identity);
  }
  const auto colon = identity.find(':');
  return base::to_lower_ascii(colon == std::string::npos ? identity : identity.substr(colon + 1));
}

}  // namespace

std::string uses_of(const config::Profile& profile) {
  auto out = profile.is_ca ? "CA" + (profile.path_length ? " " + std::to_string(*profile.path_length) : std::string()) : "no CA";
  return out + "; " + base::join(profile.key_usage, " ") + "; " + base::join(profile.extended_key_usage, " ");
}

void set_grant(RequestContent& content, const Grant& grant, const config::Profile& profile) {
  content.profile = grant.profile.text();
  content.subject = grant.subject.to_slash();
  content.names.clear();
  for (const auto& one : grant.sans) content.names.push_back(one.to_text());
  content.spki = grant.spki;
  content.uses = uses_of(profile);
}

std::string canonical_text(const RequestContent& content) {
  std::string out(kTitle);
  add(out, "realm", content.realm);
  add(out, "id", content.id);
  add(out, "kind", to_text(content.kind));
  add(out, "requester", content.requester);
  add(out, "front_end", content.front_end);
  add(out, "expires", base::to_rfc3339(content.expires));
  add(out, "certificate", content.certificate);
  add(out, "reason", content.reason);
  add(out, "profile", content.profile);
  add(out, "subject", content.subject);
  for (const auto& one : content.names) add(out, "name", one);
  add(out, "key", base::to_base64(content.spki));
  add(out, "validity", std::to_string(content.validity.count()));
  add(out, "uses", content.uses);
  for (const auto& [name, value] : {std::pair("ca", &content.ca), std::pair("step", &content.step),
                                    std::pair("source", &content.source), std::pair("rules", &content.rules)}) {
    if (!value->empty()) add(out, name, *value);
  }
  return out;
}

std::string digest_of_text(const std::string& canonical) { return crypto::sha256_hex(base::as_bytes(canonical)); }
std::string digest_of(const RequestContent& content) { return digest_of_text(canonical_text(content)); }

std::vector<std::string> values_in(std::string_view canonical, std::string_view name) {
  std::vector<std::string> out;
  canonical.remove_prefix(std::min(canonical.size(), kTitle.size()));
  while (!canonical.empty()) {
    const auto colon = canonical.find(": ");
    const auto blank = colon == std::string_view::npos ? colon : canonical.find(' ', colon + 2);
    if (blank == std::string_view::npos) return out;
    const auto digits = canonical.substr(colon + 2, blank - colon - 2);
    std::size_t size = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (read.ec != std::errc() || size >= canonical.size() - blank - 1) return out;
    if (canonical.substr(0, colon) == name) out.emplace_back(canonical.substr(blank + 1, size));
    canonical.remove_prefix(blank + 1 + size + 1);
  }
  return out;
}

bool may_be_same_person(const std::string& one, const std::string& other) {
  const bool both_by_certificate = one.starts_with(kCertificate) && other.starts_with(kCertificate);
  return both_by_certificate ? one == other : plain_name(one) == plain_name(other);
}

std::size_t count_people(const std::vector<std::string>& approvers, const std::string& requester) {
  std::vector<std::string> people;
  for (const auto& one : approvers) {
    const auto is_one = [&](const std::string& other) { return may_be_same_person(one, other); };
    if (!is_one(requester) && std::ranges::none_of(people, is_one)) people.push_back(one);
  }
  return people.size();
}

}  // namespace chancery::realm
