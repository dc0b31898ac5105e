#include "server/worker/key_source.h"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <span>
#include <system_error>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/text.h"

namespace chancery::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPoolLimit{500};    ///< the keymaker answers at once, or is not there
constexpr milliseconds kGiveWayFor{500};  ///< after which whoever waits for the pair has waited enough (UPKI.md 1.1: 5 s)

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

Result<crypto::PrivateKey> from_pool(const Session& session, const base::KeySpec& spec) {
  PKI_TRY(const auto socket, base::connect_unix(session.snapshot().server.keymaker_socket_file().string()));
  PKI_TRY_VOID(base::write_all(socket.get(), ask_line(session.realm().name, session.key_pass(), spec).view()));
  PKI_TRY(const auto pem, read_pair(socket.get()));
  PKI_TRY(auto pair, crypto::PrivateKey::from_own_pem(pem.view()));
  if (pair.public_key().spec() == spec) return pair;
  return Error(Code::Malformed, "the keymaker gave a pair of kind " + base::to_text(pair.public_key().spec()));
}

/// Two searches, of which the first to find a pair ends the other: one that gives way from the beginning, and, when that has
/// taken too long on a busy machine, one that does not.
Result<crypto::PrivateKey> search(const base::KeySpec& spec) {
  std::atomic<bool> quiet_has_it{false};
  std::atomic<bool> loud_has_it{false};
  std::future<Result<crypto::PrivateKey>> quiet;
  try {
    quiet = std::async(std::launch::async, [&] {
      base::give_way();
      auto pair = crypto::PrivateKey::generate(spec, &loud_has_it);
      quiet_has_it = true;
      return pair;
    });
  } catch (const std::system_error&) {  // no room for a thread
    return crypto::PrivateKey::generate(spec);
  }
  if (quiet.wait_for(kGiveWayFor) == std::future_status::ready) return quiet.get();
  auto pair = crypto::PrivateKey::generate(spec, &quiet_has_it);
  loud_has_it = true;
  auto other = quiet.get();
  return pair.ok() ? std::move(pair) : std::move(other);
}

}  // namespace

Result<Ask> read_ask(std::string_view line) {
  const auto words = base::split(std::string(line), ' ');
  if (words.size() != 3) return Error(Code::Malformed, std::to_string(words.size()) + " words, expected realm, pass and kind");
  PKI_TRY(auto realm, RealmName::parse(words[0]));
  PKI_TRY(const auto spec, base::parse_key_spec(words[2]));
  return Ask{std::move(realm), words[1], spec};
}

Result<crypto::PrivateKey> key_pair(const Session& session, const base::KeySpec& spec) {
  if (spec.kind != base::KeySpec::Kind::Rsa) return crypto::PrivateKey::generate(spec);
  if (!session.key_pass().empty() && session.snapshot().server.limits.key_pool > 0) {
    auto pair = from_pool(session, spec);
    if (pair.ok()) return pair;
    base::log_debug("a pair of kind " + base::to_text(spec) + " is made here: " + pair.error().message());
  }
  return search(spec);
}

}  // namespace chancery::worker
