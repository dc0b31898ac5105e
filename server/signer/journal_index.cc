#include <algorithm>
#include <cstring>

#include "server/crypto/digest.h"
#include "server/signer/journal.h"
#include "server/signer/service_messages.h"
#include "server/x509/reasons.h"
#include "server/x509/tbs.h"

namespace chancery::signer {
namespace {

/// Serials are random and digests are hashes already, so any eight octets will do; the last ones are random in serials of every
/// kind.
template <class Octets>
std::size_t last_octets(const Octets& octets) {
  std::size_t out = 0;
  std::memcpy(&out, octets.data() + octets.size() - sizeof(out), sizeof(out));
  return out;
}

/// What stands for an end that cannot be read (RFC 5280 4.1.2.5): 9999-12-31T23:59:59Z.
constexpr Seconds kNoEnd{std::chrono::seconds{253402300799}};

/// Of a record's TBS. One that cannot be read ends never, as far as anybody knows.
x509::TbsEnd end_in(const Json& body) {
  const auto tbs = base::from_base64(body.text("tbs"));
  const auto end = tbs.ok() ? x509::end_of(*tbs) : Result<x509::TbsEnd>(tbs.error());
  return end.ok() ? *end : x509::TbsEnd{kNoEnd, false};
}

/// Nobody asks about the certificate of an OCSP responder (RFC 6960 4.2.2.2.1), so it keeps no CA from its end.
bool is_responders(const Json& body) { return body.text("rule") == kServiceRule && body.text("profile") == "ocsp"; }

Error cannot_stand(std::string what) { return {Code::Corrupt, std::move(what)}; }

}  // namespace

struct JournalIndex::Kind {
  std::string_view name;
  Status (JournalIndex::*add)(std::uint64_t offset, const Json& body);
};
const std::array<JournalIndex::Kind, 8> JournalIndex::kKinds{{
    {kAnchor, &JournalIndex::add_anchor},
    {kCrl, &JournalIndex::add_crl},
    {kEvent, &JournalIndex::add_event},
    {kGeneration, &JournalIndex::add_generation},
    {kGenesis, &JournalIndex::add_genesis},
    {kImported, &JournalIndex::add_imported},
    {kIntent, &JournalIndex::add_intent},
    {kSignature, &JournalIndex::add_signature},
}};

std::size_t JournalIndex::Hash::operator()(const SerialOctets& octets) const { return last_octets(octets); }
std::size_t JournalIndex::Hash::operator()(const KeyDigest& digest) const { return last_octets(digest); }

JournalIndex::SerialOctets JournalIndex::octets_of(const Serial& serial) {
  const auto magnitude = serial.octets();
  SerialOctets out{};
  std::ranges::copy_backward(magnitude, out.end());
  return out;
}

JournalIndex::KeyDigest JournalIndex::digest_of(const std::string& key) {
  KeyDigest out{};
  std::ranges::copy(crypto::sha256(base::as_bytes(key)), out.begin());
  return out;
}

Status JournalIndex::add(std::uint64_t offset, const Json& body) {
  const auto name = body.text("kind");
  const auto found = std::ranges::find(kKinds, name, &Kind::name);
  if (found == kKinds.end()) return cannot_stand("is of an unknown kind");
  if (genesis_.has_value() == (name == kGenesis))
    return cannot_stand(genesis_ ? "is a second genesis" : "comes before the genesis");
  return (this->*found->add)(offset, body);
}

Status JournalIndex::add_genesis(std::uint64_t /*offset*/, const Json& body) {
  PKI_TRY(genesis_, genesis_from(body));
  return {};
}

Status JournalIndex::add_anchor(std::uint64_t /*offset*/, const Json& body) {
  PKI_TRY(const auto serial, Serial::from_hex(body.text("serial")));
  // A certificate that is brought comes from another issuer, so its serial says nothing about ours, and may come twice.
  if (body.find("tbs") == nullptr) return {};
  const auto place = place_of(body);
  const auto end = end_in(body);
  if (!by_serial_.emplace(octets_of(serial), Known{kNone, kNone, place, end.not_after}).second)
    return cannot_stand("uses serial " + serial.hex() + " a second time");
  if (!end.is_self_issued) note_end(place, end.not_after);
  return {};
}

Status JournalIndex::add_intent(std::uint64_t offset, const Json& body) {
  PKI_TRY(const auto serial, Serial::from_hex(body.text("serial")));
  const auto octets = octets_of(serial);
  const auto place = place_of(body);
  const auto end = end_in(body).not_after;
  if (!by_serial_.emplace(octets, Known{offset, kNone, place, end}).second)
    return cannot_stand("uses serial " + serial.hex() + " a second time");
  if (!is_responders(body)) note_end(place, end);
  const auto key = body.text("idempotency_key");
  if (!key.empty()) by_idempotency_key_.emplace(digest_of(key), octets);
  unfinished_.insert(offset);
  return {};
}

/// One record is intent and signature of it.
Status JournalIndex::add_imported(std::uint64_t offset, const Json& body) {
  PKI_TRY(const auto serial, Serial::from_hex(body.text("serial")));
  const auto* facts = body.find("facts");
  const auto taken_over = facts == nullptr ? Result<TakenOver>(Error(Code::Malformed, "")) : taken_over_from_json(*facts);
  const auto end = taken_over.ok() ? taken_over->not_after : Seconds{};
  if (!by_serial_.emplace(octets_of(serial), Known{offset, offset, 0, end}).second)
    return cannot_stand("uses serial " + serial.hex() + " a second time");
  signed_.emplace_back(offset, offset);
  note_end(0, end != Seconds{} ? end : kNoEnd);  // of a lost one only the serial is known
  return {};
}

Status JournalIndex::add_signature(std::uint64_t offset, const Json& body) {
  PKI_TRY(const auto serial, Serial::from_hex(body.text("serial")));
  const auto known = by_serial_.find(octets_of(serial));
  if (known == by_serial_.end() || known->second.intent == kNone) return cannot_stand("is a signature without an intent");
  if (known->second.signature != kNone) return cannot_stand("is a second signature of serial " + serial.hex());
  known->second.signature = offset;
  signed_.emplace_back(offset, known->second.intent);
  unfinished_.erase(known->second.intent);
  return {};
}

Status JournalIndex::add_crl(std::uint64_t /*offset*/, const Json& body) {
  const auto number = static_cast<std::uint64_t>(body.integer("number"));
  auto& last = last_crls_[body.text("ca", cas_.front())];
  if (number <= last.number) return cannot_stand("has a CRL number that is not above the last one");
  last = {number, base::from_epoch(body.integer("this_update"))};
  return {};
}

/// Events are evidence for people. By one kind of them it is decided: whose certificate was revoked approves nothing any more. A
/// hold may be taken back, another revocation not (RFC 5280 5.3.1).
Status JournalIndex::add_event(std::uint64_t /*offset*/, const Json& body) {
  if (body.text("what") != kStateChange) return {};
  const auto about = wire::parse_json(body.text("about"));
  const auto serial = about.ok() ? Serial::from_hex(about->text("serial")) : Result<Serial>(about.error());
  if (!serial.ok()) return {};  // evidence all the same
  const auto octets = octets_of(*serial);
  const auto reason = about->text("reason");
  if (!reason.empty()) {
    const auto at = base::from_epoch(body.integer("at"));
    const bool for_good = reason != x509::reason_name(x509::kReasonCertificateHold);
    const auto [revoked, is_new] = revoked_.emplace(octets, Revoked{for_good, at});
    if (for_good) revoked->second.for_good = true;
  } else if (const auto held = revoked_.find(octets); held != revoked_.end() && !held->second.for_good) {
    revoked_.erase(held);
  }
  return {};
}

bool JournalIndex::is_revoked_for_good(const Serial& serial) const {
  const auto found = revoked_.find(octets_of(serial));
  return found != revoked_.end() && found->second.for_good;
}

/// One that has ended stands on one CRL after that (RFC 5280 3.3), and may be missing from the next.
std::optional<Serial> JournalIndex::lacking_in(const std::string& ca, const std::vector<x509::RevokedEntry>& entries,
                                               Seconds revoked_by) const {
  const auto place = std::ranges::find(cas_, ca) - cas_.begin();
  const auto since = last_crl(ca).update;
  std::unordered_set<SerialOctets, Hash> listed;
  listed.reserve(entries.size());
  for (const auto& entry : entries) listed.insert(octets_of(entry.serial));
  for (const auto& [octets, revoked] : revoked_) {
    if (revoked.since > revoked_by || listed.contains(octets)) continue;
    const auto found = by_serial_.find(octets);  // of one that the journal has not signed nobody knows whose it is
    if (found == by_serial_.end() || found->second.ca != place || found->second.end < since) continue;
    const bool is_signed = found->second.intent == kNone || found->second.signature != kNone;
    if (!is_signed) continue;
    if (auto serial = Serial::from_octets(octets); serial.ok()) return std::move(serial).value();
  }
  return std::nullopt;
}

Status JournalIndex::add_generation(std::uint64_t /*offset*/, const Json& body) {
  const auto ca = body.text("ca");
  const auto state = realm::generation_state(body.text("state"));
  if (!realm::parse_label(ca).ok() || !state) return cannot_stand("is of a generation or a state that there is not");
  const auto before = generation(ca);
  if (before && before->state != *state && !realm::may_follow(before->state, *state))
    return cannot_stand("has a state of generation " + ca + " that cannot follow");
  generations_[ca] = {*state, body.text("key")};
  return {};
}

std::uint16_t JournalIndex::place_of(const Json& body) {
  const auto ca = body.text("ca", cas_.front());
  const auto found = std::ranges::find(cas_, ca);
  const auto place = static_cast<std::uint16_t>(found - cas_.begin());
  if (found == cas_.end()) cas_.push_back(ca);
  return place;
}

void JournalIndex::note_end(std::uint16_t place, Seconds end) {
  if (last_ends_.size() <= place) last_ends_.resize(place + std::size_t{1});
  auto& last = last_ends_[place];
  last = std::max(last.value_or(end), end);
}

std::optional<Seconds> JournalIndex::last_end(const std::string& ca) const {
  const auto place = static_cast<std::size_t>(std::ranges::find(cas_, ca) - cas_.begin());
  return place < last_ends_.size() ? last_ends_[place] : std::nullopt;
}

JournalIndex::LastCrl JournalIndex::last_crl(const std::string& ca) const {
  const auto found = last_crls_.find(ca);
  return found == last_crls_.end() ? LastCrl() : found->second;
}

std::optional<JournalIndex::GenerationFacts> JournalIndex::generation(const std::string& ca) const {
  const auto found = generations_.find(ca);
  if (found != generations_.end()) return found->second;
  if (ca != cas_.front() || !genesis_) return std::nullopt;
  return GenerationFacts{realm::GenerationState::Active, genesis_->key_sha256};
}

std::optional<std::string> JournalIndex::ca_of(const Serial& serial) const {
  const auto* known = by_serial(serial);
  return known == nullptr ? std::nullopt : std::optional(cas_.at(known->ca));
}

const JournalIndex::Known* JournalIndex::by_serial(const Serial& serial) const {
  const auto found = by_serial_.find(octets_of(serial));
  return found == by_serial_.end() ? nullptr : &found->second;
}

const JournalIndex::Known* JournalIndex::by_idempotency_key(const std::string& key) const {
  if (key.empty()) return nullptr;
  const auto found = by_idempotency_key_.find(digest_of(key));
  return found == by_idempotency_key_.end() ? nullptr : &by_serial_.at(found->second);
}

std::vector<JournalIndex::Known> JournalIndex::signed_between(std::uint64_t from, std::uint64_t to, std::size_t limit) const {
  std::vector<Known> out;
  for (auto it = std::ranges::lower_bound(signed_, std::pair(from, std::uint64_t{0})); it != signed_.end(); ++it) {
    if (it->first >= to || out.size() == limit) break;
    out.push_back({it->second, it->first, 0});
  }
  return out;
}

std::vector<JournalIndex::Known> JournalIndex::unfinished() const {
  std::vector<Known> out;
  for (const auto intent : unfinished_) out.push_back({intent, kNone, 0});
  return out;
}

}  // namespace chancery::signer
