// What a policy decision costs: rules read as a realm's are, and a request for which the last of them holds.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "bench/load.h"
#include "server/config/load.h"
#include "server/realm/rules.h"

namespace {

using namespace chancery;

class NoFacts : public realm::Facts {
  Result<int> living_of_subject(const std::string&, int) const override { return 0; }
  Result<int> living_of_requester(const std::string&, int) const override { return 0; }
  Result<bool> look_up(const std::string&, const realm::Question&) const override { return true; }
  Result<bool> shows(const config::Proof&, const realm::Question&) const override { return false; }
  Result<std::string> standing_of(const std::string&) const override { return std::string("nothing"); }
};

/// @param by_name  each rule is for a domain of its own; else for somebody, whatever is asked for, so that each has to be looked
/// at
void write_realm(const std::filesystem::path& directory, int rules, bool by_name) {
  std::filesystem::create_directories(directory);
  std::ofstream file(directory / "ca.config.yml");
  file << "key_unencrypted: true\npolicy:\n  otherwise: deny\n  rules:\n";
  for (int i = 0; i < rules; ++i) {
    file << "    - {name: r" << i << ", decision: grant, ";
    if (by_name) {
      file << "names: [\"*.d" << i << ".example.com\"]}\n";
    } else {
      file << "requesters: [\"user:u" << i << "-*\"]}\n";
    }
  }
}

}  // namespace

double bench::policy_microseconds(const std::string& directory, int rules, bool by_name, double seconds) {
  write_realm(directory, rules, by_name);
  std::vector<config::Finding> findings;
  const auto realm = config::load_realm(RealmName::parse("bench").value(), directory, findings);
  if (!realm) throw std::runtime_error(findings.empty() ? "no realm" : config::to_line(findings[0]));
  const auto last = std::to_string(rules - 1);
  const realm::Question question{.profile = realm->profiles.at(ProfileName::parse("server").value()),
                                 .way = "command",
                                 .requester = "user:u" + last + "-x",
                                 .roles = {},
                                 .subject = {},
                                 .sans = {x509::GeneralName::parse("DNS:www.d" + last + ".example.com").value()},
                                 .key = {},
                                 .validity = {},
                                 .renews_left = {}};
  const auto begun = std::chrono::steady_clock::now();
  std::chrono::duration<double> taken{};
  long count = 0;
  while (taken.count() < seconds) {
    const auto ruling = realm::ask_rules(realm->policy, question, NoFacts());
    if (!ruling.ok() || ruling->rule != "r" + last) throw std::runtime_error("another rule decided");
    ++count;
    taken = std::chrono::steady_clock::now() - begun;
  }
  return taken.count() * 1e6 / static_cast<double>(count);
}
