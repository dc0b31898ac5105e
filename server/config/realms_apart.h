#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/config/realm_config.h"
#include "server/config/report.h"

namespace chancery::config {

/// Two realms are two PKIs: no directory, database, journal, CA certificate or key of one is the other's, by whatever name:
/// through symbolic links and "..", as a file with two names, or by a directory that is mounted twice. Each realm's paths are
/// looked up once, however many realms there are. Profiles may be shared: nothing is written there.
class RealmsApart {
 public:
  /// Holds the realm against those before it, and reports the first thing that they share at the head of its file.
  void check(const RealmConfig& realm, Report& report);

 private:
  using FileId = std::pair<dev_t, ino_t>;
  /// What a realm has for itself.
  struct Claim {
    std::string realm;
    std::string_view what;
    std::filesystem::path path;  ///< as its realm calls it
    std::filesystem::path real;
    std::optional<FileId> file;  ///< none: it is not there yet
  };
  struct Authority {
    std::string realm;
    std::filesystem::path certificate_file;
    std::filesystem::path key_file;
  };

  static std::vector<Claim> claims_of(const RealmConfig& realm);
  std::optional<std::string> same_place(const Claim& own) const;
  std::optional<std::string> inside_another(const Claim& own) const;
  std::optional<std::string> another_inside(const Claim& directory) const;
  std::optional<std::string> same_authority(const Authority& own) const;
  std::optional<std::string> fault_in(const std::vector<Claim>& own, const Authority& authority) const;

  std::map<std::filesystem::path, Claim> by_path_;  ///< by real path
  std::map<FileId, Claim> by_file_;
  std::vector<Authority> authorities_;
};

}  // namespace chancery::config
