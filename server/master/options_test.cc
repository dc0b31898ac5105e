#include "server/master/options.h"

#include <gtest/gtest.h>

#include <vector>

namespace chancery::master {
namespace {

Result<Options> parse(std::vector<std::string> texts) {
  std::vector<char*> arguments;
  for (auto& text : texts) arguments.push_back(text.data());
  return parse_options(arguments);
}

TEST(Options, ReadsWhatThereIs) {
  struct Case {
    const char* name;
    std::vector<std::string> arguments;
    Options want;
  };
  const Case cases[] = {
      {"nothing", {}, {}},
      {"config", {"--config", "a.xml"}, {.config = "a.xml"}},
      {"config with =", {"--config=a=b.xml"}, {.config = "a=b.xml"}},
      {"check", {"--check", "--config", "x"}, {.task = Task::Check, .config = "x"}},
      {"diff", {"--check", "--diff", "old.xml", "new.xml"}, {.task = Task::Check, .config = "new.xml", .before = "old.xml"}},
      {"print", {"--print-config"}, {.task = Task::PrintConfig}},
      {"daemon", {"--daemon"}, {.daemon = true}},
      {"the last of two wins", {"--daemon", "--foreground"}, {}},
      {"help", {"--help"}, {.task = Task::Help}},
  };
  for (const auto& c : cases) {
    const auto options = parse(c.arguments);
    ASSERT_TRUE(options.ok()) << c.name;
    EXPECT_EQ(*options, c.want) << c.name;
  }
}

TEST(Options, RefusesTheRest) {
  struct Case {
    std::vector<std::string> arguments;
    const char* message;
  };
  const Case cases[] = {
      {{"--chek"}, "unknown option \"--chek\" (did you mean --check?)"},
      {{"file.xml"}, "unknown option \"file.xml\" (chanceryd --help lists the options)"},
      {{"-c"}, "unknown option \"-c\" (chanceryd --help lists the options)"},
      {{""}, "unknown option \"\" (chanceryd --help lists the options)"},
      {{"--config"}, "--config needs a value: FILE"},
      {{"--config="}, "--config needs a value: FILE"},
      {{"--check", "--diff"}, "--diff needs a value: OLD NEW"},
      {{"--check", "--diff", "old.xml"}, "--diff needs two values: OLD NEW"},
      {{"--diff", "old.xml", "new.xml"}, "--diff goes with --check"},
      {{"--check=yes"}, "--check takes no value"},
      {{"--check", "--print-config"}, "--print-config: one task at a time"},
  };
  for (const auto& c : cases) {
    const auto options = parse(c.arguments);
    ASSERT_FALSE(options.ok()) << c.message;
    EXPECT_EQ(options.error().code(), Code::InvalidParams);
    EXPECT_EQ(base::to_line(options.error()), c.message);
  }
}

TEST(Options, HelpNamesEveryOption) {
  for (const auto* name : {"--config FILE", "--check", "--print-config", "--foreground", "--daemon", "--version", "--help"}) {
    EXPECT_NE(usage().find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace chancery::master
