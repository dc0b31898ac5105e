#include "server/worker/confine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "server/base/landlock.h"

namespace chancery::worker {
namespace {

/// Two realms in a directory of their own, with files where a worker might look.
class Place {
 public:
  Place() {
    std::string name = (std::filesystem::temp_directory_path() / "confine-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) directory_ = name;
    for (const auto* realm : {"one", "two"}) {
      for (const auto* part : {"db", "nodes", "journal"}) std::filesystem::create_directories(directory_ / realm / part);
      for (const auto* file : {"ca.key", "ca.crt", "passphrase", "journal/journal.log", "db/realm.db", "seed"})
        std::ofstream(directory_ / realm / file) << "x";
    }
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { std::filesystem::remove_all(directory_); }

  /// What open says, errno or 0, in a process that is confined to realm one.
  int opened(const std::string& file, int flags) const {
    const pid_t pid = ::fork();
    if (pid == 0) {
      config::RealmConfig realm(RealmName::parse("one").value());
      realm.directory = directory_ / "one";
      realm.seed_file = (directory_ / "one" / "seed").string();
      confine_to_realm(realm, config::ServerConfig());
      const int fd = ::open((directory_ / file).c_str(), flags, 0600);
      ::_exit(fd >= 0 ? 0 : errno);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  std::filesystem::path directory_;
};

TEST(Confine, C22_AWorkerReachesNoKeyAndNoOtherRealm) {
  if (!base::Landlock().is_there()) GTEST_SKIP() << "this kernel has no Landlock";
  struct Case {
    const char* file;
    int flags;
    int want;
  };
  const Case cases[] = {
      {"one/db/realm.db", O_RDWR, 0},
      {"one/db/realm.db-wal", O_RDWR | O_CREAT, 0},
      {"one/nodes/new", O_RDWR | O_CREAT, 0},
      {"one/ca.crt", O_RDONLY, 0},
      {"one/seed", O_RDONLY, 0},
      {"/etc/passwd", O_RDONLY, 0},
      {"one/ca.key", O_RDONLY, EACCES},
      {"one/ca.key", O_WRONLY | O_TRUNC, EACCES},
      {"one/passphrase", O_RDONLY, EACCES},
      {"one/journal/journal.log", O_RDONLY, EACCES},
      {"one/journal/journal.log", O_WRONLY | O_APPEND, EACCES},
      {"one/journal/new", O_WRONLY | O_CREAT, EACCES},
      {"one/ca.crt", O_WRONLY, EACCES},
      {"one/new", O_WRONLY | O_CREAT, EACCES},
      {"two/ca.crt", O_RDONLY, EACCES},
      {"two/ca.key", O_RDONLY, EACCES},
      {"two/db/realm.db", O_RDWR, EACCES},
      {"two/seed", O_RDONLY, EACCES},
      {"two", O_RDONLY | O_DIRECTORY, EACCES},
      {"new", O_WRONLY | O_CREAT, EACCES},
      {"/etc/chancery-test", O_WRONLY | O_CREAT, EACCES},
  };
  for (const auto& one : cases) {
    const Place place;
    EXPECT_EQ(place.opened(one.file, one.flags), one.want) << one.file << " " << one.flags;
  }
}

}  // namespace
}  // namespace chancery::worker
