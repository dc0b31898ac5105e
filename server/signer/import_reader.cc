#include "server/signer/import_reader.h"

#include <algorithm>

#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/x509/pem.h"
#include "server/x509/reasons.h"

namespace chancery::signer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxTotalBytes = std::size_t{1} << 30;
constexpr std::uint64_t kMaxCrlNumber = std::uint64_t{1} << 62;

/// What a reason weighs against another of the same certificate: a hold may end, and a compromised key never heals.
int weight_of(std::string_view reason) {
  if (reason == "certificateHold") return 0;
  if (reason == "unspecified") return 1;
  return reason == "keyCompromise" || reason == "cACompromise" || reason == "aACompromise" ? 3 : 2;
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t kMaxShown = 120;
  return "\"" + base::printable(text, kMaxShown) + "\"";
}

Result<ImportReader> ImportReader::begin(ImportSource& out, Doubles doubles, Seconds now) {
  const auto chain = x509::certificates_from_pem(out.chain_pem, x509::kMaxChain);
  if (!chain.ok()) return chain.error().within(out.certificate_file.string());
  if (chain->empty())
    return Error(Code::Malformed, out.certificate_file.string() + ": found no certificate in PEM, expected the CA's");
  return ImportReader(out, *chain, doubles, now);
}

ImportReader::ImportReader(ImportSource& out, std::vector<x509::Certificate> chain, Doubles doubles, Seconds now)
    : out_(&out), chain_(std::move(chain)), doubles_(doubles), now_(now) {}

Status ImportReader::one(const std::string& place, std::size_t max, const Take& take) {
  if (!files::is_there(out_->directory / place)) return {};
  auto content = files::read_unlinked(out_->directory / place, max);
  if (!content.ok() && content.error().code() == Code::Malformed) {
    odd(shown(place) + " " + content.error().message() + ": passed over");
    return {};
  }
  if (!content.ok()) return content.error();
  total_bytes_ += content->size();
  if (total_bytes_ > kMaxTotalBytes)
    return Error(Code::TooLarge, out_->directory.string() + " holds more than 1 GiB", "take what is not the CA's out of it");
  digests_ += place + ":" + crypto::sha256_hex(base::as_bytes(*content)) + "\n";
  return take(place, std::move(content).value());
}

bool ImportReader::is_directory(const std::string& part) {
  std::error_code failure;
  const auto kind = fs::symlink_status(out_->directory / part, failure).type();
  if (kind != fs::file_type::directory && kind != fs::file_type::not_found)
    odd(shown(part) + " is no directory of its own: passed over");
  return kind == fs::file_type::directory;
}

Result<std::set<std::string>> ImportReader::names_in(const std::string& part) {
  std::set<std::string> names;
  if (!is_directory(part)) return names;
  std::error_code failure;
  for (fs::directory_iterator it(out_->directory / part, failure), end; !failure && it != end; it.increment(failure))
    names.insert(it->path().filename().string());
  if (failure) return base::io_error("list " + (out_->directory / part).string(), failure.value());
  return names;
}

Status ImportReader::each(const std::string& part, const Take& take) {
  PKI_TRY(const auto names, names_in(part));
  for (const auto& name : names) PKI_TRY_VOID(one((base::Path(part) / name).string(), kMaxListFile, take));
  return {};
}

Status ImportReader::keep(const std::string& place, std::string content) {
  out_->kept.push_back({place, std::move(content)});
  return {};
}

ImportReader::Take ImportReader::certificates() {
  return [this](const std::string& place, const std::string& content) { return add_certificates(place, content); };
}

ImportReader::Take ImportReader::crls() {
  return [this](const std::string& place, std::string content) { return add_crls(place, std::move(content)); };
}

ImportReader::Take ImportReader::keeps() {
  return [this](const std::string& place, std::string content) { return keep(place, std::move(content)); };
}

