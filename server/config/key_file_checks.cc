#include <sys/stat.h>

#include "server/base/file.h"
#include "server/base/text.h"
#include "server/base/user.h"
#include "server/base/z85.h"
#include "server/config/server_context.h"

namespace chancery::config {
namespace {

/// Nobody but its owner reads a file of mode 0600.
void check_owner(const Context& context, const base::Path& file, const Node& at, std::span<const FrontEnd* const> readers) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return;
  for (const auto* one : readers) {
    const auto user = base::find_user(context.server.user_of(*one));
    if (!user || user->uid == 0 || user->uid == found.st_uid) continue;
    return context.report.error(at, "found owner uid " + std::to_string(found.st_uid) + ", expected user " + user->name +
                                        ", whom front end " + one->name + " runs as and who has to read it (chown " + user->name +
                                        " " + file.string() + ")");
  }
}

void check_text(const base::Path& file, const Node& at, Report& report) {
  constexpr std::size_t kMostOctets = 256;
  const auto text = base::read_file(file, kMostOctets);
  if (!text.ok() && text.error().code() == Code::Denied) return;  // another user's, who reads it
  if (text.ok() && base::is_curve_key(base::trim(*text))) return;
  report.error(
      at, "found no CURVE key in " + file.string() +
              ", expected the 40 characters of Z85 of a secret one and nothing else (chancery zmq-key --out FILE makes one)");
}

}  // namespace

void check_curve_key_file(const Context& context, const std::filesystem::path& file, const Node& at,
                          std::span<const FrontEnd* const> readers) {
  check_secret_file(file, {file.parent_path()}, at, context.report);
  if (context.report.has_reported(at)) return;
  check_text(file, at, context.report);
  check_owner(context, file, at, readers);
}

}  // namespace chancery::config
