#include "server/signer/token_process.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "server/base/landlock.h"
#include "server/base/no_processes.h"
#include "server/base/process.h"
#include "server/signer/pkcs11_module.h"
#include "server/wire/message.h"

namespace chancery::signer {
namespace {

using std::chrono::milliseconds;
using wire::Json;

constexpr std::size_t kMaxMessage = 65536;
constexpr milliseconds kSlack{1000};  ///< that the keeper has for killing and answering

struct Pair {
  base::UniqueFd ours;
  base::UniqueFd theirs;
};
/// A message is a datagram: none is half, and the end of the other side shows.
Result<Pair> make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return base::io_error("socketpair", errno);
  return Pair{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

Status send(int fd, std::string_view text) {
  for (;;) {
    if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) >= 0) return {};
    if (errno != EINTR) return Error(Code::Closed, "the token's process has ended");
  }
}

/// @param limit  negative: as long as it takes
Result<std::string> receive(int fd, milliseconds limit) {
  pollfd waiting{fd, POLLIN, 0};
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = ::poll(&waiting, 1, limit.count() < 0 ? -1 : static_cast<int>(std::max(left, milliseconds{0}).count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return Error(Code::Timeout, "the module has not answered for " + std::to_string(limit.count() / 1000) + " s");
    std::string text(kMaxMessage, '\0');
    const auto got = ::recv(fd, text.data(), text.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Error(Code::Closed, "the module's process has ended");
    text.resize(static_cast<std::size_t>(got));
    return text;
  }
}

std::string answer(const Json& request, const Result<Json>& outcome) {
  const Json id(request.integer("id"));
  return outcome.ok() ? wire::encode_result(id, *outcome) : wire::encode_error(id, outcome.error());
}

// ----- the token's process

/// The module's session, opened by the first call.
class Token {
 public:
  explicit Token(const config::TokenConfig& config) : config_(config) {}

  Result<Json> run(const Json& request) {
    const auto op = request.text("op");
    if (op == "open") return open(request);
    if (module_ == nullptr) return Error(Code::Unavailable, "the token is not open");
    const KeyName name{request.text("label"), request.text("key_id")};
    if (!base::from_hex(name.id).ok()) return Error(Code::Malformed, "a key id that is not hexadecimal");
    if (op == "ids") return ids(name);
    if (op == "make") return make(name, request);
    if (op == "public") return numbers(name);
    if (op == "sign") return sign(name, request);
    if (op == "find") return done(module_->find_key(name));
    if (op == "look") return done(module_->look());
    return Error(Code::UnknownMethod, "no call " + op);
  }

 private:
  static Result<Json> done(const Status& status) { return status.ok() ? Result<Json>(Json::object()) : status.error(); }

  Result<Json> open(const Json& request) {
    PKI_TRY(module_, Pkcs11Module::load(config_));
    PKI_TRY_VOID(module_->log_in(SecretBytes(request.text("pin"))));
    return Json::object({{"serial", module_->serial()}});
  }

  Result<Json> ids(const KeyName& name) {
    PKI_TRY(const auto found, module_->ids(name));
    Json list = Json::array();
    for (const auto& id : found) list.push_back(base::to_hex(id));
    return Json::object({{"ids", std::move(list)}});
  }

  Result<Json> make(const KeyName& name, const Json& request) {
    const auto ec_bits = static_cast<int>(request.integer("ec_bits"));
    return done(module_->make_key(name, ec_bits, static_cast<int>(request.integer("rsa_bits"))));
  }

  Result<Json> numbers(const KeyName& name) {
    PKI_TRY(const auto found, module_->public_numbers(name));
    return Json::object(
        {{"bits", found.bits}, {"first", base::to_base64(found.first)}, {"second", base::to_base64(found.second)}});
  }

  Result<Json> sign(const KeyName& name, const Json& request) {
    PKI_TRY(const auto data, base::from_base64(request.text("data")));
    const auto scheme = request.boolean("rsa") ? Pkcs11Module::Scheme::RsaPkcs1 : Pkcs11Module::Scheme::Ecdsa;
    PKI_TRY(const auto signature, module_->sign(name, scheme, data));
    return Json::object({{"signature", base::to_base64(signature)}});
  }

  const config::TokenConfig& config_;
  std::unique_ptr<Pkcs11Module> module_;
};

/// Files: the libraries, /etc and what the configuration names, so neither the realm's nor the journal's. No process, and unless
/// it is said otherwise no socket.
void confine(const config::TokenConfig& config) {
  using Access = base::Landlock::Access;
  (void)base::forbid_dumps();
  (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);  // without which nobody but root may put itself under a filter
  const base::Landlock landlock;
  for (const auto* path : {"/etc", "/usr", "/lib", "/lib64", "/proc/self", "/sys/devices/system/cpu", "/dev/urandom"})
    landlock.allow(path, Access::Read);
  landlock.allow(base::Path(config.module).parent_path(), Access::Read);
  for (const auto& path : config.paths) landlock.allow(path, Access::ReadWrite);
  (void)landlock.enforce();
  if (!config.network) (void)base::forbid_sockets();
  (void)base::forbid_processes();
}

[[noreturn]] void run_token(const config::TokenConfig& config, int link) {
  base::set_title("chancery-signer: token " + (config.token.empty() ? config.serial : config.token));
  const std::array keep{link};
  base::close_all_but(keep);
  confine(config);
  Token token(config);
  for (;;) {
    const auto text = receive(link, milliseconds{-1});
    if (!text.ok()) ::_exit(base::to_int(base::Exit::Ok));
    const auto request = wire::parse_json(*text);
    if (!request.ok() || !send(link, answer(*request, token.run(*request))).ok()) ::_exit(base::to_int(base::Exit::Io));
  }
}

// ----- the keeper

/// One token process at a time.
class Keeper {
 public:
  Keeper(const config::TokenConfig& config, int link) : config_(config), link_(link) {}

  void serve_one(const std::string& text) {
    const auto request = wire::parse_json(text);
    if (!request.ok()) return;
    const auto op = request->text("op");
    if (op == "open") restart();
    if (op == "end") end();
    const auto reply = ask(text);
    if (reply.ok()) return (void)send(link_, *reply);
    end();  // whatever state it is in, nobody talks to it again
    (void)send(link_, answer(*request, reply.error()));
  }

  void end() {
    if (pid_ != 0) ::kill(pid_, SIGKILL);
    pid_ = 0;
    child_.reset();
  }

 private:
  Result<std::string> ask(const std::string& text) {
    if (!child_) return Error(Code::Closed, "the token is not open");
    PKI_TRY_VOID(send(child_.get(), text));
    return receive(child_.get(), config_.timeout);
  }

  void restart() {
    end();
    auto pair = make_pair();
    if (!pair.ok()) return;
    const pid_t keeper = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return;
    if (pid == 0) {
      ::signal(SIGCHLD, SIG_DFL);
      if (!base::die_with_parent(keeper, SIGKILL).ok()) ::_exit(base::to_int(base::Exit::Os));
      run_token(config_, pair->theirs.get());
    }
    pid_ = pid;
    child_ = std::move(pair->ours);
  }

  const config::TokenConfig& config_;
  int link_;
  pid_t pid_ = 0;
  base::UniqueFd child_;
};

[[noreturn]] void run_keeper(const config::TokenConfig& config, int link) {
  base::set_title("chancery-signer: token keeper");
  const std::array keep{0, 1, 2, link};
  base::close_all_but(keep);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_IGN);  // it goes when the signer does
  ::signal(SIGCHLD, SIG_IGN);                                                    // nobody waits for the dead
  Keeper keeper(config, link);
  for (;;) {
    const auto text = receive(link, milliseconds{-1});
    if (!text.ok()) break;
    keeper.serve_one(*text);
  }
  keeper.end();
  ::_exit(base::to_int(base::Exit::Ok));
}

}  // namespace

Result<TokenProcess> TokenProcess::start(const config::TokenConfig& config) {
  PKI_TRY(auto pair, make_pair());
  const pid_t signer = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return base::io_error("fork", errno);
  if (pid == 0) {
    if (!base::die_with_parent(signer, SIGKILL).ok()) ::_exit(base::to_int(base::Exit::Os));
    run_keeper(config, pair.theirs.get());
  }
  return TokenProcess(std::move(pair.ours), config.timeout);
}

/// An answer that came too late is to an earlier call, and passed over.
Result<Json> TokenProcess::call(Json request) {
  request.set("id", ++last_id_);
  const auto sent = send(link_.get(), wire::to_text(request));
  is_lost_ = !sent.ok();
  PKI_TRY_VOID(sent);
  for (;;) {
    const auto text = receive(link_.get(), limit_ + kSlack);
    is_lost_ = !text.ok() && text.error().code() == Code::Closed;
    if (!text.ok()) return text.error();
    PKI_TRY(const auto reply, wire::decode_reply(*text));
    if (reply.id != Json(last_id_)) continue;
    if (reply.error) return *reply.error;
    return *reply.result;
  }
}

}  // namespace chancery::signer
