#include "server/signer/journal.h"

#include <algorithm>
#include <filesystem>

#include "server/signer/service_messages.h"
#include "server/x509/tbs.h"

namespace chancery::signer {
namespace {

base::Path file_in(const base::Path& directory) { return directory / "journal.log"; }

Status check_owner(const JournalIndex& index, const Genesis& owner) {
  const auto& found = index.genesis();
  if (!found)
    return Error(Code::Corrupt, "the journal has no first record", "restore it from a backup that is not older than the store");
  if (found->realm != owner.realm) {
    return Error(Code::BadConfig,
                 "the journal belongs to realm \"" + found->realm.text() + "\", expected \"" + owner.realm.text() + "\"");
  }
  if (found->key_sha256 == owner.key_sha256) return {};
  return Error(Code::BadConfig, "the journal belongs to another CA key, with SHA-256 " + found->key_sha256,
               "a new key is a new CA: it begins in a directory without a journal");
}

Json to_body(const AuditEvent& event) {
  auto body = Json::object({{"kind", kEvent}});
  const auto members = to_json(event);
  for (const auto& [name, value] : *members.as_object()) body.set(name, value);
  return body;
}

/// What is known of the intent of a certificate that another program issued: nothing that could be signed.
Intent intent_of(const Imported& imported) {
  return Intent{.serial = imported.facts.serial,
                .profile = imported.profile,
                .digest = {},
                .tbs = {},
                .spki_sha256 = imported.spki_sha256,
                .requester = imported.requester,
                .front_end = {},
                .rule = std::string(kImportedRule),
                .evidence = imported.evidence,
                .idempotency_key = {},
                .at = imported.at};
}

/// A generation that drains certifies the key that answers for its certificates, for as long as these live (doc/services.md).
bool is_responder_until_the_end(const JournalIndex& index, const Intent& intent) {
  if (intent.rule != kServiceRule || intent.profile != "ocsp") return false;
  const auto end = x509::end_of(intent.tbs);
  const auto last = index.last_end(intent.ca);
  return end.ok() && last && end->not_after <= *last;
}

/// Under the lock of the appends: once a generation's end is durable, nothing more begins to be signed by it.
Status check_issues(const JournalIndex& index, const Intent& intent) {
  const auto& ca = intent.ca;
  const auto facts = index.generation(ca);
  if (!facts) return Error(Code::NotFound, "no generation \"" + ca + "\" of a CA in this realm");
  if (realm::may_issue(facts->state)) return {};
  if (facts->state == realm::GenerationState::Draining && is_responder_until_the_end(index, intent)) return {};
  return Error(Code::Conflict,
               "generation " + ca + " is " + std::string(realm::to_text(facts->state)) + " and issues no certificates",
               "ca.list says which one does");
}

/// A generation ends when nothing that it signed lives: a revoked certificate stays on CRLs until it was on one from after its
/// end (RFC 5280 3.3). @pre the lock of the appends; a generation that drains signs nothing meanwhile
Status check_drained(const JournalIndex& index, const StateChangeOfCa& change, Seconds ca_end) {
  auto end = index.last_end(change.ca);
  if (!end) return {};
  end = std::min(*end, ca_end);
  const auto generation = "generation " + change.ca;
  if (change.at <= *end) {
    return Error(Code::Conflict, generation + " has signed certificates that expire as late as " + base::to_rfc3339(*end),
                 "its CRLs are needed until then, for revoked ones, too");
  }
  if (index.last_crl(change.ca).update > *end) return {};
  return Error(Code::Conflict,
               generation + " has made no CRL since its last certificate expired, " + base::to_rfc3339(*end) +
                   ", and the last one has to say what was revoked until then",
               "crl.issue --ca " + change.ca + " makes it");
}

/// Takes each record of a file into the index.
JournalFile::Visit into(JournalIndex& index) {
  return [&index](std::uint64_t offset, std::string_view body) -> Status {
    const auto json = wire::parse_json(body);
    if (!json.ok()) return Error(Code::Corrupt, "is not JSON");
    return index.add(offset, *json);
  };
}

}  // namespace

Status Journal::create(const base::Path& directory, const Genesis& genesis) {
  PKI_TRY_VOID(base::make_directories(directory, 0700));
  const auto path = file_in(directory);
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return Error(Code::Exists, path.string() + " is there already");
  return base::replace_file(path, JournalFile::first(wire::to_text(to_json(genesis))), 0600);
}

Result<std::unique_ptr<Journal>> Journal::open(const base::Path& directory, const Genesis& owner, JournalFile::Sync sync) {
  std::unique_ptr<Journal> journal(new Journal);
  PKI_TRY(journal->file_, JournalFile::open(file_in(directory), into(journal->index_), sync));
  PKI_TRY_VOID(check_owner(journal->index_, owner));
  return journal;
}

Status Journal::check(const base::Path& directory, const Genesis& owner) {
  JournalIndex index;
  PKI_TRY_VOID(JournalFile::scan(file_in(directory), into(index)));
  return check_owner(index, owner);
}

Result<std::map<std::string, JournalIndex::GenerationFacts>> Journal::generations_in(const base::Path& directory) {
  JournalIndex index;
  PKI_TRY_VOID(JournalFile::scan(file_in(directory), into(index)));
  return index.generations();
}

Result<std::uint64_t> Journal::append(const Json& body) {
  auto offset = file_->append(wire::to_text(body));
  fault_ = offset.ok() || offset.error().code() != Code::Io ? "" : offset.error().message();
  if (offset.ok()) index_.add(*offset, body).value();  // what may not stand here was refused before
  return offset;
}

Status Journal::append_durably(std::unique_lock<std::mutex> lock, const Json& body) {
  PKI_TRY([[maybe_unused]] const auto offset, append(body));
  const auto end = file_->end();
  lock.unlock();
  file_->wait_durable(end);
  return {};
}

Status Journal::add_anchor(const Anchor& anchor) {
  std::unique_lock lock(mutex_);
  if (!anchor.tbs.empty() && index_.by_serial(anchor.serial) != nullptr) {
    return Error(Code::Exists, "serial " + anchor.serial.hex() + " was used for another certificate");
  }
  return append_durably(std::move(lock), to_json(anchor));
}

Status Journal::add_history(const std::vector<Imported>& certificates, const std::vector<AuditEvent>& events) {
  std::unique_lock lock(mutex_);
  for (const auto& one : certificates) {
    if (index_.by_serial(one.facts.serial) != nullptr)
      return Error(Code::Exists, "serial " + one.facts.serial.hex() + " was used for another certificate");
    PKI_TRY([[maybe_unused]] const auto offset, append(to_json(one)));
  }
  for (const auto& event : events) {
    PKI_TRY([[maybe_unused]] const auto offset, append(to_body(event)));
  }
  const auto end = file_->end();
  lock.unlock();
  file_->wait_durable(end);
  return {};
}

/// The earlier entry that the intent repeats, if there is one. @pre mutex_ held
Result<std::optional<Entry>> Journal::standing_for(const Intent& intent) const {
  if (const auto* earlier = index_.by_idempotency_key(intent.idempotency_key)) {
    PKI_TRY(auto entry, read_entry(*earlier));
    if (entry.intent.digest == intent.digest) return std::optional(std::move(entry));
    return Error(Code::Conflict, "the idempotency key was used for another request", "take a new key for a new request");
  }
  const auto* known = index_.by_serial(intent.serial);
  if (known == nullptr) return std::optional<Entry>();
  if (known->intent != JournalIndex::kNone) {
    PKI_TRY(auto entry, read_entry(*known));
    if (entry.intent.tbs == intent.tbs) return std::optional(std::move(entry));
  }
  return Error(Code::Exists, "serial " + intent.serial.hex() + " was used for another certificate");
}

Result<Entry> Journal::begin(const Intent& intent) {
  std::unique_lock lock(mutex_);
  PKI_TRY(auto entry, standing_for(intent));
  if (!entry) {
    PKI_TRY_VOID(check_issues(index_, intent));
    PKI_TRY(const auto offset, append(to_json(intent)));
    entry = Entry{offset, intent, std::nullopt, std::nullopt};
  }
  const auto end = file_->end();
  lock.unlock();
  file_->wait_durable(end);  // also what was found: the thread that wrote it may still be waiting
  return std::move(*entry);
}

Result<Bytes> Journal::finish(const Serial& serial, const Bytes& signature) {
  std::unique_lock lock(mutex_);
  const auto* known = index_.by_serial(serial);
  PKI_CHECK(known != nullptr && known->intent != JournalIndex::kNone);
  Bytes standing = signature;
  if (known->signature != JournalIndex::kNone) {
    PKI_TRY(const auto body, read(known->signature));
    PKI_TRY(auto first, signature_from(body));
    standing = std::move(first.octets);
  } else {
    PKI_TRY([[maybe_unused]] const auto offset, append(to_json(Signature{serial, signature})));
  }
  const auto end = file_->end();
  lock.unlock();
  file_->wait_durable(end);
  return standing;
}

Status Journal::begin_crl(const CrlClaim& claim) {
  std::unique_lock lock(mutex_);
  const auto last = index_.last_crl(claim.ca);
  if (claim.number <= last.number) {
    return Error(Code::Conflict,
                 "CRL number " + std::to_string(claim.number) + ", expected more than " + std::to_string(last.number));
  }
  // One of a time to come was made by a clock that has been set back since. Verifiers take it no sooner than that (RFC 5280
  // 5.1.2.4), so what begins now follows it; what is older than now does not.
  constexpr std::chrono::minutes kSlack{5};
  const bool last_is_to_come = last.update > claim.at + kSlack && claim.this_update >= claim.at - kSlack;
  if (claim.this_update < last.update && !last_is_to_come) {
    return Error(
        Code::Conflict,
        "thisUpdate " + base::to_rfc3339(claim.this_update) + " lies before the last CRL's, " + base::to_rfc3339(last.update),
        "is this machine's clock right?");
  }
  return append_durably(std::move(lock), to_json(claim));
}

Status Journal::record(const AuditEvent& event) { return append_durably(std::unique_lock(mutex_), to_body(event)); }

Result<AuditPage> Journal::records_since(std::uint64_t position, std::size_t limit, std::string_view kind) const {
  AuditPage page{{}, position};
  const auto end = file_->durable();
  for (std::size_t looked_at = 0; looked_at < kMostLookedAt && page.next_position < end && page.records.size() < limit;
       ++looked_at) {
    const auto record = file_->read_with_end(page.next_position);
    // Where a page begins is the asker's word; that no record is there says nothing about the file.
    if (!record.ok() && position != 0 && page.next_position == position && record.error().code() == Code::Corrupt) {
      return Error(Code::InvalidParams, "no record of the journal begins at " + std::to_string(position),
                   "begin without a position, and go on with the `next` of each page");
    }
    if (!record.ok()) return record.error();
    const auto position_of_record = std::exchange(page.next_position, record->second);
    PKI_TRY(auto body, wire::parse_json(record->first));
    if (!kind.empty() && body.text("kind") != kind) continue;
    body.set("position", static_cast<std::int64_t>(position_of_record));
    page.records.push_back(std::move(body));
  }
  return page;
}

std::string Journal::fault() const {
  const std::lock_guard lock(mutex_);
  return fault_;
}

std::uint64_t Journal::last_crl_number(const std::string& ca) const {
  const std::lock_guard lock(mutex_);
  return index_.last_crl(ca).number;
}

Status Journal::set_generation(const StateChangeOfCa& change, Seconds ca_end) {
  std::unique_lock lock(mutex_);
  const auto wanted = realm::generation_state(change.state);
  PKI_CHECK(wanted.has_value());
  const auto before = index_.generation(change.ca);
  if (!before && *wanted != realm::GenerationState::Prepared)
    return Error(Code::NotFound, "no generation \"" + change.ca + "\" of a CA in this realm");
  if (before && before->key_sha256 != change.key_sha256)
    return Error(Code::Conflict, "generation " + change.ca + " has another key, with SHA-256 " + before->key_sha256);
  if (before && before->state == *wanted) return {};
  if (before && !realm::may_follow(before->state, *wanted)) {
    return Error(Code::Conflict, "generation " + change.ca + " is " + std::string(realm::to_text(before->state)) +
                                     " and cannot be " + change.state + " any more");
  }
  if (*wanted == realm::GenerationState::Retired) PKI_TRY_VOID(check_drained(index_, change, ca_end));
  return append_durably(std::move(lock), to_json(change));
}

std::optional<Seconds> Journal::last_end(const std::string& ca) const {
  const std::lock_guard lock(mutex_);
  return index_.last_end(ca);
}

std::map<std::string, JournalIndex::GenerationFacts> Journal::generations() const {
  const std::lock_guard lock(mutex_);
  return index_.generations();
}

std::optional<std::string> Journal::ca_of(const Serial& serial) const {
  const std::lock_guard lock(mutex_);
  return index_.ca_of(serial);
}

Status Journal::check_all_of(const std::string& ca, const std::vector<x509::RevokedEntry>& entries) const {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries) {
    const auto owner = index_.ca_of(entry.serial);
    if (owner && *owner != ca)
      return Error(Code::PolicyRefused, "serial " + entry.serial.hex() + " on a CRL of " + ca + " is of " + *owner);
  }
  return {};
}

