#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/load.h"
#include "server/config/realm_settings.h"
#include "server/config/server_settings.h"

/// A configuration in a directory of its own: what the tests of this room share.
namespace chancery::config::testing {

inline constexpr std::string_view kGoodXml = R"(<chancery run-directory="run">
  <realms directory="realms"/>
</chancery>
)";
inline constexpr std::string_view kGoodRealm = "key_unencrypted: true\n";

class Place {
 public:
  Place() {
    std::string name = (std::filesystem::temp_directory_path() / "config-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) directory_ = name;
    write("chancery.xml", kGoodXml);
    write("realms/default/ca.config.yml", kGoodRealm);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { std::filesystem::remove_all(directory_); }

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path operator/(std::string_view name) const { return directory_ / name; }

  void write(std::string_view name, std::string_view content, mode_t mode = 0600) const {
    const auto file = directory_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    ASSERT_EQ(::chmod(file.c_str(), mode), 0) << file;
  }

  Loaded load() const { return config::load(directory_ / "chancery.xml"); }

  /// The findings as lines, without the directory's name.
  std::vector<std::string> lines(const std::vector<Finding>& findings) const {
    std::vector<std::string> out;
    for (const auto& finding : findings) {
      auto line = to_line(finding);
      const auto prefix = directory_.string() + "/";
      for (auto at = line.find(prefix); at != std::string::npos; at = line.find(prefix)) line.erase(at, prefix.size());
      out.push_back(std::move(line));
    }
    return out;
  }
  std::vector<std::string> findings() const { return lines(load().findings); }

 private:
  std::filesystem::path directory_;
};

inline ProfileName profile_name(std::string_view text) { return ProfileName::parse(text).value(); }
inline RealmConfig new_realm() { return RealmConfig(RealmName::parse("default").value()); }

inline std::string lines(const std::vector<Finding>& findings) {
  std::string out;
  for (const auto& finding : findings) out += to_line(finding) + "\n";
  return out;
}

inline ServerConfig server_from(const std::string& xml, std::vector<Finding>& findings) {
  Report report("printed", findings);
  const auto root = parse_xml(xml, report);
  return root ? read_server(*root, report) : ServerConfig();
}

inline RealmConfig realm_from(const std::string& yaml, RealmConfig base, std::vector<Finding>& findings) {
  Report report("built-in", findings);  // so that origins are equal
  const auto root = parse_yaml(yaml, report);
  return root ? read_realm(*root, std::move(base), report) : new_realm();
}

}  // namespace chancery::config::testing
