#include "server/worker/key_source.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/text.h"

namespace chancery::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLongestSearch = std::chrono::hours{1};
constexpr milliseconds kPoolLimit{500};   ///< the keymaker answers at once, or is not there
constexpr milliseconds kGiveWayFor{500};  ///< after which whoever waits for the pair has waited enough (UPKI.md 1.1: 5 s)
constexpr int kNice = 10;
constexpr int kNiceInHaste = 3;  ///< a signature takes milliseconds: where one is wanted, it does not stand behind a search

SecretBytes ask_line(const RealmName& realm, ByteView pass, const base::KeySpec& spec) {
  Bytes line;
  line.reserve(kMaxAskBytes);
  const auto add = [&](ByteView part) { line.insert(line.end(), part.begin(), part.end()); };
  add(base::as_bytes(realm.text() + " "));
  add(pass);
  add(base::as_bytes(" " + base::to_text(spec) + "\n"));
  return SecretBytes(std::move(line));
}

/// Reads until the end. @return how many octets came. @errors Timeout; Io; Malformed: more than there is room for.
Result<std::size_t> read_all(int socket, std::span<std::uint8_t> room) {
  const auto until = steady_clock::now() + kPoolLimit;
  for (std::size_t count = 0;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
    PKI_TRY_VOID(base::wait_readable(socket, std::max(left, milliseconds{0})));
    const auto got = ::recv(socket, room.data() + count, room.size() - count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::io_error("read a key pair", errno);
    if (got == 0) return count;
    count += static_cast<std::size_t>(got);
    if (count == room.size()) return Error(Code::Malformed, "a key pair above 64 KiB");
  }
}

/// @errors Closed: nothing came; those of read_all.
Result<SecretBytes> read_pair(int socket) {
  Bytes room(crypto::kMaxKeyPemBytes);
  const auto count = read_all(socket, room);
  if (count.ok()) room.resize(*count);
  SecretBytes pem(std::move(room));  // wiped, whatever came
  if (!count.ok()) return count.error();
  if (pem.empty()) return Error(Code::Closed, "the pool has none for this realm");
  return pem;
}

Result<crypto::PrivateKey> from_pool(Session& session, const base::KeySpec& spec) {
  PKI_TRY(const auto socket, base::connect_unix(session.snapshot().server.keymaker_socket_file().string()));
  PKI_TRY_VOID(base::write_all(socket.get(), ask_line(session.realm().name, session.key_pass(), spec).view()));
  PKI_TRY(const auto pem, read_pair(socket.get()));
  PKI_TRY(auto pair, crypto::PrivateKey::from_own_pem(pem.view()));
  if (pair.public_key().spec() == spec) return pair;
  return Error(Code::Malformed, "the keymaker gave a pair of kind " + base::to_text(pair.public_key().spec()));
}

/// Searches for one pair in threads of their own, of which the first to find one ends the others.
class Search {
 public:
  /// @errors Io: no pipe.
  static Result<std::unique_ptr<Search>> create(const base::KeySpec& spec) {
    PKI_TRY(auto word, base::make_pipe());
    return std::unique_ptr<Search>(new Search(spec, std::move(word)));
  }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;
  ~Search() { over_ = true; }  // the futures wait for their threads

  /// @errors Busy: no room for a thread.
  Status begin(int nice) {
    try {
      searches_.push_back(std::async(std::launch::async, [this, nice] { return run(nice); }));
      return {};
    } catch (const std::system_error&) {
      return Error(Code::Busy, "there is no room for a thread that searches for a key pair: try again shortly");
    }
  }

  /// Until a search has ended, the client is gone or the time has come. @return whether one has ended.
  bool wait(int client, milliseconds limit) {
    std::array<pollfd, 2> waiting{{{word_.read.get(), POLLIN, 0}, {client, 0, 0}}};
    while (::poll(waiting.data(), waiting.size(), static_cast<int>(limit.count())) < 0 && errno == EINTR) {
    }
    return waiting[0].revents != 0;
  }

  /// @errors Closed: none was found before this; BadKey.
  Result<crypto::PrivateKey> end() {
    over_ = true;
    Result<crypto::PrivateKey> outcome = Error(Code::Closed, "the search was given up");
    for (auto& one : searches_) {
      auto pair = one.get();
      if (!outcome.ok()) outcome = std::move(pair);
    }
    return outcome;
  }

 private:
  Search(const base::KeySpec& spec, base::Pipe word) : spec_(spec), word_(std::move(word)) {}

  Result<crypto::PrivateKey> run(int nice) {
    base::give_way(nice);
    auto pair = crypto::PrivateKey::generate(spec_, &over_);
    over_ = true;
    (void)base::write_all(word_.write.get(), base::as_bytes("!"));
    return pair;
  }

  const base::KeySpec spec_;
  base::Pipe word_;
  std::atomic<bool> over_{false};
  std::vector<std::future<Result<crypto::PrivateKey>>> searches_;  ///< last: they use all of the above
};

milliseconds time_left(const Session& session, milliseconds most) {
  if (!session.answer_by()) return most;
  const auto left = std::chrono::ceil<milliseconds>(*session.answer_by() - steady_clock::now());
  return std::clamp(left, milliseconds{0}, most);
}

/// One search that gives way from the beginning, and, when that has taken too long on a busy machine, one more that hardly does.
Result<crypto::PrivateKey> search(const Session& session, const base::KeySpec& spec) {
  PKI_TRY_VOID(session.check_wanted());
  PKI_TRY(const auto both, Search::create(spec));
  PKI_TRY_VOID(both->begin(kNice));
  if (!both->wait(session.client(), time_left(session, kGiveWayFor)) && session.check_wanted().ok()) {
    (void)both->begin(kNiceInHaste);  // else the first one goes on alone
    both->wait(session.client(), time_left(session, kLongestSearch));
  }
  auto pair = both->end();
  if (pair.ok() || pair.error().code() != Code::Closed) return pair;
  const auto wanted = session.check_wanted();
  if (!wanted.ok() && wanted.error().code() == Code::Closed) return wanted.error();
  return Error(Code::Busy, "no key pair of kind " + base::to_text(spec) + " was found in time: try again shortly");
}

}  // namespace

Result<Ask> read_ask(std::string_view line) {
  const auto words = base::split(std::string(line), ' ');
  if (words.size() != 3) return Error(Code::Malformed, std::to_string(words.size()) + " words, expected realm, pass and kind");
  PKI_TRY(auto realm, RealmName::parse(words[0]));
  PKI_TRY(const auto spec, base::parse_key_spec(words[2]));
  return Ask{std::move(realm), words[1], spec};
}

Result<crypto::PrivateKey> key_pair(Session& session, const base::KeySpec& spec) {
  if (spec.kind != base::KeySpec::Kind::Rsa) return crypto::PrivateKey::generate(spec);
  if (!session.key_pass().empty() && session.snapshot().server.limits.key_pool > 0) {
    auto pair = from_pool(session, spec);
    if (pair.ok()) return pair;
    base::log_debug("a pair of kind " + base::to_text(spec) + " is made here: " + pair.error().message());
  }
  return search(session, spec);
}

}  // namespace chancery::worker
