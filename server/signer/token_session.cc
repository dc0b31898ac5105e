#include "server/signer/token_session.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/ready_words.h"
#include "server/crypto/digest.h"
#include "server/crypto/signature.h"
#include "server/signer/ca_files.h"

namespace chancery::signer {
namespace {

using wire::Json;

constexpr std::chrono::seconds kSlow{1};   ///< a call that lasts longer makes the others go
constexpr std::chrono::seconds kRound{1};  ///< between two looks of the watch
constexpr std::chrono::seconds kQuiet{2};  ///< a token that answered so lately is there
/// Rounds after which a session is opened anew for a key that is missing: modules need not see at once what others have changed.
constexpr int kReopen = 5;
constexpr std::size_t kChallengeOctets = 32;
constexpr std::string_view kChallenge = "Chancery asks a token whether it has the key: ";

/// How a signature algorithm is asked of a token: the digest is made here, the token sees nothing of what is signed but that.
struct Way {
  crypto::SignatureAlgorithm algorithm;
  bool rsa;
  Bytes (*digest)(ByteView);
  std::string_view prefix;  ///< of the DigestInfo (RFC 8017 9.2, note 1), hexadecimal
};
constexpr std::array kWays{
    Way{crypto::SignatureAlgorithm::EcdsaSha256, false, crypto::sha256, ""},
    Way{crypto::SignatureAlgorithm::EcdsaSha384, false, crypto::sha384, ""},
    Way{crypto::SignatureAlgorithm::EcdsaSha512, false, crypto::sha512, ""},
    Way{crypto::SignatureAlgorithm::RsaSha256, true, crypto::sha256, "3031300d060960864801650304020105000420"},
    Way{crypto::SignatureAlgorithm::RsaSha384, true, crypto::sha384, "3041300d060960864801650304020205000430"},
    Way{crypto::SignatureAlgorithm::RsaSha512, true, crypto::sha512, "3051300d060960864801650304020305000440"},
};

const std::string kToken(base::kTokenWord);
const std::string kLocked = std::string(base::kLockedWord) + "the PIN of the token has to be entered";

/// A confined process cannot fork another one; the next signer does, and the journal is the memory.
[[noreturn]] void end_for_want_of_a_keeper() {
  base::log_error("the keeper of the token's process has ended: so does this signer, to be started anew");
  std::_Exit(base::to_int(base::Exit::Temporary));
}

/// Which PIN it was, without keeping it: of use while this process lives only.
std::string fingerprint(const SecretBytes& pin) {
  static const Bytes key = base::random_bytes(kChallengeOctets);
  return base::to_hex(crypto::hmac_sha256(key, pin.view()));
}

/// Whether the token's process is to blame, not what was asked of it.
bool is_of_process(const Error& error) { return error.code() == Code::Timeout || error.code() == Code::Closed; }

/// Why a session does not open, to who wants something of it: whatever it is but the PIN, the token is away.
Status as_away(const Status& opened) {
  const bool is_pin = !opened.ok() && (opened.error().code() == Code::AuthFailed || opened.error().code() == Code::Denied);
  return opened.ok() || is_pin ? opened : Status(Error(Code::Unavailable, opened.error().message(), opened.error().hint()));
}

Json about(const char* op, const KeyName& name) { return Json::object({{"op", op}, {"label", name.label}, {"key_id", name.id}}); }

Result<Json> make_order(const KeyName& name, const base::KeySpec& spec) {
  using Kind = base::KeySpec::Kind;
  auto order = about("make", name);
  if (spec.kind == Kind::Ec) return order.set("ec_bits", spec.bits).set("rsa_bits", 0);
  if (spec.kind == Kind::Rsa) return order.set("ec_bits", 0).set("rsa_bits", spec.bits);
  return Error(Code::InvalidParams,
               "found " + base::to_text(spec) + " for a key in a token, expected ec:P-256, ec:P-384, ec:P-521 or rsa:BITS");
}

}  // namespace

/// The right to talk to the token.
class TokenSession::Turn {
 public:
  /// @errors Unavailable: somebody's call has lasted too long, or there is no process to talk to.
  static Result<std::unique_ptr<Turn>> take(TokenSession& session) {
    if (!session.process_)
      return Error(Code::Unavailable, "this signer was started without token " + session.token_text(),
                   "restart the server: a signer begins to talk to a token at its start alone");
    std::unique_lock lock(session.mutex_);
    while (session.busy_) {
      const auto since = session.busy_since_;
      if (Clock::now() >= since + kSlow)
        return Error(Code::Unavailable, "the token does not answer",
                     "its timeout is " + std::to_string(session.config_.timeout.count()) + " s; ask again later");
      session.turns_.wait_until(lock, since + kSlow);
    }
    session.busy_ = true;
    session.busy_since_ = Clock::now();
    return std::unique_ptr<Turn>(new Turn(session));
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    {
      const std::lock_guard lock(session_.mutex_);
      session_.busy_ = false;
    }
    session_.turns_.notify_all();
  }

