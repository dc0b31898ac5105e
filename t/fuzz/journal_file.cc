#include <sys/types.h>
#include <unistd.h>

#include <filesystem>

#include "server/signer/journal_file.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

/// One file of this process, which is gone with it.
class Scratch {
 public:
  Scratch() : name_((std::filesystem::temp_directory_path() / "fuzz-journal-XXXXXX").string()), fd_(::mkstemp(name_.data())) {
    fuzz::hold(static_cast<bool>(fd_));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { ::unlink(name_.c_str()); }
  const std::string& fill(std::string_view content) const {
    fuzz::hold(::ftruncate(fd_.get(), 0) == 0);
    fuzz::hold(::pwrite(fd_.get(), content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()));
    return name_;
  }

 private:
  std::string name_;
  base::UniqueFd fd_;
};

}  // namespace

/// A signer's journal as it lies on the disk. Whatever is in the file, its records lie one behind the other within it.
FUZZ_TARGET(journal_file) {
  static const Scratch scratch;
  std::uint64_t next = 0;
  const auto visit = [&](std::uint64_t offset, std::string_view body) -> Status {
    fuzz::hold(offset >= next && offset + body.size() <= input.size());
    next = offset + body.size();
    return {};
  };
  static_cast<void>(signer::JournalFile::scan(scratch.fill(input), visit).ok());
}
