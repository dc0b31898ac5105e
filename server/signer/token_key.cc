#include "server/signer/token_key.h"

#include <algorithm>
#include <array>
#include <cstdlib>

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

}  // namespace

/// The right to talk to the token.
class TokenKey::Turn {
 public:
  /// @errors Unavailable: somebody's call has lasted too long.
  static Result<std::unique_ptr<Turn>> take(TokenKey& key) {
    std::unique_lock lock(key.mutex_);
    while (key.busy_) {
      const auto since = key.busy_since_;
      if (Clock::now() >= since + kSlow)
        return Error(Code::Unavailable, "the token does not answer",
                     "its timeout is " + std::to_string(key.config_.token.timeout.count()) + " s; ask again later");
      key.changed_.wait_until(lock, since + kSlow);
    }
    key.busy_ = true;
    key.busy_since_ = Clock::now();
    return std::unique_ptr<Turn>(new Turn(key));
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    {
      const std::lock_guard lock(key_.mutex_);
      key_.busy_ = false;
    }
    key_.changed_.notify_all();
  }
  /// Another call of the same turn begins.
  void renew() {
    const std::lock_guard lock(key_.mutex_);
    key_.busy_since_ = Clock::now();
  }

 private:
  explicit Turn(TokenKey& key) : key_(key) {}
  TokenKey& key_;
};

TokenKey::TokenKey(crypto::PublicKey half, const config::RealmConfig& realm)
    : SigningKey(std::move(half)),
      name_(realm.name.text()),
      config_(realm.keys),
      obstacle_(config_.secret.from_people() ? kLocked : kToken + "not open yet") {}

TokenKey::~TokenKey() { stop_watching(); }

std::string TokenKey::obstacle() const {
  const std::lock_guard lock(mutex_);
  return obstacle_;
}

void TokenKey::set_obstacle(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (obstacle_ == why) return;
    obstacle_ = why;
  }
  if (!why.empty()) base::log_warning(why);
  changed();
}

void TokenKey::take_pin(SecretBytes pin) {
  const std::lock_guard lock(mutex_);
  pin_ = std::move(pin);
}

/// A new process, a new session, a new login, and a signature that shows it is the key. @pre this thread has the turn
Status TokenKey::open(const SecretBytes& pin) {
  {
    const std::lock_guard lock(mutex_);
    if (!refused_.empty() && refused_ == fingerprint(pin))
      return Error(Code::AuthFailed, "the token has refused this PIN: it is not tried again");
  }
  const auto opened = process_->call(Json::object({{"op", "open"}, {"pin", base::as_text(pin.view())}, {"with_key", true}}));
  if (!opened.ok()) {
    if (opened.error().code() == Code::AuthFailed) {
      const std::lock_guard lock(mutex_);
      refused_ = fingerprint(pin);
    }
    return opened.error();
  }
  return prove();
}

/// The token signs something that is no certificate: whatever fits label and id, only the key of the CA's certificate can.
Status TokenKey::prove() {
  Bytes message(kChallenge.begin(), kChallenge.end());
  const auto chance = base::random_bytes(kChallengeOctets);
  message.insert(message.end(), chance.begin(), chance.end());
  const bool long_digest = public_key().spec().kind == base::KeySpec::Kind::Ec && public_key().spec().bits > 256;
  PKI_TRY(const auto algorithm, crypto::algorithm_for(public_key().spec(), long_digest ? "sha384" : "sha256"));
  PKI_TRY(const auto signature, sign_once(algorithm, message));
  if (public_key().verify(algorithm, message, signature).ok()) return {};
  return Error(Code::BadConfig, "the token's key is another one than the CA's certificate has, or does not sign truly",
               "key_label and key_id of ca.config.yml");
}

Result<Bytes> TokenKey::sign_once(crypto::SignatureAlgorithm algorithm, ByteView message) {
  const auto* const way = std::ranges::find(kWays, algorithm, &Way::algorithm);
  if (way == kWays.end()) return Error(Code::BadKey, "no token signs " + std::string(crypto::to_text(algorithm)) + " here");
  auto data = base::from_hex(way->prefix).value();
  const auto digest = way->digest(message);
  data.insert(data.end(), digest.begin(), digest.end());
  PKI_TRY(const auto reply, process_->call(Json::object({{"op", "sign"}, {"rsa", way->rsa}, {"data", base::to_base64(data)}})));
  PKI_TRY(auto signature, base::from_base64(reply.text("signature")));
  return way->rsa ? Result<Bytes>(std::move(signature)) : crypto::ecdsa_raw_to_der(signature);
}

