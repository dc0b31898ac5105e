#include "server/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "server/base/bytes.h"

namespace chancery::base {
namespace {

/// A directory that goes with the test.
class Place {
 public:
  Place() : path_(::mkdtemp(name_.data())) {}
  ~Place() { std::filesystem::remove_all(path_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  Path operator/(const char* name) const { return path_ / name; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
  }

 private:
  std::string name_ = "/tmp/chancery-file-XXXXXX";
  Path path_;
};

mode_t kind_of(const Path& path) {
  struct stat there {};
  return ::lstat(path.c_str(), &there) == 0 ? there.st_mode & S_IFMT : 0;
}

TEST(ReplaceFile, D33_MakesAndReplacesWithItsMode) {
  const Place place;
  const auto path = place / "file";
  ASSERT_TRUE(replace_file(path, as_bytes("one"), 0600).ok());
  ASSERT_TRUE(replace_file(path, as_bytes("two"), 0640).ok());
  EXPECT_EQ(read_file(path, 100).value(), "two");
  struct stat there {};
  ASSERT_EQ(::stat(path.c_str(), &there), 0);
  EXPECT_EQ(there.st_mode & 0777, 0640U);
  EXPECT_EQ(place.files(), 1U) << "nothing temporary stays";
}

/// `--out /dev/null`, said by root, once put a file where the device was.
TEST(ReplaceFile, D33_TakesNoPlaceOfADeviceOrPipe) {
  const Place place;
  const auto pipe = place / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto refused = replace_file(pipe, as_bytes("x"), 0600);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::Exists);
  EXPECT_EQ(kind_of(pipe), static_cast<mode_t>(S_IFIFO));
  EXPECT_EQ(place.files(), 1U);
}

TEST(ReplaceFile, D33_RefusesDirectoriesAndWhatHasNone) {
  const Place place;
  ASSERT_TRUE(std::filesystem::create_directory(place / "directory"));
  EXPECT_FALSE(replace_file(place / "directory", as_bytes("x"), 0600).ok());
  EXPECT_FALSE(replace_file(place / "none" / "file", as_bytes("x"), 0600).ok());
  EXPECT_EQ(kind_of(place / "directory"), static_cast<mode_t>(S_IFDIR));
  EXPECT_EQ(place.files(), 1U);
}

TEST(ReadInput, TakesPipesAndStopsAtTheLimit) {
  const Place place;
  const auto pipe = place / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto write_to_pipe = [&] { std::ofstream(pipe) << "12345"; };
  for (const std::size_t limit : {5, 4}) {
    std::thread writer(write_to_pipe);
    const auto read = read_input(pipe, limit);
    writer.join();
    EXPECT_EQ(read.ok(), limit == 5) << limit;
    EXPECT_EQ(read.ok() ? *read : "12345", "12345");
  }
  EXPECT_EQ(read_input("/dev/zero", 100).error().code(), Code::TooLarge);
  EXPECT_EQ(read_input(place / "none", 100).error().code(), Code::NotFound);
  EXPECT_EQ(read_input("/tmp", 100).error().code(), Code::Malformed);
  EXPECT_EQ(read_file("/dev/zero", 100).error().code(), Code::Malformed) << "a server's own files are files";
}

// ----- files begun before their content is there

TEST(ReplaceFile, WritesTheLongestNamesToo) {
  const Place place;
  const auto path = place / std::string(255, 'x').c_str();
  ASSERT_TRUE(replace_file(path, as_bytes("one"), 0600).ok());
  EXPECT_EQ(read_file(path, 10).value(), "one");
  EXPECT_FALSE(replace_file(place / std::string(256, 'x').c_str(), as_bytes("x"), 0600).ok());
}

TEST(PendingFile, LeavesNothingWhenNothingIsWritten) {
  const Place place;
  { ASSERT_TRUE(PendingFile::begin(place / "file", 0600).ok()); }
  EXPECT_EQ(place.files(), 0U);
}

TEST(PendingFile, IsRefusedBeforeTheWorkByTheNameThatWasGiven) {
  const Place place;
  ASSERT_TRUE(replace_file(place / "old", as_bytes("old"), 0600).ok());
  ASSERT_TRUE(std::filesystem::create_directory(place / "directory"));
  std::filesystem::create_symlink("nowhere", place / "link");
  struct Case {
    Path path;
    IfThere if_there;
    Code want;
  };
  const Case kCases[] = {
      {place / "old", IfThere::Refuse, Code::Exists},        {place / "link", IfThere::Refuse, Code::Exists},
      {place / "directory", IfThere::Replace, Code::Exists}, {place / "none" / "file", IfThere::Replace, Code::Io},
      {place / "old" / "file", IfThere::Replace, Code::Io},
  };
  for (const auto& c : kCases) {
    const auto begun = PendingFile::begin(c.path, 0600, c.if_there);
    ASSERT_FALSE(begun.ok()) << c.path;
    EXPECT_EQ(begun.error().code(), c.want) << c.path;
    EXPECT_NE(begun.error().message().find(c.path.string()), std::string::npos) << begun.error().message();
    EXPECT_EQ(begun.error().message().find(".tmp-"), std::string::npos) << begun.error().message();
  }
  EXPECT_EQ(read_file(place / "old", 100).value(), "old");
}

/// Between begin and finish lies a request to a server: who took the name meanwhile keeps it, and the new key is not lost.
TEST(PendingFile, KeepsBothWhenItsPlaceIsTakenMeanwhile) {
  const Place place;
  auto pending = PendingFile::begin(place / "key", 0600, IfThere::Refuse);
  ASSERT_TRUE(pending.ok());
  ASSERT_TRUE(replace_file(place / "key", as_bytes("theirs"), 0600).ok());
  const auto refused = pending->finish(as_bytes("ours"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(read_file(place / "key", 100).value(), "theirs");
  const auto& hint = refused.error().hint();
  EXPECT_EQ(read_file(hint.substr(hint.find('/')), 100).value(), "ours") << hint;
}

}  // namespace
}  // namespace chancery::base
