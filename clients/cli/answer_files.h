#pragma once

#include <optional>
#include <string>

#include "server/base/file.h"
#include "server/wire/commands.h"

/// What --out and --key-out write.
namespace chancery::cli {

struct FileNames {
  std::string out;      ///< empty: not asked for
  std::string key_out;  ///< the same
};

/// The files, begun before anything is asked of the server: a certificate whose key found no place would be of no use.
struct AnswerFiles {
  std::optional<base::PendingFile> out;
  std::optional<base::PendingFile> key_out;  ///< mode 0600, never over anything that is there
};

/// @errors InvalidParams: both names are one file; Exists: the key's file is there, or --out would replace a private key; Io.
Result<AnswerFiles> begin_files(const FileNames& names);

/// That the command's answer has what the names ask for. @errors InvalidParams.
Status check_gives(const wire::Command& command, const Json& params, const FileNames& names);

/// Takes the private key out of the answer, whether its file could be written or not, and the PEM of --out unless `keep_pem`.
Status write_answer(AnswerFiles& files, const FileNames& names, Json& answer, bool keep_pem);

}  // namespace chancery::cli
