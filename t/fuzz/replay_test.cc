#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "server/base/file.h"
#include "t/fuzz/target.h"

/// Runs every target over its corpus, without a fuzzer: what was found once stays found.
namespace chancery::fuzz {
namespace {

namespace fs = std::filesystem;
const fs::path kCorpora = fs::path(CHANCERY_SOURCE_DIR) / "t/fuzz/corpus";

std::map<std::string, Run> targets() {
  std::map<std::string, Run> all;
  for (const auto* one = Target::first(); one != nullptr; one = one->next) all.emplace(one->name, one->run);
  return all;
}

class Replay : public testing::TestWithParam<std::pair<const std::string, Run>> {};

TEST_P(Replay, F28_F29_F30_F31_F32_F33_F39_F40_CorpusDoesNoHarm) {
  const auto& [name, run] = GetParam();
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(kCorpora / name)) {
    SCOPED_TRACE(entry.path());
    const auto input = base::read_file(entry.path(), 4U << 20);
    ASSERT_TRUE(input.ok()) << input.error().message();
    run(*input);
    ++files;
  }
  EXPECT_GE(files, 3U) << "a corpus of samples that are read, and of some that are not, belongs in " << kCorpora / name;
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, testing::ValuesIn(targets()), [](const auto& one) { return one.param.first; });

TEST(Corpora, EachBelongsToATarget) {
  std::set<std::string> corpora;
  for (const auto& entry : fs::directory_iterator(kCorpora)) corpora.insert(entry.path().filename().string());
  std::set<std::string> names;
  for (const auto& [name, run] : targets()) names.insert(name);
  EXPECT_EQ(corpora, names);
}

}  // namespace
}  // namespace chancery::fuzz
