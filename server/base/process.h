#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "server/base/result.h"

namespace chancery::base {

/// Exit statuses are a vocabulary (sysexits.h): what the master and systemd read from a dead child.
enum class Exit : int {
  Ok = 0,
  Usage = 64,
  Unavailable = 69,
  Software = 70,  ///< Bug
  Os = 71,
  Io = 74,
  Temporary = 75,
  NoPermission = 77,
  Config = 78,  ///< never restarted: it would fail again
};
constexpr int to_int(Exit status) { return static_cast<int>(status); }
/// "configuration (78)" for log lines.
std::string describe_exit(int wait_status);

/// Executes the program once more, as the same process, with every symbol that its libraries take from each other looked up at
/// once (LD_BIND_NOW, ld.so(8)). Else each forked worker looks up the same ones again, and copies the pages that the answers
/// are written to. Call before anything is opened; where it cannot be done, nothing happens.
void bind_symbols(char** argv);

/// Remembers where argv and the environment lie, so that set_title can use their room. Call first in main.
void remember_arguments(int argc, char** argv);
/// What ps shows: "chanceryd: worker default alice".
void set_title(std::string_view title);

/// The process gets `signal` when its parent dies; refuses when the parent is dead already. @errors Closed.
Status die_with_parent(pid_t parent, int signal);

/// No core dumps, not traceable by others of the same uid (PROMISES D35, D36). @errors Io.
Status forbid_dumps();

/// As many descriptors as the system lets the process have, for whoever holds one or more for each worker or client.
void raise_descriptor_limit();

/// This thread gives way to others from here on: a batch job (sched(7)) that gets, at 10, about a tenth of what another one gets
/// which wants the processor at the same time, at 3 a third, and that one gets it at once. There is no way back. Never fails:
/// whoever may not is no faster for it.
void give_way(int nice = 10);

/// What this machine's kernel says of this process's memory: proportional set size in octets, 0 when unknown.
std::size_t proportional_set_size();

}  // namespace chancery::base
