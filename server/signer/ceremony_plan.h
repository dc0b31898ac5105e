#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/base/file.h"
#include "server/base/result.h"
#include "server/config/ca_config.h"

/// What an offline ceremony makes: a file that people review before anything is done (doc/ceremony.md). Pure values.
namespace chancery::signer {

/// A CA of a realm beside its first one, or a service of the realm.
struct FurtherCa {
  std::string name;
  config::CaConfig row;  ///< as ca.config.yml will have it
  int days = 3650;       ///< of a CA
  std::optional<int> path_length;

  std::string label() const { return name + "-1"; }  ///< of its first generation
  bool is_below_root() const { return !row.is_service() && row.issuer.empty(); }
};

/// One CA of the plan, which becomes a realm.
struct PlannedCa {
  std::string realm;
  std::string subject;  ///< slash DN
  std::string key = "ec:P-384";
  int days = 3650;
  std::optional<int> path_length;
  std::optional<int> crl_days;  ///< of the root: how long its CRLs are good; none: as every realm's
  std::string passphrase_file;  ///< none of these: a new passphrase in the realm's directory
  bool unencrypted = false;
  int shares = 0;  ///< of a new passphrase; 0: none
  int threshold = 0;
  std::string company;
  std::string domain;
  std::vector<std::string> crl_urls;
  std::vector<std::string> ca_issuer_urls;
  std::vector<FurtherCa> cas;  ///< those that the root certifies before those that one of them does

  bool has_further_cas() const;  ///< and not services alone
};

struct CeremonyPlan {
  std::string title;
  std::string directory;            ///< absolute; made by the ceremony
  std::vector<std::string> people;  ///< who is there, as they want to be named
  PlannedCa root{};
  std::vector<PlannedCa> issuing{};

  std::string text{};    ///< the file, octet for octet
  std::string sha256{};  ///< of it, hex
};

inline constexpr std::size_t kMostIssuing = 50;

/// Reads and checks the whole plan before any of it counts. @errors BadConfig: every finding, with file, line and column;
/// NotFound, Io, TooLarge.
Result<CeremonyPlan> read_plan(const base::Path& file);
/// The same of a text. @param name  for findings
Result<CeremonyPlan> parse_plan(std::string text, const std::string& name);

/// The profile of the root's realm by which it certifies a CA.
std::string profile_of(const PlannedCa& ca);
std::string profile_of(const PlannedCa& ca, const FurtherCa& further);

/// What will be done, a line each.
std::vector<std::string> acts_of(const CeremonyPlan& plan);

/// How its key is kept: "in 5 shares, 3 of which open it".
std::string keeping_of(const PlannedCa& ca);

/// What its certificates will say of those URLs, behind a line.
std::string urls_text(const std::vector<std::string>& crl_urls, const std::vector<std::string>& ca_issuer_urls);

}  // namespace chancery::signer