Status Journal::check_lists_all(const std::string& ca, const std::vector<x509::RevokedEntry>& entries, Seconds now) const {
  constexpr std::chrono::minutes kSettling{1};
  const std::lock_guard lock(mutex_);
  const auto lacking = index_.lacking_in(ca, entries, now - kSettling);
  if (!lacking) return {};
  return Error(Code::Conflict, "certificate " + lacking->hex() + " is missing from the CRL, and the journal has it revoked",
               "realm.reconcile brings what a crash kept from the store");
}

std::vector<Serial> Journal::unknown(const std::vector<Serial>& asked) const {
  const std::lock_guard lock(mutex_);
  std::vector<Serial> out;
  for (const auto& serial : asked) {
    if (index_.by_serial(serial) == nullptr) out.push_back(serial);
  }
  return out;
}

Result<bool> Journal::has_key_of(const Serial& serial, std::string_view spki_sha256) const {
  std::unique_lock lock(mutex_);
  const auto* known = index_.by_serial(serial);
  if (known == nullptr || known->signature == JournalIndex::kNone) return false;
  const auto intent = known->intent;
  lock.unlock();
  PKI_TRY(const auto body, read(intent));
  return body.text("spki") == spki_sha256;
}

Result<std::optional<Entry>> Journal::signed_entry(const Serial& serial) const {
  std::unique_lock lock(mutex_);
  const auto* known = index_.by_serial(serial);
  if (known == nullptr || known->signature == JournalIndex::kNone) return std::optional<Entry>();
  const auto place = *known;
  lock.unlock();
  PKI_TRY(auto entry, read_entry(place));
  return std::optional(std::move(entry));
}

