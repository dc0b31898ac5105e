#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/base/result.h"

/// The record of a ceremony: a text that people sign, of what was done and of every file that it left.
namespace chancery::signer {

inline constexpr const char* kTranscriptFile = "transcript.txt";
inline constexpr const char* kPlanFile = "plan.yml";
inline constexpr const char* kSharesDirectory = "shares";  ///< whose files are given away, and need not be there any more

/// One file of a ceremony.
struct ListedFile {
  std::string path;    ///< relative to the ceremony's directory
  std::string sha256;  ///< hex
  unsigned mode = 0;

  bool operator==(const ListedFile&) const = default;
};

/// A transcript while it is written.
class Transcript {
 public:
  /// What holds for the whole of it, above its acts.
  void head(std::string_view name, std::string_view value);
  void act(Seconds at, std::string_view what);
  std::string text(const std::vector<ListedFile>& files) const;

 private:
  std::string head_ = "Chancery ceremony transcript 1\n";
  std::string acts_;
};

/// Every file below a directory but the transcript itself, by name. @errors BadConfig: a link, or what is neither file nor
/// directory; TooLarge, Io.
Result<std::vector<ListedFile>> list_files(const base::Path& directory);

/// What a transcript says.
struct ReadTranscript {
  std::string plan_sha256;
  std::vector<ListedFile> files;
};
/// @errors Malformed: no transcript.
Result<ReadTranscript> parse_transcript(std::string_view text);

/// Holds what is there of a realm of the ceremony, and whatever else is there, against the list: nothing of the realm is missing,
/// nothing is there that is not listed, and nothing has changed. @errors BadProof: says which file.
Status check_files(const std::vector<ListedFile>& listed, const std::vector<ListedFile>& found, const std::string& realm);

}  // namespace chancery::signer
