#include <gtest/gtest.h>

#include "server/base/text.h"
#include "server/config/realm_settings.h"
#include "server/config/testing.h"

/// C28, F11: a table of configurations that do not hold, with every line that is said about each.
namespace chancery::config {
namespace {

struct Case {
  const char* name;
  const char* file;
  std::string content;
  std::vector<std::string> want;
};

constexpr const char* kXml = "chancery.xml";
constexpr const char* kRealm = "realms/default/ca.config.yml";
constexpr const char* kProfile = "realms/default/profiles/extra.yml";

/// A chancery.xml with that inside; the body starts on line 3.
std::string server(const std::string& body) {
  return "<chancery run-directory=\"run\">\n  <realms directory=\"realms\"/>\n" + body + "</chancery>\n";
}
/// A ca.config.yml; the body starts on line 2.
std::string realm(const std::string& body) { return "key_unencrypted: true\n" + body; }
/// A profile; the body starts on line 2.
std::string profile(const std::string& body) { return "keyUsage: [digitalSignature]\n" + body; }

/// What a ca.config.yml may have.
std::string realm_names() { return base::join(realm_setting_names(), ", "); }

const Case kCases[] = {
#include "server/config/bad_config_cases.inc"
};

TEST(BadConfig, C28_EveryFindingNamesItsPlace) {
  for (const auto& one : kCases) {
    const testing::Place place;
    place.write(one.file, one.content);
    const auto loaded = place.load();
    EXPECT_EQ(place.lines(loaded.findings), one.want) << one.name;
    EXPECT_EQ(loaded.snapshot == nullptr, has_errors(loaded.findings)) << one.name;
  }
}

}  // namespace
}  // namespace chancery::config
