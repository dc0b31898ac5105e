#include "server/master/check.h"

#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "server/base/process.h"
#include "server/base/user.h"
#include "server/config/diff.h"
#include "server/config/load.h"
#include "server/master/configuration.h"
#include "server/master/recipes.h"
#include "server/master/spawn.h"
#include "server/worker/start.h"

namespace chancery::master {
namespace {

void print(const std::string& line) { std::fputs((line + "\n").c_str(), stdout); }

/// Runs to its end; its lines go where ours go.
Result<int> run(const Command& command) {
  std::fflush(stdout);
  PKI_TRY(const pid_t pid, spawn(command));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return base::io_error("waitpid", errno);
  }
  return status;
}

/// What only the one program that may open the realm's key can say. @return whether all of it holds.
bool check_realm(const config::ServerConfig& server, const config::ReadRealm& read) {
  const auto place = "realm " + read.realm->name.text() + ": ";
  const auto command = signer_check(server, read);
  const auto status = command.ok() ? run(*command) : Result<int>(command.error());
  if (!status.ok()) {
    print(place + base::to_line(status.error()));
    return false;
  }
  if (*status == 0) return true;
  if (!WIFEXITED(*status) || WEXITSTATUS(*status) != base::to_int(base::Exit::Config)) {
    print(place + "the signer's check ended: " + base::describe_exit(*status));
  }
  return false;
}

bool check_store(const config::RealmConfig& realm) {
  auto status = worker::check_store(realm);
  if (status.ok()) status = worker::check_rules(realm);
  if (!status.ok()) print("realm " + realm.name.text() + ": " + base::to_line(status.error()));
  return status.ok();
}

/// Where there is no directory, or no such user, that is said already and nothing else can be found.
bool may_ask_signers(const config::ServerConfig& server, const config::RealmConfig& realm) {
  std::error_code ignored;
  return std::filesystem::is_directory(realm.directory, ignored) &&
         (server.signer_user.empty() || base::find_user(server.signer_user));
}

config::Loaded load(const std::filesystem::path& chancery_xml) {
  auto loaded = load_configuration(chancery_xml);
  for (const auto& finding : loaded.findings) print(config::to_line(finding));
  return loaded;
}

int check(const std::filesystem::path& chancery_xml, const config::Loaded& loaded) {
  bool holds = loaded.snapshot != nullptr;
  for (const auto& read : loaded.realms) {
    if (may_ask_signers(*loaded.server, *read.realm)) holds = check_realm(*loaded.server, read) && holds;
    if (read.holds) holds = check_store(*read.realm) && holds;
  }
  if (holds)
    print(chancery_xml.string() + ": the configuration holds, realms: " + std::to_string(loaded.snapshot->realms.size()));
  return base::to_int(holds ? base::Exit::Ok : base::Exit::Config);
}

}  // namespace

int check(const std::filesystem::path& chancery_xml) { return check(chancery_xml, load(chancery_xml)); }

int check_change(const std::filesystem::path& before, const std::filesystem::path& after) {
  const auto old_one = load(before);
  const auto new_one = load(after);
  const int status = check(after, new_one);
  if (!old_one.snapshot || !new_one.snapshot) return base::to_int(base::Exit::Config);
  const auto lines = config::differences(*old_one.snapshot, *new_one.snapshot);
  for (const auto& line : lines) print(line);
  if (lines.empty()) print("nothing changes");
  return status;
}

}  // namespace chancery::master
