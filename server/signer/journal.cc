#include "server/signer/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "server/base/log.h"
#include "server/crypto/digest.h"

namespace chancery::signer {
namespace {

constexpr std::size_t kLengthOctets = 4;
constexpr std::size_t kHashOctets = 32;
constexpr std::size_t kHeaderOctets = kLengthOctets + kHashOctets;
constexpr std::size_t kMaxBody = 1U << 20;
constexpr std::string_view kGenesis = "genesis";
constexpr std::string_view kIntent = "intent";
constexpr std::string_view kSignature = "signature";
constexpr std::string_view kCrl = "crl";

Bytes chain_hash(const Bytes& before, std::string_view body) {
  Bytes joined = before;
  joined.insert(joined.end(), body.begin(), body.end());
  return crypto::sha256(joined);
}

Error corrupt_at(std::uint64_t offset, const std::string& what) {
  return {Code::Corrupt, "journal.log: the record at octet " + std::to_string(offset) + " " + what,
          "the journal is evidence: keep this file, and restore it from a backup that is not older than the store"};
}

std::uint32_t length_of(const std::uint8_t* octets) {
  return std::uint32_t{octets[0]} << 24 | std::uint32_t{octets[1]} << 16 | std::uint32_t{octets[2]} << 8 | octets[3];
}

/// Reads up to `count` octets; fewer only at the end of the file.
Result<Bytes> read_octets(int fd, std::uint64_t offset, std::size_t count) {
  Bytes out(count);
  std::size_t have = 0;
  while (have < count) {
    const auto got = ::pread(fd, out.data() + have, count - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::io_error("read journal.log", errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  out.resize(have);
  return out;
}

Json to_json(const Intent& intent) {
  return Json::object({{"kind", kIntent},
                       {"serial", intent.serial.hex()},
                       {"profile", intent.profile},
                       {"digest", intent.digest},
                       {"tbs", base::to_base64(intent.tbs)},
                       {"spki", intent.spki_sha256},
                       {"requester", intent.requester},
                       {"front_end", intent.front_end},
                       {"rule", intent.rule},
                       {"evidence", intent.evidence},
                       {"idempotency_key", intent.idempotency_key},
                       {"at", base::to_epoch(intent.at)}});
}

Result<Intent> intent_from(const Json& body) {
  PKI_TRY(auto serial, Serial::from_hex(body.text("serial")));
  PKI_TRY(auto tbs, base::from_base64(body.text("tbs")));
  return Intent{.serial = std::move(serial),
                .profile = body.text("profile"),
                .digest = body.text("digest"),
                .tbs = std::move(tbs),
                .spki_sha256 = body.text("spki"),
                .requester = body.text("requester"),
                .front_end = body.text("front_end"),
                .rule = body.text("rule"),
                .evidence = body.text("evidence"),
                .idempotency_key = body.text("idempotency_key"),
                .at = base::from_epoch(body.integer("at"))};
}

std::string digest_of(const Bytes& bytes) { return base::to_hex(crypto::sha256(bytes)); }

}  // namespace

Journal::Journal(base::UniqueFd file) : file_(std::move(file)), last_hash_(kHashOctets, 0) {}

Journal::~Journal() = default;

Result<std::unique_ptr<Journal>> Journal::open(const base::Path& directory, const RealmName& realm) {
  PKI_TRY_VOID(base::make_directories(directory, 0700));
  const auto path = directory / "journal.log";
  base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return base::io_error("open " + path.string(), errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(errno == EWOULDBLOCK ? Code::Busy : Code::Io, path.string() + " is held by another signer");
  }
  auto journal = std::make_unique<Journal>(std::move(fd));
  PKI_TRY_VOID(journal->read_all());
  PKI_TRY_VOID(journal->check_realm(realm));
  PKI_TRY_VOID(base::sync_directory(directory));
  return journal;
}

Status Journal::read_all() {
  struct stat found{};
  if (::fstat(file_.get(), &found) != 0) return base::io_error("stat journal.log", errno);
  const auto size = static_cast<std::uint64_t>(found.st_size);
  std::uint64_t offset = 0;
  while (offset < size) {
    PKI_TRY(const auto header, read_octets(file_.get(), offset, kHeaderOctets));
    const auto length = header.size() < kHeaderOctets ? 0 : length_of(header.data());
    if (header.size() == kHeaderOctets && (length == 0 || length > kMaxBody)) return corrupt_at(offset, "has an impossible length");
    if (header.size() < kHeaderOctets || offset + kHeaderOctets + length > size) break;
    PKI_TRY(const auto octets, read_octets(file_.get(), offset + kHeaderOctets, length));
    const auto body = base::as_text(octets);
    auto hash = chain_hash(last_hash_, body);
    if (!std::equal(hash.begin(), hash.end(), header.begin() + kLengthOctets)) return corrupt_at(offset, "does not follow from the one before it");
    const auto json = wire::parse_json(body);
    if (!json.ok()) return corrupt_at(offset, "is not JSON");
    PKI_TRY_VOID(index(offset, *json));
    last_hash_ = std::move(hash);
    offset += kHeaderOctets + length;
  }
  if (offset < size) {
    base::log_warning("journal.log: " + std::to_string(size - offset) + " octets of an unfinished record cut from the end");
    if (::ftruncate(file_.get(), static_cast<off_t>(offset)) != 0 || ::fsync(file_.get()) != 0) return base::io_error("truncate journal.log", errno);
  }
  end_ = durable_ = offset;
  return {};
}

Status Journal::index(std::uint64_t offset, const Json& body) {
  const auto kind = body.text("kind");
  const auto serial = body.text("serial");
  if (kind == kGenesis) {
    realm_ = body.text("realm");
  } else if (kind == kIntent) {
    PKI_TRY(const auto intent, intent_from(body));
    by_serial_[serial] = Known{offset, std::nullopt, digest_of(intent.tbs), intent.digest, intent.spki_sha256};
    if (!intent.idempotency_key.empty()) by_idempotency_key_[intent.idempotency_key] = serial;
    unsigned_.insert(serial);
  } else if (kind == kSignature) {
    const auto known = by_serial_.find(serial);
    if (known == by_serial_.end()) return corrupt_at(offset, "is a signature without an intent");
    known->second.signature_offset = offset;
    signed_at_[offset] = serial;
    unsigned_.erase(serial);
  } else if (kind == kCrl) {
    last_crl_number_ = static_cast<std::uint64_t>(body.integer("number"));
    last_crl_update_ = base::from_epoch(body.integer("this_update"));
  } else {
    return corrupt_at(offset, "is of an unknown kind");
  }
  return {};
}

Status Journal::check_realm(const RealmName& realm) {
  std::unique_lock lock(mutex_);
  if (end_ == 0) {
    PKI_TRY([[maybe_unused]] const auto offset, append(Json::object({{"kind", kGenesis}, {"realm", realm.text()}})));
    const auto end = end_;
    lock.unlock();
    wait_durable(end);
    return {};
  }
  if (realm_ == realm.text()) return {};
  return Error(Code::BadConfig, "the journal belongs to realm \"" + realm_ + "\", expected \"" + realm.text() + "\"");
}

Result<std::uint64_t> Journal::append(const Json& body) {
  const auto text = wire::to_text(body);
  PKI_CHECK(text.size() <= kMaxBody);
  auto hash = chain_hash(last_hash_, text);
  const auto length = static_cast<std::uint32_t>(text.size());
  Bytes record{static_cast<std::uint8_t>(length >> 24), static_cast<std::uint8_t>(length >> 16), static_cast<std::uint8_t>(length >> 8),
               static_cast<std::uint8_t>(length)};
  record.insert(record.end(), hash.begin(), hash.end());
  record.insert(record.end(), text.begin(), text.end());
  const auto offset = end_;
  std::size_t done = 0;
  while (done < record.size()) {
    const auto wrote = ::pwrite(file_.get(), record.data() + done, record.size() - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    // A disk that is full leaves half a record; the next one overwrites it, since the end has not moved.
    if (wrote < 0) return base::io_error("write journal.log", errno);
    done += static_cast<std::size_t>(wrote);
  }
  PKI_TRY_VOID(index(offset, body));
  last_hash_ = std::move(hash);
  end_ = offset + record.size();
  return offset;
}

void Journal::wait_durable(std::uint64_t end) {
  std::unique_lock lock(mutex_);
  while (durable_ < end) {
    if (syncing_) {
      synced_.wait(lock);
      continue;
    }
    syncing_ = true;
    const auto target = end_;  // everything written so far shares this one
    lock.unlock();
    const bool synced = ::fdatasync(file_.get()) == 0;
    if (!synced) {
      // What the kernel dropped it will not report twice: nothing here may be believed any more (PROMISES F8).
      base::log_error("journal.log: " + base::io_error("fdatasync", errno).message() + ": the signer stops");
      std::_Exit(74);
    }
    lock.lock();
    syncing_ = false;
    durable_ = std::max(durable_, target);
    synced_.notify_all();
  }
}

Result<Json> Journal::read_at(std::uint64_t offset) const {
  PKI_TRY(const auto header, read_octets(file_.get(), offset, kHeaderOctets));
  if (header.size() < kHeaderOctets) return corrupt_at(offset, "is cut off");
  PKI_TRY(const auto octets, read_octets(file_.get(), offset + kHeaderOctets, length_of(header.data())));
  const auto body = wire::parse_json(base::as_text(octets));
  return body.ok() ? body : Result<Json>(corrupt_at(offset, "is not JSON"));
}

Result<Entry> Journal::entry_of(const Serial& serial, const Known& known) const {
  PKI_TRY(const auto body, read_at(known.intent_offset));
  PKI_TRY(auto intent, intent_from(body));
  PKI_CHECK(intent.serial == serial);
  Entry entry{known.intent_offset, std::move(intent), std::nullopt};
  if (known.signature_offset) {
    PKI_TRY(const auto signature, read_at(*known.signature_offset));
    PKI_TRY(entry.signature, base::from_base64(signature.text("signature")));
    entry.position = *known.signature_offset;
  }
  return entry;
}

Result<Entry> Journal::begin(const Intent& intent) {
  std::unique_lock lock(mutex_);
  std::string serial = intent.serial.hex();
  if (!intent.idempotency_key.empty()) {
    const auto earlier = by_idempotency_key_.find(intent.idempotency_key);
    if (earlier != by_idempotency_key_.end()) {
      serial = earlier->second;
      if (by_serial_.at(serial).digest != intent.digest) {
        return Error(Code::Conflict, "the idempotency key was used for another request", "take a new key for a new request");
      }
    }
  }
  const auto known = by_serial_.find(serial);
  if (known == by_serial_.end()) {
    PKI_TRY(const auto offset, append(to_json(intent)));
    const auto end = end_;
    lock.unlock();
    wait_durable(end);
    return Entry{offset, intent, std::nullopt};
  }
  const bool same_key = serial != intent.serial.hex() || (!intent.idempotency_key.empty() && by_idempotency_key_.contains(intent.idempotency_key));
  if (!same_key && known->second.tbs_digest != digest_of(intent.tbs)) {
    return Error(Code::Exists, "serial " + serial + " was used for another certificate");
  }
  const auto end = end_;
  auto entry = entry_of(Serial::from_hex(serial).value(), known->second);
  lock.unlock();
  wait_durable(end);  // another thread may have written it and not yet waited
  return entry;
}

Result<Bytes> Journal::finish(const Serial& serial, const Bytes& signature) {
  std::unique_lock lock(mutex_);
  const auto known = by_serial_.find(serial.hex());
  PKI_CHECK(known != by_serial_.end());
  Bytes standing = signature;
  if (known->second.signature_offset) {
    PKI_TRY(const auto record, read_at(*known->second.signature_offset));
    PKI_TRY(standing, base::from_base64(record.text("signature")));
  } else {
    PKI_TRY([[maybe_unused]] const auto offset,
            append(Json::object({{"kind", kSignature}, {"serial", serial.hex()}, {"signature", base::to_base64(signature)}})));
  }
  const auto end = end_;
  lock.unlock();
  wait_durable(end);
  return standing;
}

Status Journal::begin_crl(std::uint64_t number, Seconds this_update, std::string_view digest) {
  std::unique_lock lock(mutex_);
  if (number <= last_crl_number_) {
    return Error(Code::Conflict, "CRL number " + std::to_string(number) + ", expected more than " + std::to_string(last_crl_number_));
  }
  if (this_update < last_crl_update_) {
    return Error(Code::Conflict, "thisUpdate " + base::to_rfc3339(this_update) + " lies before the last CRL's, " + base::to_rfc3339(last_crl_update_),
                 "is this machine's clock right?");
  }
  PKI_TRY([[maybe_unused]] const auto offset, append(Json::object({{"kind", kCrl},
                                                                   {"number", static_cast<std::int64_t>(number)},
                                                                   {"this_update", base::to_epoch(this_update)},
                                                                   {"digest", digest}})));
  const auto end = end_;
  lock.unlock();
  wait_durable(end);
  return {};
}

std::uint64_t Journal::last_crl_number() const {
  const std::lock_guard lock(mutex_);
  return last_crl_number_;
}

bool Journal::has_key_of(const Serial& serial, std::string_view spki_sha256) const {
  const std::lock_guard lock(mutex_);
  const auto known = by_serial_.find(serial.hex());
  return known != by_serial_.end() && known->second.signature_offset && known->second.spki_sha256 == spki_sha256;
}

Result<std::pair<std::vector<Entry>, std::uint64_t>> Journal::since(std::uint64_t position, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::pair<std::vector<Entry>, std::uint64_t> page{{}, position};
  for (auto it = signed_at_.lower_bound(position); it != signed_at_.end() && page.first.size() < limit; ++it) {
    PKI_TRY(auto entry, entry_of(Serial::from_hex(it->second).value(), by_serial_.at(it->second)));
    page.first.push_back(std::move(entry));
    page.second = it->first + 1;
  }
  return page;
}

Result<std::vector<Entry>> Journal::unfinished() const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> entries;
  for (const auto& serial : unsigned_) {
    PKI_TRY(auto entry, entry_of(Serial::from_hex(serial).value(), by_serial_.at(serial)));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::size_t Journal::size() const {
  const std::lock_guard lock(mutex_);
  return by_serial_.size();
}

}  // namespace chancery::signer
