#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "server/base/bytes.h"
#include "server/base/fd.h"

namespace chancery::base {

using Path = std::filesystem::path;

/// Reads a whole regular file. @errors Io; NotFound; TooLarge: more than max_bytes; Malformed: not a regular file.
Result<std::string> read_file(const Path& path, std::size_t max_bytes);

/// Like read_file, for what a person names on a command line: a pipe, such as a shell's <(...), or a terminal is read to its end.
/// @errors those of read_file; Malformed: a directory.
Result<std::string> read_input(const Path& path, std::size_t max_bytes);

/// Like read_file, for keys and passphrases: refuses symbolic links and files that group or others can reach, or that belong
/// to somebody else than root or this process (PROMISES D33). @errors also Denied.
Result<SecretBytes> read_secret_file(const Path& path, std::size_t max_bytes);

/// Replaces the file or leaves it as it was: temporary file, fsync, rename, fsync of the directory (PROMISES D33).
/// @errors Exists: a device, pipe or socket is there, which no file may take the place of; Io.
Status replace_file(const Path& path, ByteView content, mode_t mode);

/// What a new file does where one is already.
enum class IfThere { Replace, Refuse };

/// A file that will be there whole or not at all. Whatever keeps it from being written shows at `begin`, before the work whose
/// result it takes.
class PendingFile {
 public:
  /// Makes an empty temporary file beside `path`, which goes with this object.
  /// @errors Exists: a directory, device, pipe or socket is there, or with Refuse anything; Io.
  static Result<PendingFile> begin(const Path& path, mode_t mode, IfThere if_there = IfThere::Replace);
  PendingFile(PendingFile&& other) noexcept;
  PendingFile(const PendingFile&) = delete;
  ~PendingFile();

  /// Writes, flushes and puts the file in its place, once. Under Refuse, content that found its place taken meanwhile is kept in
  /// the temporary file, which the hint names: it may be the only copy of a key. @errors Exists, Io.
  Status finish(ByteView content);

 private:
  PendingFile(Path path, Path temporary, UniqueFd fd, IfThere if_there);
  Status put_in_place();

  Path path_;
  Path temporary_;  ///< empty once it is not ours to delete
  UniqueFd fd_;
  IfThere if_there_;
};

/// Makes the directory and its missing parents. @errors Io.
Status make_directories(const Path& path, mode_t mode);

/// Flushes a directory's entries, so that a rename or a new file in it is durable. @errors Io.
Status sync_directory(const Path& path);

/// Holds an exclusive lock on a file for as long as it lives; `content` is written into it (a pid, say).
/// @errors Busy: another process holds it, its content is in the message; Io.
Result<UniqueFd> lock_file(const Path& path, std::string_view content);

}  // namespace chancery::base
