#include "server/worker/stop_signal.h"

#include <initializer_list>

namespace chancery::worker {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

void on_stop(int /*signal*/) { stop_asked = 1; }

}  // namespace

StopSignal::StopSignal() {
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &waiting_mask_);
  ::sigdelset(&waiting_mask_, SIGTERM);
  struct sigaction action {};
  action.sa_handler = on_stop;
  ::sigaction(SIGTERM, &action, nullptr);
  for (const int ignored : {SIGPIPE, SIGHUP, SIGINT}) ::signal(ignored, SIG_IGN);
}

bool StopSignal::asked() { return stop_asked != 0; }

}  // namespace chancery::worker
