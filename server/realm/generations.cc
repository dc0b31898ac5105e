#include "server/realm/generations.h"

#include <algorithm>
#include <charconv>

#include "server/base/text.h"

namespace chancery::realm {
namespace {

struct StateRow {
  GenerationState state;
  std::string_view text;
  bool issues;
  bool signs_crls;
  std::vector<GenerationState> next;
};

const std::array<StateRow, kGenerationStates.size()>& rows() {
  using S = GenerationState;
  static const std::array<StateRow, kGenerationStates.size()> kRows{{
      {S::Prepared, "prepared", false, true, {S::Active, S::Aborted}},
      {S::Active, "active", true, true, {S::Draining}},
      {S::Draining, "draining", false, true, {S::Retired}},
      {S::Retired, "retired", false, false, {}},
      {S::Aborted, "aborted", false, false, {}},
  }};
  return kRows;
}

const StateRow& row(GenerationState state) { return *std::ranges::find(rows(), state, &StateRow::state); }

std::vector<std::string> filled(std::vector<std::string> urls, const std::string& label) {
  for (auto& url : urls) url = config::in_generation(std::move(url), label);
  return urls;
}

const config::CaConfig* row_of(const config::RealmConfig& realm, std::string_view ca) {
  const auto found = realm.cas.find(std::string(ca));
  return found == realm.cas.end() ? nullptr : &found->second;
}

bool names(const config::CaConfig& ca, const ProfileName& profile) {
  return std::ranges::find(ca.profiles, profile) != ca.profiles.end();
}

/// Whether anybody is to trust its certificate.
bool is_trusted(GenerationState state) { return state != GenerationState::Retired && state != GenerationState::Aborted; }

std::optional<x509::Certificate> certificate_in(const std::string& pem) {
  if (pem.empty()) return std::nullopt;
  auto certificate = x509::Certificate::from_pem(pem);
  return certificate.ok() ? std::optional(std::move(certificate).value()) : std::nullopt;
}

std::vector<std::string> chain_behind(std::string first, const Authority& authority) {
  auto chain = chain_pems(authority);
  chain.insert(chain.begin(), std::move(first));
  return chain;
}

}  // namespace

std::string_view to_text(GenerationState state) { return row(state).text; }

std::optional<GenerationState> generation_state(std::string_view text) {
  const auto found = std::ranges::find(rows(), text, &StateRow::text);
  return found == rows().end() ? std::nullopt : std::optional(found->state);
}

bool may_follow(GenerationState from, GenerationState to) { return std::ranges::count(row(from).next, to) != 0; }
bool may_issue(GenerationState state) { return row(state).issues; }
bool may_sign_crl(GenerationState state) { return row(state).signs_crls; }

std::string Label::text() const { return name == config::kFirstCa && number == 1 ? name : name + "-" + std::to_string(number); }

Result<Label> parse_label(std::string_view text) {
  const Error bad(Code::Malformed,
                  "found \"" + base::printable(text, 80) + "\", expected the name of a CA's generation, like ca, ca-2 or tls-1");
  if (text == config::kFirstCa) return Label{std::string(text), 1};
  const auto dash = text.rfind('-');
  if (dash == std::string_view::npos || !RealmName::parse(text.substr(0, dash)).ok()) return bad;
  const auto digits = text.substr(dash + 1);
  Label label{std::string(text.substr(0, dash)), 0};
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), label.number);
  const bool is_number = failure == std::errc() && end == digits.data() + digits.size() && label.number > 0;
  return is_number && label.text() == text ? Result<Label>(label) : bad;
}

std::string Generation::name() const { return parse_label(label).value().name; }
int Generation::number() const { return parse_label(label).value().number; }

