#include "server/master/run_server.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "server/base/code_pages.h"
#include "server/base/log.h"
#include "server/base/no_new_code.h"
#include "server/base/process.h"
#include "server/master/activation.h"
#include "server/master/background.h"
#include "server/master/master.h"
#include "server/master/rules_gate.h"
#include "server/master/server_log.h"

namespace chancery::master {
namespace {

/// What every child inherits: private files, no core dumps, no way to more rights (PROMISES D31, D33, D35). And nobody of the
/// same user looks into the master's memory, where the passes are: where there are no <users>, a worker is the same user.
Status limit_rights() {
  ::umask(0077);
  PKI_TRY_VOID(base::forbid_dumps());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return base::io_error("PR_SET_NO_NEW_PRIVS", errno);
  if (::signal(SIGPIPE, SIG_IGN) == SIG_ERR) return base::io_error("SIGPIPE", errno);
  return {};
}

/// Every worker asks who its peer is. What the name service reads and loads at the first question, it inherits from here.
void meet_the_name_service() {
  (void)::getpwuid(::geteuid());
  (void)::getgrgid(::getegid());
}

/// The code goes where all workers share it, and from then on no process of the server can bring in more (PROMISES D34).
void settle_code(base::CodeMove& code) {
  if (const auto moved = code.finish(); !moved.ok()) base::log_info(moved.error().message());
  if (const auto forbidden = base::forbid_new_code(); !forbidden.ok()) base::log_warning(forbidden.error().message());
}

/// That the processes can become whom the configuration names, before the first of them fails at it.
Status check_users(const config::ServerConfig& server) {
  for (const auto* user : {&server.worker_user, &server.signer_user, &server.front_end_user}) {
    if (user->empty()) continue;
    PKI_TRY(const auto account, find_user(*user));
    if (::geteuid() == 0 || account.uid == ::geteuid()) continue;
    return Error(
        Code::Denied,
        "users of chancery.xml names " + *user + ", found a start by uid " + std::to_string(::geteuid()) + ", expected root",
        "start it as root, or leave <users> out");
  }
  return {};
}

Result<Ground> make_ground(const config::ServerConfig& server, base::UniqueFd background) {
  PKI_TRY_VOID(check_users(server));
  PKI_TRY(auto worker, worker_account(server));
  PKI_TRY(auto directory, RunDirectory::enter(server));
  PKI_TRY(auto loop, Loop::create());
  PKI_TRY(auto life, base::make_pipe());
  PKI_TRY(auto board, base::Scoreboard::create(static_cast<std::size_t>(server.limits.max_workers)));
  return Ground{std::move(loop),   std::move(directory), std::move(life), std::move(board), {},
                std::move(worker), std::move(background)};
}

}  // namespace

Status run_server(const std::shared_ptr<const config::Snapshot>& snapshot, bool in_background, base::CodeMove& code) {
  const auto& server = snapshot->server;
  code.wait();
  close_inherited();
  PKI_TRY_VOID(limit_rights());
  base::UniqueFd background;
  if (in_background) {
    PKI_TRY(background, go_to_background());
  }
  base::raise_descriptor_limit();  // a worker without a session has one of the master's
  PKI_TRY(auto ground, make_ground(server, std::move(background)));
  PKI_TRY(auto listener, ground.directory.open_main_socket(server));
  PKI_TRY_VOID(open_server_log(server, "master"));
  // Last of what can fail: rules of a server that never ran are not in force. Who connects meanwhile waits.
  if (const auto admitted = admit_rules(*snapshot, ground.worker ? &*ground.worker : nullptr); !admitted.ok()) {
    ground.directory.leave();
    return admitted;
  }
  if (in_background) PKI_TRY_VOID(leave_terminal(server));
  base::set_title("chanceryd: master");
  meet_the_name_service();
  settle_code(code);
  Master(ground, std::move(listener), snapshot).run();
  ground.directory.leave();
  return {};
}

}  // namespace chancery::master