 private:
  explicit Turn(TokenSession& session) : session_(session) {}
  TokenSession& session_;
};

TokenSession::TokenSession(config::TokenConfig config)
    : config_(std::move(config)), away_(config_.from_people() ? kLocked : kToken + "not open yet") {}

TokenSession::~TokenSession() { stop_watching(); }

TokenPlace TokenSession::place_of(KeyName key) const {
  const std::lock_guard lock(mutex_);
  return {config_.token, serial_.empty() ? config_.serial : serial_, std::move(key), config_.module};
}

std::string TokenSession::token_text() const { return TokenPlace{config_.token, config_.serial, {}}.token_text(); }

// ----- what is in the way

std::shared_ptr<TokenSession::Key> TokenSession::add(KeyName name, crypto::PublicKey half) {
  auto key = std::make_shared<Key>(Key{std::move(name), std::move(half), kToken + "the key was not looked for yet"});
  const std::lock_guard lock(mutex_);
  std::erase_if(keys_, [](const auto& one) { return one.expired(); });
  keys_.push_back(key);
  return key;
}

std::vector<std::shared_ptr<TokenSession::Key>> TokenSession::keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Key>> all;
  for (const auto& one : keys_) {
    if (auto key = one.lock()) all.push_back(std::move(key));
  }
  return all;
}

bool TokenSession::has_keys() const { return !keys().empty(); }

std::string TokenSession::obstacle(const Key& key) const {
  const std::lock_guard lock(mutex_);
  return away_.empty() ? key.obstacle : away_;
}

Status TokenSession::check(const Key& key) const {
  const auto why = obstacle(key);
  return why.empty() ? Status() : Error(Code::Unavailable, why);
}

void TokenSession::change(std::string& obstacle, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (obstacle == why) return;
    obstacle = why;
    if (why.empty()) mended_ = true;
  }
  const auto reason = why.starts_with(kToken) ? why.substr(kToken.size()) : why;
  if (!why.empty()) base::log_warning("token " + token_text() + ": " + reason);
  if (changed_) changed_();
}

void TokenSession::set_away(const std::string& why) { change(away_, why); }
void TokenSession::set_obstacle(Key& key, const std::string& why) { change(key.obstacle, why); }

void TokenSession::distrust(Key& key, const Error& why) {
  set_obstacle(key, kToken + "it gave a signature that is none of its key: " + why.message());
}

void TokenSession::take_pin(SecretBytes pin) {
  const std::lock_guard lock(mutex_);
  pin_ = std::move(pin);
}

// ----- with the turn taken

/// Another call of the same turn begins: nobody is refused because of those before it.
Result<Json> TokenSession::call(Json request) {
  {
    const std::lock_guard lock(mutex_);
    busy_since_ = Clock::now();
  }
  return process_->call(std::move(request));
}

/// A new process, a new session, a new login, and signatures that show which keys are there.
Status TokenSession::open(const SecretBytes& pin) {
  {
    const std::lock_guard lock(mutex_);
    if (!refused_.empty() && refused_ == fingerprint(pin))
      return Error(Code::AuthFailed, "the token has refused this PIN: it is not tried again",
                   "write the right one into the same file and reload (SIGHUP), or enter it");
  }
  const auto opened = call(Json::object({{"op", "open"}, {"pin", base::as_text(pin.view())}}));
  if (!opened.ok()) {
    if (opened.error().code() == Code::AuthFailed) {
      const std::lock_guard lock(mutex_);
      refused_ = fingerprint(pin);
    }
    return opened.error();
  }
  {
    const std::lock_guard lock(mutex_);
    serial_ = opened->text("serial");
  }
  return prove_all();
}

/// With the PIN that opened it before, or that the configuration says.
Status TokenSession::reopen() {
  SecretBytes pin;
  {
    const std::lock_guard lock(mutex_);
    pin = SecretBytes(base::as_text(pin_.view()));
  }
  const auto opened = pin.empty() ? Status(Error(Code::Unavailable, "the PIN of the token has to be entered")) : open(pin);
  if (!pin.empty()) set_away(opened.ok() ? "" : kToken + base::to_line(opened.error()));
  return opened;
}

/// @errors Timeout, Closed: the process did not bear it. What is wrong with one key is in that one's way alone.
Status TokenSession::prove_all() {
  for (const auto& key : keys()) {
    const auto proven = prove_once(*key);
    if (!proven.ok() && is_of_process(proven.error())) return proven;
    set_obstacle(*key, proven.ok() ? "" : kToken + base::to_line(proven.error()));
  }
  return {};
}

