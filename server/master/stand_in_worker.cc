#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

#include "server/base/process.h"
#include "server/worker/prompt.h"
#include "server/worker/start.h"

// Stands in for the worker room in chanceryd-stand-in: the master alone, for tests of faults that a real worker does not have
// and for measuring what a connection costs the master. One octet is one request: 'c' crashes, 'h' hangs up, the rest is echoed.
namespace chancery::worker {
namespace {

/// @return whether to go on.
bool answer(const WorkerStart& start, char octet) {
  start.board->begin_request(start.slot);
  if (octet == 'c') std::abort();
  const bool is_written = ::write(start.client.get(), &octet, 1) == 1;
  start.board->set_state(start.slot, base::WorkerState::Idle);
  return is_written && octet != 'h';
}

}  // namespace

int run_worker(WorkerStart start) {
  base::set_title("chanceryd: worker");
  for (;;) {
    pollfd waiting[2] = {{start.client.get(), POLLIN, 0}, {start.life.get(), POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0 || waiting[1].revents != 0) return base::to_int(base::Exit::Ok);
    char octet = 0;
    if (::read(start.client.get(), &octet, 1) != 1 || !answer(start, octet)) return base::to_int(base::Exit::Ok);
  }
}

int run_upkeep(UpkeepStart start) {
  base::set_title("chanceryd: upkeep");
  pollfd waiting{start.life.get(), POLLIN, 0};
  ::poll(&waiting, 1, -1);
  return base::to_int(base::Exit::Ok);
}

KeymakerPart keymaker_part(const config::Snapshot&) { return {}; }
int run_keymaker(KeymakerStart) { return base::to_int(base::Exit::Ok); }

std::vector<config::KnownCommand> known_commands() { return {}; }
std::vector<config::FailedPolicyTest> failed_policy_tests(const config::RealmConfig& /*realm*/) { return {}; }

Status check_store(const config::RealmConfig&) { return {}; }
Status check_rules(const config::RealmConfig&) { return {}; }
Status admit_rules(const config::Snapshot&) { return {}; }

std::string front_end_settings(const config::Snapshot&, const config::FrontEnd& front_end) {
  return R"({"front_end":")" + front_end.name + "\"}";
}

std::string refusal_line(Code code, std::string_view message) {
  return std::string(base::describe(code).text) + " " + std::string(message) + "\n";
}

int run_prompt(const PromptStart& /*start*/) { return base::to_int(base::Exit::Ok); }

bool is_asked_for(const config::RealmConfig& /*realm*/) { return false; }

}  // namespace chancery::worker