bool Journal::is_revoked(const Serial& serial) const {
  const std::lock_guard lock(mutex_);
  return index_.is_revoked(serial);
}

bool Journal::is_revoked_for_good(const Serial& serial) const {
  const std::lock_guard lock(mutex_);
  return index_.is_revoked_for_good(serial);
}

Result<std::pair<std::vector<Entry>, std::uint64_t>> Journal::since(std::uint64_t position, std::size_t limit) const {
  std::unique_lock lock(mutex_);
  const auto known = index_.signed_between(position, file_->durable(), limit);
  lock.unlock();
  PKI_TRY(auto entries, read_entries(known));
  const auto next = known.empty() ? position : known.back().signature + 1;
  return std::pair(std::move(entries), next);
}

Result<std::vector<Entry>> Journal::unfinished() const {
  std::unique_lock lock(mutex_);
  const auto known = index_.unfinished();
  lock.unlock();
  return read_entries(known);
}

Result<Json> Journal::read(std::uint64_t offset) const {
  PKI_TRY(const auto body, file_->read(offset));
  return wire::parse_json(body);
}

Result<Entry> Journal::read_entry(const JournalIndex::Known& known) const {
  PKI_TRY(const auto body, read(known.intent));
  if (body.text("kind") == kImported) {
    PKI_TRY(auto imported, imported_from(body));
    return Entry{known.intent, intent_of(imported), std::nullopt, std::move(imported)};
  }
  PKI_TRY(auto intent, intent_from(body));
  if (known.signature == JournalIndex::kNone) return Entry{known.intent, std::move(intent), std::nullopt, std::nullopt};
  PKI_TRY(const auto last, read(known.signature));
  PKI_TRY(auto signature, signature_from(last));
  PKI_CHECK(signature.serial == intent.serial);
  return Entry{known.signature, std::move(intent), std::move(signature.octets), std::nullopt};
}

Result<std::vector<Entry>> Journal::read_entries(const std::vector<JournalIndex::Known>& known) const {
  std::vector<Entry> entries;
  entries.reserve(known.size());
  for (const auto& one : known) {
    PKI_TRY(auto entry, read_entry(one));
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace chancery::signer
