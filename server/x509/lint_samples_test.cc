#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "server/base/file.h"
#include "server/base/text.h"
#include "server/crypto/signature.h"
#include "server/x509/der.h"
#include "server/x509/lint.h"
#include "server/x509/pem.h"

/// Every rule over the samples of its folder, which t/data/lint/make-samples makes without any code of ours.
namespace chancery::x509 {
namespace {

namespace fs = std::filesystem;
const fs::path kSamples = fs::path(CHANCERY_SOURCE_DIR) / "t/data/lint";

std::string text_of(const fs::path& file) {
  constexpr std::size_t kMaxOctets = 64 * 1024;
  return base::read_file(file, kMaxOctets).value();
}

/// What stands in front of the PEM block, one "Name: value" a line.
using Head = std::map<std::string, std::string>;
Head head_of(const std::string& text) {
  Head head;
  for (const auto& line : base::split(text.substr(0, text.find("-----BEGIN")), '\n')) {
    const auto colon = line.find(':');
    if (colon != std::string::npos) head[line.substr(0, colon)] = std::string(base::trim(line.substr(colon + 1)));
  }
  return head;
}

std::vector<std::string> words(const std::string& text) {
  return text.empty() ? std::vector<std::string>{} : base::split(text, ' ');
}

crypto::SignatureAlgorithm algorithm_named(const std::string& name) {
  using enum crypto::SignatureAlgorithm;
  constexpr std::array kAll{EcdsaSha256, Ed25519};
  return *std::ranges::find_if(kAll, [&](auto one) { return crypto::to_text(one) == name; });
}

Certificate issuer_of(const Head& head) { return Certificate::from_pem(text_of(kSamples / head.at("Issuer"))).value(); }

LintContext context_of(const Head& head) {
  LintContext context{.issuer = issuer_of(head), .max_validity = std::chrono::days{std::stoi(head.at("Max-Days"))}};
  context.key_usage = words(head.at("Key-Usage"));
  context.extended_key_usage = words(head.at("Extended-Key-Usage"));
  context.is_ca = head.at("CA") == "yes";
  context.ocsp_no_check = head.contains("OCSP-No-Check");
  if (head.contains("Path-Length")) context.path_length = std::stoi(head.at("Path-Length"));
  return context;
}

/// The first element of what was signed, whether any of our readers takes it or not.
Bytes tbs_of(std::string_view label, const std::string& text) {
  const auto der = all_from_pem(label, text, 1).value().at(0);
  const auto outer = der::only(der::kSequence, der, "sample").value();
  const auto tbs = der::Reader(outer.content).any().value();
  return {tbs.whole.begin(), tbs.whole.end()};
}

/// The ids of all rules that a sample breaks.
template <class Linted>
std::set<std::string> broken(const Result<Linted>& linted) {
  std::set<std::string> ids;
  if (linted.ok()) {
    for (const auto& warning : linted->warnings()) ids.emplace(warning.rule.id);
    return ids;
  }
  EXPECT_EQ(linted.error().code(), Code::LintFailed);
  const auto message = linted.error().message();
  for (std::size_t at = 0; at != std::string::npos; at = message.find("; ", at + 1)) {
    const auto rest = message.substr(at == 0 ? message.find(": ") + 2 : at + 2);
    ids.insert(rest.substr(0, rest.find(':')));
  }
  return ids;
}

std::set<std::string> broken_by(const fs::path& file) {
  const auto text = text_of(file);
  const auto head = head_of(text);
  const auto algorithm = algorithm_named(head.at("Signs"));
  if (text.find("BEGIN X509 CRL") != std::string::npos)
    return broken(lint_crl(tbs_of(kCrlLabel, text), algorithm, issuer_of(head)));
  return broken(lint_certificate(tbs_of(kCertificateLabel, text), algorithm, context_of(head)));
}

std::vector<fs::path> samples_of(std::string_view rule, std::string_view sort) {
  std::vector<fs::path> files;
  if (!fs::is_directory(kSamples / rule)) return files;
  for (const auto& one : fs::directory_iterator(kSamples / rule)) {
    if (one.path().filename().string().starts_with(sort)) files.push_back(one.path());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<RuleRow> all_rules() {
  auto rows = certificate_rules();
  rows.insert(rows.end(), crl_rules().begin(), crl_rules().end());
  return rows;
}

std::string shown(const std::set<std::string>& ids) {
  std::string out;
  for (const auto& id : ids) out += id + " ";
  return out;
}

TEST(LintSamples, C3_B7_EveryRuleNamesItsBadSamples) {
  for (const auto& row : all_rules()) {
    const auto files = samples_of(row.id, "bad-");
    EXPECT_FALSE(files.empty()) << row.id << " has no bad sample";
    for (const auto& file : files) {
      const auto ids = broken_by(file);
      EXPECT_TRUE(ids.contains(std::string(row.id))) << file << " breaks " << shown(ids);
    }
  }
}

TEST(LintSamples, B7_GoodSamplesBreakNothing) {
  for (const auto& row : all_rules()) {
    const auto files = samples_of(row.id, "good-");
    EXPECT_FALSE(files.empty()) << row.id << " has no good sample";
    for (const auto& file : files) EXPECT_EQ(shown(broken_by(file)), "") << file;
  }
}

TEST(LintSamples, EveryFolderIsARulesOwn) {
  std::set<std::string> ids;
  for (const auto& row : all_rules()) EXPECT_TRUE(ids.emplace(row.id).second) << row.id << " stands twice";
  for (const auto& one : fs::directory_iterator(kSamples)) {
    EXPECT_TRUE(!one.is_directory() || ids.contains(one.path().filename().string())) << one.path();
  }
}

}  // namespace
}  // namespace chancery::x509
