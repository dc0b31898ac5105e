#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "server/base/text.h"
#include "server/config/server_context.h"
#include "server/config/setting.h"

namespace chancery::config {
namespace {

namespace fs = std::filesystem;

bool can_be_run(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

/// Looks where the server will. Without places, only what needs none can be told.
void check_program_file(const Context& context, const FrontEnd& front_end, const Node& at) {
  if (front_end.program.empty()) return;  // reported as missing
  const auto& directory = context.server.program_directory;
  const bool is_whole = front_end.program.starts_with('/') || !directory.empty();
  if (is_whole && !can_be_run(directory / front_end.program))
    return context.report.error(at, "found no program that can be run: " + (directory / front_end.program).string());
  if (is_whole || context.program_places.empty()) return;
  std::string looked;
  for (const auto& place : context.program_places) {
    if (can_be_run(place / front_end.program)) return;
    looked += (looked.empty() ? "" : " or ") + place.string();
  }
  context.report.error(at, "found no program " + front_end.program + " that can be run in " + looked + ", expected one there" +
                               suggestion(front_end.program, {"chancery-http", "chancery-notify", "chancery-zmq"}) +
                               ", an absolute path, or the program-directory that has it");
}

void check_vantage_key(const Context& context, const FrontEnd& front_end, const Node& at) {
  if (front_end.vantage_key_file.empty()) return;
  const Node& place = Places::inside(at, "vantage-key-file");
  if (!front_end.asks_vantage_points()) {
    return context.report.error(
        place, "found a key of " + front_end.program + ", expected none: chancery-http is what asks vantage points");
  }
  const FrontEnd* reader = &front_end;
  check_curve_key_file(context, front_end.vantage_key_file, place, {&reader, 1});
}

}  // namespace

void check_front_ends(const Context& context) {
  const auto& list = context.server.front_ends;
  check_names_differ(context, "front-ends", "front-end", list);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Node& at = context.places.item("front-ends", "front-end", i);
    if (!list[i].user.empty() && !user_exists(list[i].user)) {
      context.report.error(Places::inside(at, "user"), "found no user \"" + list[i].user + "\" on this machine");
    }
    check_known_realms(context, list[i].realms, Places::inside(at, "realms"));
    check_vantage_key(context, list[i], at);
    if (list[i].enabled) check_program_file(context, list[i], Places::inside(at, "program"));
  }
}

}  // namespace chancery::config