Status TokenSession::prove_once(const Key& key) {
  Bytes message(kChallenge.begin(), kChallenge.end());
  const auto chance = base::random_bytes(kChallengeOctets);
  message.insert(message.end(), chance.begin(), chance.end());
  const bool long_digest = key.half.spec().kind == base::KeySpec::Kind::Ec && key.half.spec().bits > 256;
  PKI_TRY(const auto algorithm, crypto::algorithm_for(key.half.spec(), long_digest ? "sha384" : "sha256"));
  PKI_TRY_VOID(call(about("find", key.name)));
  const auto signature = sign_once(key, algorithm, message);
  if (!signature.ok()) return signature.error();
  if (key.half.verify(algorithm, message, *signature).ok()) return {};
  return Error(Code::BadConfig,
               "the token's key of " + key.name.text() + " is another one than the CA's certificate has, or does not sign truly",
               "put that CA's key into the token, or correct key_label and key_id");
}

Result<Bytes> TokenSession::sign_once(const Key& key, crypto::SignatureAlgorithm algorithm, ByteView message) {
  const auto* const way = std::ranges::find(kWays, algorithm, &Way::algorithm);
  if (way == kWays.end()) return Error(Code::BadKey, "no token signs " + std::string(crypto::to_text(algorithm)) + " here");
  auto data = base::from_hex(way->prefix).value();
  const auto digest = way->digest(message);
  data.insert(data.end(), digest.begin(), digest.end());
  PKI_TRY(const auto reply, call(about("sign", key.name).set("rsa", way->rsa).set("data", base::to_base64(data))));
  PKI_TRY(auto signature, base::from_base64(reply.text("signature")));
  return way->rsa ? Result<Bytes>(std::move(signature)) : crypto::ecdsa_raw_to_der(signature);
}

// ----- signatures

Status TokenSession::prove(Key& key) {
  PKI_TRY(const auto turn, Turn::take(*this));
  auto proven = prove_once(key);
  if (proven.ok() || !is_of_process(proven.error())) {
    set_obstacle(key, proven.ok() ? "" : kToken + base::to_line(proven.error()));
  } else {
    set_away(kToken + base::to_line(proven.error()));
  }
  return proven;
}

Result<Bytes> TokenSession::sign(Key& key, crypto::SignatureAlgorithm algorithm, ByteView message) {
  PKI_TRY_VOID(check(key));
  PKI_TRY(const auto turn, Turn::take(*this));
  PKI_TRY_VOID(check(key));  // whoever had the turn before may have found it gone
  auto signature = sign_once(key, algorithm, message);
  const bool is_lost = !signature.ok() && signature.error().code() != Code::Timeout;
  if (is_lost && !reopen().ok()) return check(key).error();     // which says the token's reason
  if (is_lost) signature = sign_once(key, algorithm, message);  // a session that has ended is no token that is gone
  if (signature.ok()) {
    const std::lock_guard lock(mutex_);
    last_answer_ = Clock::now();
    return signature;
  }
  const auto why = kToken + base::to_line(signature.error());
  if (is_of_process(signature.error())) {
    set_away(why);
  } else {
    set_obstacle(key, why);
  }
  return Error(Code::Unavailable, why);
}

// ----- the session

Result<SecretBytes> read_pin(const config::TokenConfig& token) {
  if (token.from_people()) return Error(Code::Unavailable, "the PIN comes from people, once the signer runs (secret.method)");
  if (token.pin_credential.empty()) return read_passphrase_file(token.pin_file);
  PKI_TRY(const auto file, credential_file(token.pin_credential));
  return read_passphrase_file(file);
}

Status TokenSession::start() {
  PKI_TRY(auto process, TokenProcess::start(config_));
  process_.emplace(std::move(process));
  return {};
}

Status TokenSession::connect() {
  if (config_.from_people()) return {};
  auto pin = read_pin(config_);
  if (!pin.ok()) {
    set_away(kToken + base::to_line(pin.error()));
    return pin.error();
  }
  take_pin(std::move(pin).value());
  PKI_TRY(const auto turn, Turn::take(*this));
  (void)reopen();
  const std::lock_guard lock(mutex_);
  mended_ = false;  // it was never otherwise
  return {};
}

Status TokenSession::log_in(const SecretBytes& pin) {
  PKI_TRY(const auto turn, Turn::take(*this));
  PKI_TRY_VOID(open(pin));
  take_pin(SecretBytes(base::as_text(pin.view())));
  set_away("");
  const std::lock_guard lock(mutex_);
  mended_ = false;  // whoever brought it sees to what waits
  return {};
}

/// The session ends with its process; the next open makes another.
void TokenSession::lock() {
  take_pin(SecretBytes());
  const auto turn = Turn::take(*this);
  if (turn.ok()) (void)call(Json::object({{"op", "end"}}));
  set_away(kLocked);
}

