#include "server/master/recipes.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "server/worker/start.h"

namespace chancery::master {
namespace {

using SnapshotPtr = std::shared_ptr<const config::Snapshot>;

constexpr const char* kSignerProgram = "chancery-signer";

// The numbers under which programs find what they were given.
constexpr int kSignerListen = 3;
constexpr int kSignerReady = 4;
constexpr int kSignerLife = 5;
constexpr int kSignerPass = 6;
constexpr int kFrontEndConfig = 3;
constexpr int kFrontEndLife = 4;

// What the service manager told the master is nobody else's; credentials are the signers' alone (PROMISES D37).
const std::vector<std::string> kMastersVariables{"NOTIFY_SOCKET", "WATCHDOG_USEC",  "WATCHDOG_PID", "LISTEN_FDS",
                                                 "LISTEN_PID",    "LISTEN_FDNAMES", "MAINPID"};
const std::string kCredentials = "CREDENTIALS_DIRECTORY";

std::vector<std::string> with_credentials(std::vector<std::string> names) {
  names.push_back(kCredentials);
  return names;
}

/// Memory that holds these texts, one after another, to be read as a file. It is the only copy that is made of them.
Result<base::UniqueFd> text_file(const std::vector<std::string_view>& parts) {
  base::UniqueFd file(::memfd_create("settings", MFD_CLOEXEC));
  if (!file) return base::io_error("memfd_create", errno);
  for (const auto part : parts) PKI_TRY_VOID(base::write_all(file.get(), base::as_bytes(part)));
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return base::io_error("lseek", errno);
  return file;
}

Result<Started> start_signer(const SnapshotPtr& snapshot, const config::RealmConfig& realm, const Shared& shared) {
  const auto& server = snapshot->server;
  PKI_TRY(const auto program, find_program(kSignerProgram, server.program_directory));
  PKI_TRY(const int listener, shared.directory->open_signer_socket(server, realm.name));
  PKI_TRY(auto ready, base::make_pipe());
  PKI_TRY(const auto pass_text, shared.passes->signers.make(realm.name));
  PKI_TRY(const auto pass, text_file({base::as_text(pass_text)}));
  const auto asker = std::to_string(shared.worker != nullptr ? shared.worker->uid : ::geteuid());
  PKI_TRY(const pid_t pid,
          spawn({.program = program,
                 .arguments = {"serve", "--realm", realm.name.text(), "--directory", realm.directory.string(), "--listen-fd",
                               std::to_string(kSignerListen), "--ready-fd", std::to_string(kSignerReady), "--life-fd",
                               std::to_string(kSignerLife), "--pass-fd", std::to_string(kSignerPass), "--worker-uid", asker,
                               "--log", server.inherited_log(), "--log-level", server.log_level},
                 .descriptors = {{kSignerListen, listener},
                                 {kSignerReady, ready.write.get()},
                                 {kSignerLife, shared.life},
                                 {kSignerPass, pass.get()}},
                 .user = server.signer_user,
                 .unset = kMastersVariables}));
  return Started{pid, std::move(ready.read)};
}

Result<Started> start_upkeep(const SnapshotPtr& snapshot, const Shared& shared) {
  const int keep[] = {shared.life};
  PKI_TRY(const pid_t pid, fork_child(keep, shared.worker, [&] {
            return worker::run_upkeep({.life = base::UniqueFd(shared.life), .snapshot = snapshot, .board = shared.board});
          }));
  return Started{pid, {}};
}

/// What workers show the keymaker: "REALM PASS" lines.
Result<base::UniqueFd> key_passes(const std::vector<RealmName>& realms, PassBook& book) {
  std::vector<std::string_view> parts;
  for (const auto& realm : realms) {
    PKI_TRY(const auto pass, book.make(realm));
    parts.insert(parts.end(), {realm.text(), " ", base::as_text(pass), "\n"});
  }
  return text_file(parts);
}

Result<Started> start_keymaker(const SnapshotPtr& snapshot, const std::vector<RealmName>& realms, const Shared& shared) {
  PKI_TRY(const int listener, shared.directory->open_keymaker_socket(snapshot->server));
  PKI_TRY(auto passes, key_passes(realms, shared.passes->keymaker));
  const int keep[] = {shared.life, listener, passes.get()};
  PKI_TRY(const pid_t pid, fork_child(keep, shared.worker, [&] {
            return worker::run_keymaker({.life = base::UniqueFd(shared.life),
                                         .listener = listener,
                                         .passes = std::move(passes),
                                         .snapshot = snapshot,
                                         .board = shared.board});
          }));
  return Started{pid, {}};
}

Result<Started> start_front_end(const config::ServerConfig& server, const config::FrontEnd& front_end,
                                const std::string& settings, const Shared& shared) {
  PKI_TRY(const auto program, find_program(front_end.program, server.program_directory));
  PKI_TRY_VOID(shared.directory->make_front_end_directory(front_end.name, server.user_of(front_end)));
  PKI_TRY(const auto config, text_file({settings}));
  PKI_TRY(const pid_t pid,
          spawn({.program = program,
                 .arguments = {"--config-fd", std::to_string(kFrontEndConfig), "--life-fd", std::to_string(kFrontEndLife)},
                 .descriptors = {{kFrontEndConfig, config.get()}, {kFrontEndLife, shared.life}},
                 .user = server.user_of(front_end),
                 .unset = with_credentials(kMastersVariables)}));
  return Started{pid, {}};
}

Wanted signer(const SnapshotPtr& snapshot, const std::shared_ptr<const config::RealmConfig>& realm, const Shared& shared) {
  return {.kind = Kind::Signer,
          .name = realm->name.text(),
          .settings = realm->directory.string(),  // what else is in there it reads again at SIGHUP
          .start = [=] { return start_signer(snapshot, *realm, shared); }};
}

Wanted front_end_of(const SnapshotPtr& snapshot, const config::FrontEnd& front_end, const Shared& shared) {
  auto settings = worker::front_end_settings(*snapshot, front_end);
  return {.kind = Kind::FrontEnd,
          .name = front_end.name,
          .settings = front_end.program + "\n" + snapshot->server.user_of(front_end) + "\n" + settings,
          .start = [=] { return start_front_end(snapshot->server, front_end, settings, shared); }};
}

}  // namespace

std::vector<Wanted> recipes(const SnapshotPtr& snapshot, const Shared& shared) {
  std::vector<Wanted> wanted;
  for (const auto& realm : snapshot->realms) wanted.push_back(signer(snapshot, realm, shared));
  wanted.push_back({.kind = Kind::Upkeep, .name = {}, .settings = {}, .start = [=] { return start_upkeep(snapshot, shared); }});
  const auto keys = worker::keymaker_part(*snapshot);
  if (!keys.settings.empty()) {
    wanted.push_back({.kind = Kind::Keymaker, .name = {}, .settings = keys.settings, .start = [=] {
                        return start_keymaker(snapshot, keys.realms, shared);
                      }});
  }
  for (const auto& front_end : snapshot->server.front_ends) {
    if (front_end.enabled) wanted.push_back(front_end_of(snapshot, front_end, shared));
  }
  return wanted;
}

Result<Command> signer_check(const config::ServerConfig& server, const config::ReadRealm& read) {
  PKI_TRY(const auto program, find_program(kSignerProgram, server.program_directory));
  const auto& realm = *read.realm;
  return Command{.program = program,
                 .arguments = {"check", "--realm", realm.name.text(), "--directory", realm.directory.string(), "--settings",
                               read.holds ? "good" : "bad"},
                 .descriptors = {},
                 .user = server.signer_user,
                 .unset = kMastersVariables};
}

}  // namespace chancery::master
