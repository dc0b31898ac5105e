#include "server/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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

}  // namespace
}  // namespace chancery::base