/// One call about a key, in a session that is open. Nobody asks when no key is in use, so it may not be.
Result<Json> TokenSession::ask(Json request) {
  PKI_TRY(const auto turn, Turn::take(*this));
  const bool is_open = [&] {
    const std::lock_guard lock(mutex_);
    return away_.empty();
  }();
  if (!is_open) PKI_TRY_VOID(as_away(reopen()));
  auto reply = call(request);
  const bool is_lost = !reply.ok() && (reply.error().code() == Code::Closed || reply.error().code() == Code::Unavailable);
  if (is_lost && is_open) {  // the session may have ended since, or be older than what others have changed
    PKI_TRY_VOID(as_away(reopen()));
    reply = call(std::move(request));
  }
  if (!reply.ok() && is_of_process(reply.error())) set_away(kToken + base::to_line(reply.error()));
  return reply;
}

Result<std::vector<std::string>> TokenSession::ids(const KeyName& name) {
  PKI_TRY(const auto reply, ask(about("ids", name)));
  return reply.texts("ids");
}

Status TokenSession::make(const KeyName& name, const base::KeySpec& spec) {
  PKI_TRY(auto order, make_order(name, spec));
  PKI_TRY_VOID(ask(std::move(order)));
  return {};
}

Result<crypto::PublicKey> TokenSession::public_key(const KeyName& name) {
  PKI_TRY(const auto reply, ask(about("public", name)));
  PKI_TRY(const auto first, base::from_base64(reply.text("first")));
  PKI_TRY(const auto second, base::from_base64(reply.text("second")));
  const auto bits = static_cast<int>(reply.integer("bits"));
  return bits == 0 ? crypto::PublicKey::from_rsa(first, second) : crypto::PublicKey::from_ec(bits, first, second);
}

// ----- the watch

void TokenSession::watch() {
  watch_ = std::thread([this] { run_watch(); });
}

void TokenSession::stop_watching() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  turns_.notify_all();
  if (watch_.joinable()) watch_.join();
}

void TokenSession::look_again() {
  if (!config_.from_people()) {
    auto pin = read_pin(config_);
    if (!pin.ok())
      base::log_warning("token " + token_text() + ": its PIN cannot be read again: " + base::to_line(pin.error()) +
                        "; a file that was renamed to that name since the start is another one, which needs a restart");
    if (pin.ok()) take_pin(std::move(pin).value());
  }
  {
    const std::lock_guard lock(mutex_);
    look_now_ = true;
  }
  turns_.notify_all();
}

void TokenSession::run_watch() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      turns_.wait_for(lock, kRound, [this] { return stopping_ || look_now_; });
      if (stopping_) return;
      look_now_ = false;
    }
    round();
  }
}

/// Nothing to look at: nobody has opened it, no key is in use, or all of them answer.
bool TokenSession::is_quiet() const {
  const auto in_use = keys();
  const std::lock_guard lock(mutex_);
  const bool all_well = away_.empty() && std::ranges::all_of(in_use, [](const auto& key) { return key->obstacle.empty(); });
  return pin_.empty() || in_use.empty() || (all_well && Clock::now() < last_answer_ + kQuiet);
}

/// @errors of the first key that was there and is not found any more.
Status TokenSession::look_at_keys() {
  for (const auto& key : keys()) {
    const bool was_there = obstacle(*key).empty();
    const auto found = was_there ? call(about("find", key->name)) : Result<Json>(Json::object());
    const auto proven = was_there ? Status() : prove_once(*key);
    if (!found.ok()) return found.error();
    if (!proven.ok() && is_of_process(proven.error())) return proven;
    if (!was_there) set_obstacle(*key, proven.ok() ? "" : kToken + base::to_line(proven.error()));
  }
  return {};
}

/// One look: at a token that has been quiet, whether it and its keys are there; for what is away, whether it is back.
void TokenSession::round() {
  ++rounds_;
  if (!is_quiet()) {
    const auto turn = Turn::take(*this);
    if (!turn.ok()) return;  // whoever has it finds out
    const auto in_use = keys();
    std::unique_lock lock(mutex_);
    const bool is_away = !away_.empty();
    const bool is_missing = std::ranges::any_of(in_use, [](const auto& key) { return !key->obstacle.empty(); });
    lock.unlock();
    const bool is_anew = is_away || (is_missing && rounds_ % kReopen == 0);
    const bool holds = !is_anew && call(Json::object({{"op", "look"}})).ok() && look_at_keys().ok();
    const bool found = holds || reopen().ok();
    if (process_->is_lost()) end_for_want_of_a_keeper();
    lock.lock();
    if (found) last_answer_ = Clock::now();
  }
  tell_usable();
}

void TokenSession::tell_usable() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(mended_, false)) return;
  }
  base::log_info("token " + token_text() + " is back");
  if (usable_) usable_();
}

}  // namespace chancery::signer
