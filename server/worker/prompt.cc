#include "server/worker/prompt.h"

#include <termios.h>
#include <unistd.h>

#include <csignal>

#include "server/base/process.h"
#include "server/base/terminal.h"
#include "server/worker/conversation.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kMaxSecret = 1024;

termios shown;  ///< the terminal as it was found; a signal may come while it hides what is typed

/// tcsetattr and _exit are among what a handler may call (signal-safety(7)).
extern "C" void give_terminal_back(int number) {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &shown);
  ::_exit(128 + number);
}

bool keep_terminal() {
  if (::tcgetattr(STDIN_FILENO, &shown) != 0) return false;
  for (const int number : {SIGINT, SIGTERM, SIGQUIT, SIGHUP}) {
    if (::signal(number, give_terminal_back) == SIG_ERR) return false;
  }
  // Not by SIGKILL, which leaves the terminal as it is.
  return base::die_with_parent(::getppid(), SIGTERM).ok();
}

void say(const std::string& line) { (void)base::write_all(STDERR_FILENO, base::as_bytes(line + "\n")); }

/// Until it is open, or whoever sits there has enough. @errors what was answered.
Status open_realm(const std::string& socket, const std::string& realm) {
  PKI_TRY(auto talk, Conversation::begin(socket));
  PKI_TRY([[maybe_unused]] const auto opened, talk.call("session.open", Json::object({{"realm", realm}})));
  PKI_TRY(const auto status, talk.call("secret.status", Json::object()));
  if (status.text("state") == "open") return {};
  for (;;) {
    PKI_TRY(const auto secret,
            base::ask_secret("Passphrase of realm " + realm + " (an empty line leaves it locked): ", kMaxSecret));
    const auto entered = talk.call("secret.enter", Json::object({{"secret", base::as_text(secret.view())}}));
    if (entered.ok()) return {};
    say(base::to_line(entered.error()));
    if (talk.is_broken() || entered.error().code() == Code::Busy) return entered.error();
  }
}

}  // namespace

int run_prompt(const PromptStart& start) {
  base::set_title("chanceryd: prompt");
  if (!keep_terminal()) return base::to_int(base::Exit::Unavailable);
  for (const auto& realm : start.snapshot->realms) {
    if (!is_asked_for(*realm)) continue;
    const auto& name = realm->name.text();
    const auto done = open_realm(start.snapshot->server.socket_file().string(), name);
    say(done.ok() ? "realm " + name + " is open"
                  : "realm " + name + " stays locked: " + done.error().message() + " (chancery --realm " + name +
                        " realm unlock opens it)");
  }
  return base::to_int(base::Exit::Ok);
}

bool is_asked_for(const config::RealmConfig& realm) { return realm.keys.secret.method == "prompt"; }

}  // namespace chancery::worker