Status ImportReader::add_certificates(const std::string& place, const std::string& content) {
  const auto blocks = files::blocks_of(x509::kCertificateLabel, content);
  if (blocks.size() < 2) return add_certificate(place, content);
  for (std::size_t i = 0; i < blocks.size(); ++i) PKI_TRY_VOID(add_certificate(place + ":" + std::to_string(i + 1), blocks[i]));
  return {};
}

Status ImportReader::add_certificate(const std::string& place, const std::string& content) {
  const auto blocks = files::blocks_of(x509::kCertificateLabel, content);
  auto read = x509::read_foreign_certificate(blocks.empty() ? content : blocks.front());
  if (!read.ok()) {
    odd(shown(place) + " holds no certificate that can be read (" + read.error().message() + "): kept as it is");
    return keep(place, content);
  }
  if (std::ranges::any_of(chain_, [&](const auto& one) { return std::ranges::equal(read->der, one.der()); })) return {};
  if (!read->is_ca) ++certificates_;
  if (!x509::is_signed_by(*read, ca().public_key())) {
    odd(shown(place) + " is not of this CA (" + shown(read->subject) + "): kept as it is");
    ++out_->foreign;
    return keep(place, content);
  }
  ++signed_;
  return take(place, std::move(*read), content);
}

Status ImportReader::take(const std::string& place, x509::ForeignCertificate certificate, const std::string& content) {
  auto& entry = entry_of(certificate.serial, place);
  if (entry.certificate && entry.certificate->der != certificate.der) {
    const auto both = shown(place) + " has serial " + certificate.serial.hex() + " as " + shown(entry.found_in) +
                      " has, and is another certificate";
    if (doubles_ == Doubles::Refuse)
      return Error(Code::Conflict, both,
                   "a CRL revokes both or none: take the one that is not in use out of a copy of the directory");
    odd(both + ": kept as it is");
    return keep(place, content);
  }
  if (entry.certificate) return {};
  if (!certificate.weakness.empty()) odd(shown(place) + " has a weak key (" + certificate.weakness + "): taken as history");
  if (!certificate.misshape.empty())
    odd(shown(place) + " has a form that is not issued any more (" + certificate.misshape + "): taken as history");
  if (certificate.issuer != ca().subject().to_slash())
    odd(shown(place) + " names the issuer " + shown(certificate.issuer) +
        ", and this CA's key signed it: verifiers look for CRLs of that name");
  entry.cn = certificate.cn;
  entry.certificate = std::move(certificate);
  return {};
}

Status ImportReader::note_crl_number(const std::string& place, std::uint64_t number) {
  if (number > kMaxCrlNumber)
    return Error(Code::Unsupported,
                 place + " has the CRL number " + std::to_string(number) + ", expected one that leaves room for higher ones");
  out_->crl_number = std::max(out_->crl_number.value_or(0), number);
  return {};
}

Status ImportReader::check_entries(const std::string& place, const x509::ForeignCrl& crl) const {
  if (crl.unusable.empty()) return {};
  return Error(Code::Unsupported,
               place + " revokes serial " + base::printable(crl.unusable.front(), 64) + " and " +
                   std::to_string(crl.unusable.size() - 1) +
                   " more that are negative, zero or above 20 octets, which no CRL of the realm can name (RFC 5280 4.1.2.2)",
               "the revocation must not get lost: let the old program go on until those certificates have expired");
}

Status ImportReader::add_crls(const std::string& place, std::string content) {
  const auto blocks = files::blocks_of(x509::kCrlLabel, content);
  if (blocks.empty()) PKI_TRY_VOID(add_crl(place, content));
  for (const auto& block : blocks) PKI_TRY_VOID(add_crl(place, block));
  return keep(place, std::move(content));
}

