#include "server/master/rules_gate.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "server/base/file.h"
#include "server/master/spawn.h"
#include "server/worker/start.h"

namespace chancery::master {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLimit{20};
constexpr std::size_t kMostAnswer = 65536;

/// The error's message and hint, a line feed between; nothing: there is none.
void tell(int answer, const Status& status) {
  if (status.ok()) return;
  const auto text = std::string(1, status.error().code() == Code::BadConfig ? 'c' : 'o') + status.error().message() + "\n" +
                    status.error().hint();
  (void)base::write_all(answer, base::as_bytes(std::string_view(text).substr(0, kMostAnswer)));
}

/// Everything until the other end is closed. @errors Timeout, Io.
Result<std::string> read_answer(int from) {
  const auto end = Clock::now() + kLimit;
  std::string answer;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd waiting{from, POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return base::io_error("poll", errno);
    if (ready == 0) return Error(Code::Timeout, "the stores do not say within " + std::to_string(kLimit.count()) + " s");
    std::array<char, 4096> part{};
    const auto got = ::read(from, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::io_error("read", errno);
    if (got == 0) return answer;
    if (answer.size() < kMostAnswer) answer.append(part.data(), static_cast<std::size_t>(got));
  }
}

Result<int> wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return base::io_error("waitpid", errno);
  }
  return status;
}

}  // namespace

Status admit_rules(const config::Snapshot& snapshot, const Account* user) {
  PKI_TRY(auto answer, base::make_pipe());
  const int keep[] = {answer.write.get()};
  PKI_TRY(const pid_t child, fork_child(keep, user, [&] {
            tell(answer.write.get(), worker::admit_rules(snapshot));
            return 0;
          }));
  answer.write.reset();
  const auto text = read_answer(answer.read.get());
  if (!text.ok()) ::kill(child, SIGKILL);
  PKI_TRY(const int status, wait_for(child));
  if (!text.ok()) return Error(text.error().code(), "whether the rules are approved is not known: " + text.error().message());
  if (text->empty() && status == 0) return {};
  if (text->empty()) return Error(Code::Io, "whether the rules are approved is not known: its process ended");
  const auto line = text->find('\n');
  return Error(text->front() == 'c' ? Code::BadConfig : Code::Unavailable, text->substr(1, line - 1), text->substr(line + 1));
}

}  // namespace chancery::master