Result<Bytes> TokenKey::make_signature(crypto::SignatureAlgorithm algorithm, ByteView message) {
  PKI_TRY_VOID(check_usable());
  PKI_TRY(const auto turn, Turn::take(*this));
  PKI_TRY_VOID(check_usable());  // whoever had the turn before may have found it gone
  auto signature = sign_once(algorithm, message);
  const bool lost = !signature.ok() && signature.error().code() != Code::Timeout;
  if (lost && reopen().ok()) {  // a session that has ended is no token that is gone
    turn->renew();
    signature = sign_once(algorithm, message);
  }
  if (!signature.ok()) {
    set_obstacle(kToken + signature.error().message());
    return check_usable().error();
  }
  const std::lock_guard lock(mutex_);
  last_answer_ = Clock::now();
  return signature;
}

void TokenKey::distrust(const Error& why) {
  set_obstacle(kToken + "it gave a signature that is none of its key: " + why.message());
}

/// @pre this thread has the turn
Status TokenKey::reopen() {
  SecretBytes pin;
  {
    const std::lock_guard lock(mutex_);
    pin = SecretBytes(base::as_text(pin_.view()));
  }
  if (pin.empty()) return Error(Code::Unavailable, kLocked);
  return open(pin);
}

Result<SecretBytes> read_pin(const config::RealmConfig& realm) {
  const auto& token = realm.keys.token;
  if (realm.keys.secret.from_people())
    return Error(Code::Unavailable, "the PIN comes from people, once the signer runs (secret.method)");
  if (token.pin_credential.empty()) return read_passphrase_file(token.pin_file);
  PKI_TRY(const auto file, credential_file(token.pin_credential));
  return read_passphrase_file(file);
}

Status TokenKey::connect() {
  PKI_TRY(auto process, TokenProcess::start(config_.token));
  process_.emplace(std::move(process));
  if (config_.secret.from_people()) return {};
  config::RealmConfig realm(RealmName::parse(name_).value());
  realm.keys = config_;
  PKI_TRY(auto pin, signer::read_pin(realm));
  take_pin(std::move(pin));
  PKI_TRY(const auto turn, Turn::take(*this));
  const auto opened = reopen();
  set_obstacle(opened.ok() ? "" : kToken + opened.error().message());
  return {};
}

void TokenKey::adopt(TokenProcess process) {
  process_.emplace(std::move(process));
  set_obstacle("");
}

Status TokenKey::unlock(const SecretBytes& secret) {
  PKI_TRY(const auto turn, Turn::take(*this));
  PKI_TRY_VOID(open(secret));
  take_pin(SecretBytes(base::as_text(secret.view())));
  set_obstacle("");
  return {};
}

/// The session ends with its process; the next open makes another.
void TokenKey::lock() {
  take_pin(SecretBytes());
  const auto turn = Turn::take(*this);
  if (turn.ok() && process_) (void)process_->call(Json::object({{"op", "end"}}));
  set_obstacle(kLocked);
}

void TokenKey::watch() {
  watch_ = std::thread([this] { run_watch(); });
}

void TokenKey::stop_watching() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (watch_.joinable()) watch_.join();
}

/// After a reload: the PIN's file may be another, and people may have mended what it was.
void TokenKey::look_again() {
  config::RealmConfig realm(RealmName::parse(name_).value());
  realm.keys = config_;
  if (auto pin = signer::read_pin(realm); pin.ok()) take_pin(std::move(pin).value());
  {
    const std::lock_guard lock(mutex_);
    look_now_ = true;
  }
  changed_.notify_all();
}

void TokenKey::run_watch() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kRound, [this] { return stopping_ || look_now_; });
      if (stopping_) return;
      look_now_ = false;
    }
    round();
  }
}

/// One look: at a token that has been quiet, whether it is there; for one that is away, whether it is back.
void TokenKey::round() {
  bool away = false;
  {
    const std::lock_guard lock(mutex_);
    if (pin_.empty() || (obstacle_.empty() && Clock::now() < last_answer_ + kQuiet)) return;
    away = !obstacle_.empty();
  }
  Status found;
  {
    const auto turn = Turn::take(*this);
    if (!turn.ok()) return;  // whoever has it finds out
    found = away ? reopen() : Status();
    if (!away) {
      const auto looked = process_->call(Json::object({{"op", "look"}}));
      if (!looked.ok()) found = reopen();
    }
    if (process_->is_lost()) end_for_want_of_a_keeper();
    const std::lock_guard lock(mutex_);
    if (found.ok()) last_answer_ = Clock::now();
  }
  if (!found.ok()) return set_obstacle(kToken + found.error().message());
  if (!away) return;
  set_obstacle("");
  base::log_info("the token is back");
  usable();
}

Result<crypto::PublicKey> public_key_of(TokenProcess& process) {
  PKI_TRY(const auto reply, process.call(Json::object({{"op", "public"}})));
  PKI_TRY(const auto first, base::from_base64(reply.text("first")));
  PKI_TRY(const auto second, base::from_base64(reply.text("second")));
  const auto bits = static_cast<int>(reply.integer("bits"));
  return bits == 0 ? crypto::PublicKey::from_rsa(first, second) : crypto::PublicKey::from_ec(bits, first, second);
}

}  // namespace chancery::signer