Status ImportReader::add_crl(const std::string& place, const std::string& content) {
  const auto crl = x509::read_foreign_crl(content, ca().public_key());
  if (!crl.ok() && crl.error().code() == Code::TooLarge) return crl.error().within(place);
  if (!crl.ok()) {
    odd(shown(place) + " is no CRL of this CA (" + crl.error().message() + "): kept as it is");
    return {};
  }
  PKI_TRY_VOID(check_entries(place, *crl));
  if (crl->number) PKI_TRY_VOID(note_crl_number(place, *crl->number));
  return add_entries(place, *crl);
}

void ImportReader::tell_of_crl(const std::string& place, const x509::ForeignCrl& crl) {
  if (place.ends_with(".pem") && !crl.is_pem) odd(shown(place) + " is DER under a name of PEM: read all the same");
  if (crl.repeated > 0)
    odd(shown(place) + " names " + std::to_string(crl.repeated) + " revocations more than once: the earliest date holds");
  if (crl.next_update && *crl.next_update < now_)
    odd(shown(place) + " ended " + base::to_rfc3339(*crl.next_update) + ": clients had no valid CRL since");
  if (crl.is_delta) odd(shown(place) + " is a delta CRL: what it adds is taken, what it takes off is not");
  if (crl.indirect > 0)
    odd(shown(place) + " names " + std::to_string(crl.indirect) + " certificates of other issuers: they are left out");
}

Status ImportReader::add_entries(const std::string& place, const x509::ForeignCrl& crl) {
  tell_of_crl(place, crl);
  if (!out_->crl_update || crl.this_update > *out_->crl_update) out_->crl_update = crl.this_update;
  for (const auto& entry : crl.entries) {
    if (crl.is_delta && entry.reason == x509::kReasonRemoveFromCrl) continue;
    revoke(entry_of(entry.serial, place), {entry.revoked_at, std::string(x509::reason_name(entry.reason))});
    on_crl_.insert(entry.serial);
  }
  return {};
}

void ImportReader::revoke(SourceCertificate& entry, const SourceRevocation& revocation) {
  if (!entry.revocation) {
    entry.revocation = revocation;
    return;
  }
  entry.revocation->at = std::min(entry.revocation->at, revocation.at);
  if (weight_of(revocation.reason) > weight_of(entry.revocation->reason)) entry.revocation->reason = revocation.reason;
}

SourceCertificate& ImportReader::entry_of(const Serial& serial, const std::string& place) {
  auto& entry = out_->certificates[serial];
  if (entry.found_in.empty()) entry.found_in = place;
  return entry;
}

Status ImportReader::check_signed_some(const std::string& advice) const {
  if (certificates_ == 0 || signed_ > 0) return {};
  return Error(Code::BadProof,
               "the CA " + ca().subject().to_slash() + " in " + out_->certificate_file.string() + " signed none of the " +
                   std::to_string(certificates_) + " certificates in " + out_->directory.string(),
               advice);
}

void ImportReader::finish() {
  if (ca().key_usage().empty())
    odd("the CA's certificate has no key usage, which rules nothing out (RFC 5280 6.1.4): a later one says keyCertSign and "
        "cRLSign");
  if (!out_->crl_update) odd("no CRL of this CA: revocations are those of the databases");
  for (const auto& [serial, entry] : out_->certificates) {
    if (entry.certificate && expects_records_ && !recorded_.contains(serial))
      odd(shown(entry.found_in) + " has no record of its serial " + serial.hex() + ": taken from its file");
    if (!entry.certificate)
      odd("serial " + serial.hex() + (entry.dn.empty() ? "" : " of " + shown(entry.dn)) + " is named in " +
          shown(entry.found_in) + " and its certificate is lost: the serial is taken, and can be revoked");
    if (entry.revocation && out_->crl_update && !on_crl_.contains(serial))
      odd("serial " + serial.hex() + " is revoked in a database and was on no CRL: it is on the realm's next one");
  }
  const auto files = crypto::sha256_hex(base::as_bytes(digests_));
  out_->digest = crypto::sha256_hex(base::as_bytes(files + ca().fingerprint_hex()));
}

}  // namespace chancery::signer