const Generation* issuing(std::span<const Generation> all, std::string_view ca, Seconds now, Seconds wanted_end) {
  const Generation* covers = nullptr;
  const Generation* newest = nullptr;
  for (const auto& one : all) {
    if (one.name() != ca || !may_issue(one.state) || !one.authority) continue;
    const auto& certificate = one.authority->certificate;
    if (now < certificate.not_before() || now > certificate.not_after()) continue;
    if (newest == nullptr || one.number() > newest->number()) newest = &one;
    if (certificate.not_after() >= wanted_end && (covers == nullptr || one.number() > covers->number())) covers = &one;
  }
  return covers != nullptr ? covers : newest;
}

const Generation* find(std::span<const Generation> all, std::string_view label) {
  const auto found = std::ranges::find(all, label, &Generation::label);
  return found == all.end() ? nullptr : &*found;
}

std::string ca_for(const config::RealmConfig& realm, const ProfileName& profile) {
  for (const auto& [name, ca] : realm.cas) {
    if (!ca.is_root() && !ca.is_service() && names(ca, profile)) return name;
  }
  return config::kFirstCa;
}

Status check_ca_issues(const config::RealmConfig& realm, std::string_view ca, const ProfileName& profile) {
  if (ca == config::kFirstCa) return {};
  const auto* found = row_of(realm, ca);
  if (found == nullptr) return Error(Code::NotFound, "no CA \"" + base::printable(ca, 80) + "\" in this realm");
  if (found->is_service())
    return Error(Code::PolicyRefused,
                 std::string(ca) + " is a service of the realm (purpose: " + found->purpose + ") and issues nothing");
  if (found->is_root())
    return Error(Code::PolicyRefused, "CA " + std::string(ca) + " is a root: it certifies the realm's CAs and issues no profile");
  if (found->profiles.empty() || names(*found, profile)) return {};
  return Error(Code::PolicyRefused, "CA " + std::string(ca) + " may not issue profile " + profile.text(),
               "`profiles` of the CA in ca.config.yml names those that it may");
}

std::string responder_for(const config::RealmConfig& realm, std::string_view ca) {
  const auto found = std::ranges::find_if(realm.cas, [&](const auto& one) {
    return one.second.is_responder() && (one.second.issuer.empty() ? config::kFirstCa : one.second.issuer) == ca;
  });
  return found == realm.cas.end() ? std::string() : found->first;
}

std::vector<std::string> crl_urls(const config::RealmConfig& realm, const Authority& authority) {
  const auto* ca = row_of(realm, authority.name);
  return filled(ca != nullptr && !ca->crl_urls.empty() ? ca->crl_urls : realm.crl_urls, authority.label);
}

std::vector<std::string> crl_delta_urls(const config::RealmConfig& realm, const Authority& authority) {
  if (realm.crl_delta.count() == 0) return {};
  const auto* ca = row_of(realm, authority.name);
  return filled(ca != nullptr && !ca->crl_delta_urls.empty() ? ca->crl_delta_urls : realm.crl_delta_urls, authority.label);
}

std::vector<std::string> ca_issuer_urls(const config::RealmConfig& realm, const Authority& authority) {
  const auto* ca = row_of(realm, authority.name);
  return filled(ca != nullptr && !ca->ca_issuer_urls.empty() ? ca->ca_issuer_urls : realm.ca_issuer_urls, authority.label);
}

std::vector<std::vector<std::string>> alternates(std::span<const Generation> all, const Generation& of) {
  std::vector<std::vector<std::string>> out;
  if (!of.authority) return out;
  const auto key_id = of.authority->certificate.key_id();
  for (const auto& one : all) {
    if (one.name() != of.name() || !one.authority || !is_trusted(one.state)) continue;
    const auto certified_by = certificate_in(of.new_with_old);
    if (certified_by && std::ranges::equal(certified_by->authority_key_id(), one.authority->certificate.key_id()))
      out.push_back(chain_behind(of.new_with_old, *one.authority));
    const auto certifies = certificate_in(one.old_with_new);
    if (certifies && std::ranges::equal(certifies->subject_key_id(), key_id))
      out.push_back(chain_behind(one.old_with_new, *one.authority));
  }
  return out;
}

}  // namespace chancery::realm
