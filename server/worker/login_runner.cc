#include "server/worker/login_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/text.h"

namespace chancery::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMaxMessage = 8192;
constexpr std::size_t kMaxOutput = 4096;
constexpr std::size_t kMostGroups = 100;
constexpr std::size_t kMaxGroup = 255;
constexpr milliseconds kSlack{5000};  ///< beyond the program's own time, for the runner to say so
constexpr milliseconds kLongest{65000};

// One octet says what the rest of an answer is.
constexpr char kYes = 'y';
constexpr char kNo = 'n';
constexpr char kLate = 't';
constexpr char kFailed = 'f';

// The first part of a question says what the others are.
constexpr std::string_view kLogin = "login";
constexpr std::string_view kLookUp = "look_up";

bool is_by_program(const config::RealmConfig& realm) {
  return std::ranges::any_of(realm.people.logins, [](const auto& one) { return one.second.method == "program"; }) ||
         std::ranges::any_of(realm.enrolment.look_ups, [](const auto& one) { return one.second.kind == "program"; });
}

/// What is run.
struct Task {
  const std::string& program;
  const std::vector<std::string>& arguments;
  std::chrono::seconds timeout;
  std::vector<std::string> environment;
};

// ----- the program

struct Pipe {
  base::UniqueFd reading;
  base::UniqueFd writing;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error(Code::Io, "no pipe: " + std::string(std::strerror(errno)));
  return Pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

/// In the child, which has nothing of ours but standard input and output.
[[noreturn]] void become(const Task& task, int in, int out) {
  std::vector<char*> arguments{const_cast<char*>(task.program.c_str())};  // NOLINT: execve takes what it does not change
  for (const auto& one : task.arguments) arguments.push_back(const_cast<char*>(one.c_str()));  // NOLINT
  arguments.push_back(nullptr);
  std::vector<char*> names;
  for (const auto& one : task.environment) names.push_back(const_cast<char*>(one.c_str()));  // NOLINT
  names.push_back(nullptr);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (::setsid() < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(nothing, 2) < 0) ::_exit(127);
  ::close_range(3, ~0U, 0);
  ::execve(task.program.c_str(), arguments.data(), names.data());
  ::_exit(127);
}

void end_program(pid_t pid) {
  ::kill(-pid, SIGKILL);  // it leads a session of its own, and what it started goes with it
  ::kill(pid, SIGKILL);
}

int left_until(steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
  return static_cast<int>(std::max(left, milliseconds{0}).count());
}

/// Until the program closes its output. @return false: not in time, or more than may be.
bool read_output(int from, std::string& output, steady_clock::time_point deadline) {
  std::array<char, 1024> octets{};
  for (;;) {
    pollfd waiting{from, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, left_until(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const auto count = ::read(from, octets.data(), octets.size());
    if (count <= 0) return count == 0;
    output.append(octets.data(), static_cast<std::size_t>(count));
    if (output.size() > kMaxOutput) return true;  // the reader of the answer refuses it
  }
}

/// @return the wait status; none: it did not end in time, and is killed.
std::optional<int> await(pid_t pid, steady_clock::time_point deadline) {
  constexpr milliseconds kStep{5};
  for (int status = 0;;) {
    const auto ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (left_until(deadline) == 0) break;
    ::poll(nullptr, 0, static_cast<int>(kStep.count()));
  }
  end_program(pid);
  ::waitpid(pid, nullptr, 0);
  return std::nullopt;
}

std::string answer_of(const Task& task, std::string_view input) {
  auto in = make_pipe();
  auto out = make_pipe();
  if (!in.ok() || !out.ok()) return std::string(1, kFailed) + "no pipe";
  const auto pid = ::fork();
  if (pid < 0) return std::string(1, kFailed) + "no process";
  if (pid == 0) become(task, in->reading.get(), out->writing.get());
  in->reading.reset();
  out->writing.reset();
  const auto deadline = steady_clock::now() + task.timeout;
  // All lines fit into a pipe; a program that does not read them gets SIGPIPE's silence.
  (void)!::write(in->writing.get(), input.data(), input.size());
  in->writing.reset();
  std::string output;
  const bool ended = read_output(out->reading.get(), output, deadline);
  const auto status = ended ? await(pid, deadline) : await(pid, steady_clock::now());
  end_program(pid);  // what it left running in its session
  if (!ended || !status) return std::string(1, kLate);
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return std::string(1, kYes) + output;
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 1) return std::string(1, kNo);
  return std::string(1, kFailed) + (WIFEXITED(*status) ? "it ended with status " + std::to_string(WEXITSTATUS(*status))
                                                       : "signal " + std::to_string(WTERMSIG(*status)) + " ended it");
}

// ----- the runner

std::vector<std::string> environment_of(const std::string& realm, std::string_view what, const std::string& name) {
  return {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "CHANCERY_REALM=" + realm, std::string(what) + "=" + name};
}

/// Parts: stack, user and password.
std::string answer_to_login(const config::RealmConfig& realm, const std::vector<std::string>& parts) {
  const auto stack = realm.people.logins.find(parts[2]);
  if (parts.size() != 5 || stack == realm.people.logins.end() || stack->second.method != "program")
    return std::string(1, kFailed) + "no such stack";
  auto input = parts[3] + "\n" + parts[4] + "\n";
  const auto& one = stack->second;
  auto answer =
      answer_of({one.program, one.arguments, one.timeout, environment_of(parts[1], "CHANCERY_LOGIN_STACK", parts[2])}, input);
  std::ranges::fill(input, '\0');
  return answer;
}

/// Parts: look-up and what its program reads.
std::string answer_to_look_up(const config::RealmConfig& realm, const std::vector<std::string>& parts) {
  const auto found = realm.enrolment.look_ups.find(parts[2]);
  if (parts.size() != 4 || found == realm.enrolment.look_ups.end() || found->second.kind != "program")
    return std::string(1, kFailed) + "no such look-up";
  const auto& one = found->second;
  return answer_of({one.program, one.arguments, one.timeout, environment_of(parts[1], "CHANCERY_LOOK_UP", parts[2])}, parts[3]);
}

/// What is asked, the realm, and the rest; none of them has a NUL.
std::string answer_to(const config::Snapshot& snapshot, std::string_view message, std::string& bound_to) {
  const auto parts = base::split(message, '\0');
  if (parts.size() < 4) return std::string(1, kFailed) + "no question";
  if (bound_to.empty()) bound_to = parts[1];
  const auto* const realm = snapshot.find(parts[1]);
  if (realm == nullptr || bound_to != parts[1]) return std::string(1, kFailed) + "another realm";
  if (parts[0] == kLogin) return answer_to_login(*realm, parts);
  if (parts[0] == kLookUp) return answer_to_look_up(*realm, parts);
  return std::string(1, kFailed) + "no question";
}

[[noreturn]] void run(const config::Snapshot& snapshot, int socket) {
  base::set_title("chanceryd: login runner");
  (void)base::forbid_dumps();
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::signal(SIGTERM, SIG_DFL);
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);  // with its worker
  // The client's connection, the master's pipes and whatever else was the worker's.
  const int own = ::dup2(socket, 3);
  if (own != 3) ::_exit(base::to_int(base::Exit::Io));
  ::close_range(4, ~0U, 0);
  std::string bound_to;
  std::array<char, kMaxMessage> octets{};
  for (;;) {
    const auto count = ::recv(own, octets.data(), octets.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) ::_exit(base::to_int(base::Exit::Ok));
    const auto answer = answer_to(snapshot, {octets.data(), static_cast<std::size_t>(count)}, bound_to);
    octets.fill('\0');
    if (::send(own, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) ::_exit(base::to_int(base::Exit::Ok));
  }
}

}  // namespace

Result<base::UniqueFd> start_login_runner(const std::shared_ptr<const config::Snapshot>& snapshot) {
  if (std::ranges::none_of(snapshot->realms, [](const auto& realm) { return is_by_program(*realm); })) return base::UniqueFd();
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return Error(Code::Io, "no socket for the login runner: " + std::string(std::strerror(errno)));
  base::UniqueFd ours(ends[0]);
  const base::UniqueFd its(ends[1]);
  const auto pid = ::fork();
  if (pid < 0) return Error(Code::Io, "no process for the login runner: " + std::string(std::strerror(errno)));
  if (pid == 0) run(*snapshot, its.get());
  return ours;
}

Result<std::vector<std::string>> groups_in(std::string_view output) {
  constexpr std::string_view kGroup = "group ";
  const Error bad(Code::Malformed, "the login program said something else than lines like \"group NAME\"");
  std::vector<std::string> groups;
  if (output.size() > kMaxOutput || !base::is_utf8(output)) return bad;
  if (output.empty()) return groups;
  if (!output.ends_with('\n')) return bad;
  output.remove_suffix(1);
  for (const auto& line : base::split(output, '\n')) {
    if (!line.starts_with(kGroup) || line.size() == kGroup.size() || line.size() > kGroup.size() + kMaxGroup) return bad;
    if (base::printable(line) != line || groups.size() == kMostGroups) return bad;
    groups.push_back(line.substr(kGroup.size()));
  }
  return groups;
}

namespace {

/// Whoever has not answered is asked nothing more: what it says later would be the answer to another question.
Error no_answer(int runner) {
  ::shutdown(runner, SHUT_RDWR);
  return {Code::Unavailable, "the login runner does not answer", "connect again"};
}

/// @return what follows a yes; none: it is no.
Result<std::optional<std::string>> ask(int runner, std::string message, const std::string& what) {
  if (runner < 0) return Error(Code::Unavailable, what + "s cannot be run by this connection", "connect again");
  const auto sent = ::send(runner, message.data(), message.size(), MSG_NOSIGNAL);
  std::ranges::fill(message, '\0');
  if (sent < 0) return Error(Code::Unavailable, "the login runner has ended", "connect again");
  const auto ready = base::wait_readable(runner, kLongest + kSlack);
  std::array<char, kMaxOutput + 2048> octets{};
  const auto count = ready.ok() ? ::recv(runner, octets.data(), octets.size(), 0) : 0;
  if (count <= 0) return no_answer(runner);
  const std::string_view answer(octets.data() + 1, static_cast<std::size_t>(count) - 1);
  if (octets[0] == kNo) return std::optional<std::string>();
  if (octets[0] == kLate)
    return Error(Code::Timeout, "the " + what + " did not end in time", "the realm's administrators know it");
  if (octets[0] != kYes) return Error(Code::Unavailable, "the " + what + " failed: " + base::printable(answer));
  return std::optional(std::string(answer));
}

}  // namespace

Result<ProgramAnswer> ask_program(int runner, const std::string& realm, const std::string& stack, const std::string& user,
                                  const SecretBytes& password) {
  PKI_TRY(const auto said, ask(runner,
                               std::string(kLogin) + '\0' + realm + '\0' + stack + '\0' + user + '\0' +
                                   std::string(base::as_text(password.view())),
                               "login program"));
  if (!said) return ProgramAnswer{};
  auto groups = groups_in(*said);
  if (!groups.ok()) return Error(Code::Unavailable, groups.error().message());
  return ProgramAnswer{true, std::move(*groups)};
}

Result<bool> ask_program_about(int runner, const std::string& realm, const std::string& look_up, const std::string& input) {
  PKI_TRY(const auto said, ask(runner, std::string(kLookUp) + '\0' + realm + '\0' + look_up + '\0' + input, "program"));
  return said.has_value();
}

}  // namespace chancery::worker
