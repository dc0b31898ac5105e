#include "server/x509/crl.h"

#include <algorithm>
#include <iterator>

#include "server/crypto/signature.h"
#include "server/x509/der.h"
#include "server/x509/extension.h"
#include "server/x509/pem.h"

namespace chancery::x509 {
namespace {

constexpr std::uint64_t kVersion2 = 1;

/// Serials of an entry by value: shorter ones are smaller.
bool by_serial(const RevokedEntry* a, const RevokedEntry* b) {
  if (a->serial.hex().size() != b->serial.hex().size()) return a->serial.hex().size() < b->serial.hex().size();
  return a->serial.hex() < b->serial.hex();
}

void append_entry(Bytes& out, const RevokedEntry& entry) {
  Bytes extensions;
  if (entry.reason != kReasonUnspecified) {
    const Bytes reason{der::kEnumerated, 1, static_cast<std::uint8_t>(entry.reason)};
    extensions = der::wrap(der::kSequence, {encode_extension(kReasonCode, false, reason)});
  }
  der::append(out, der::wrap(der::kSequence, {der::integer(entry.serial), der::time(entry.revoked_at), extensions}));
}

Status check_entries(const std::vector<const RevokedEntry*>& sorted, bool is_delta) {
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& entry = *sorted[i];
    const bool has_reason = !reason_name(entry.reason).empty() && (is_delta || entry.reason != kReasonRemoveFromCrl);
    if (!has_reason)
      return Error(Code::InvalidParams,
                   "reason " + std::to_string(entry.reason) + " has no place in a " + (is_delta ? "delta" : "full") + " CRL");
    if (i > 0 && sorted[i - 1]->serial == entry.serial)
      return Error(Code::InvalidParams, "serial " + entry.serial.hex() + " twice");
  }
  return {};
}

/// In the order that every CRL of ours has.
Result<Bytes> extensions_of(const CrlSpec& spec) {
  Bytes out = encode_extension(kAuthorityKeyId, false, encode_authority_key_id(spec.issuer.key_id()));
  der::append(out, encode_extension(kCrlNumber, false, der::integer(spec.number)));
  // RFC 5280 5.2.4: critical, or who knows no delta CRLs would take it for a full one.
  if (spec.base) der::append(out, encode_extension(kDeltaCrlIndicator, true, der::integer(*spec.base)));
  if (!spec.delta_urls.empty()) {
    PKI_TRY(const auto points, encode_distribution_points(spec.delta_urls));
    der::append(out, encode_extension(kFreshestCrl, false, points));
  }
  return der::wrap(der::constructed(0), {der::wrap(der::kSequence, {out})});
}

Result<int> read_reason(ByteView extensions) {
  PKI_TRY(const auto all, x509::read_extensions(extensions));
  int reason = kReasonUnspecified;
  for (const auto& extension : all) {
    if (extension.oid == kReasonCode) {
      PKI_TRY(const auto element, der::only(der::kEnumerated, extension.value, "reason"));
      if (element.content.size() != 1 || reason_name(element.content[0]).empty())
        return Error(Code::Malformed, "reason outside the table");
      reason = element.content[0];
    } else if (extension.critical) {
      return Error(Code::Unsupported, "critical entry extension " + extension.oid);
    }
  }
  return reason;
}

Result<RevokedEntry> read_entry(ByteView content) {
  der::Reader reader(content);
  PKI_TRY(const auto element, reader.next(der::kInteger, "serial number"));
  PKI_TRY(auto serial, der::read_serial(element));
  PKI_TRY(const auto at, der::read_time(reader));
  RevokedEntry entry{std::move(serial), at, kReasonUnspecified};
  if (reader.done()) return entry;
  PKI_TRY(const auto extensions, reader.next(der::kSequence, "entry extensions"));
  PKI_TRY_VOID(reader.finish("entry"));
  PKI_TRY(entry.reason, read_reason(extensions.whole));
  return entry;
}

}  // namespace

Result<Bytes> build_crl_tbs(const CrlSpec& spec) {
  if (spec.next_update <= spec.this_update) return Error(Code::InvalidParams, "next update is not after this update");
  std::vector<const RevokedEntry*> sorted;
  sorted.reserve(spec.entries.size());
  std::ranges::transform(spec.entries, std::back_inserter(sorted), [](const RevokedEntry& entry) { return &entry; });
  std::ranges::sort(sorted, by_serial);
  if (spec.base && *spec.base >= spec.number)
    return Error(Code::InvalidParams, "a delta CRL of number " + std::to_string(spec.number) + " to the full one of number " +
                                          std::to_string(*spec.base) + ", expected an earlier one");
  if (spec.base && !spec.delta_urls.empty())  // RFC 5280 5.2.6
    return Error(Code::InvalidParams, "a delta CRL that says where delta CRLs are");
  PKI_TRY_VOID(check_entries(sorted, spec.base.has_value()));
  Bytes entries;
  for (const auto* entry : sorted) append_entry(entries, *entry);
  // RFC 5280 5.1.2.6: without entries the list is absent, not empty.
  const auto list = sorted.empty() ? Bytes{} : der::tlv(der::kSequence, entries);
  PKI_TRY(const auto extensions, extensions_of(spec));
  return der::wrap(der::kSequence,
                   {der::integer(kVersion2), crypto::algorithm_identifier(spec.algorithm), spec.issuer.subject_der(),
                    der::time(spec.this_update), der::time(spec.next_update), list, extensions});
}

Result<Crl> Crl::from_pem(std::string_view pem) {
  PKI_TRY(const auto der, x509::from_pem(kCrlLabel, pem));
  return from_der(der);
}

Result<Crl> Crl::from_der(ByteView der) {
  if (der.size() > kMaxCrlBytes) return Error(Code::TooLarge, "CRL above 64 MiB");
  Crl crl;
  crl.der_.assign(der.begin(), der.end());
  auto outer = read_signed(crl.der_);
  if (!outer.ok()) return outer.error().within("CRL");
  crl.tbs_.assign(outer->tbs.begin(), outer->tbs.end());
  crl.signature_.assign(outer->signature.begin(), outer->signature.end());
  crl.algorithm_ = outer->algorithm;
  if (auto read = crl.read_tbs(); !read.ok()) return read.error().within("CRL");
  return crl;
}

Status Crl::read_tbs() {
  PKI_TRY(const auto tbs, der::only(der::kSequence, tbs_, "TBSCertList"));
  der::Reader reader(tbs.content);
  PKI_TRY(const auto element, reader.next(der::kInteger, "version 2"));
  PKI_TRY(const auto version, der::read_number(element));
  if (version != kVersion2) return Error(Code::Malformed, "version is not 2");
  PKI_TRY(const auto identifier, reader.next(der::kSequence, "signature algorithm"));
  PKI_TRY(const auto inner, crypto::algorithm_from_identifier(identifier.whole));
  if (inner != algorithm_) return Error(Code::Malformed, "inner and outer signature algorithm differ");
  PKI_TRY(const auto issuer, reader.next(der::kSequence, "issuer"));
  issuer_der_.assign(issuer.whole.begin(), issuer.whole.end());
  PKI_TRY(this_update_, der::read_time(reader));
  PKI_TRY(next_update_, der::read_time(reader));
  if (reader.at(der::kSequence)) {
    PKI_TRY(const auto list, reader.next(der::kSequence, "revoked certificates"));
    for (der::Reader rows(list.content); !rows.done();) {
      PKI_TRY(const auto row, rows.next(der::kSequence, "entry"));
      PKI_TRY(auto entry, read_entry(row.content));
      entries_.push_back(std::move(entry));
    }
  }
  PKI_TRY(const auto tagged, reader.next(der::constructed(0), "extensions"));
  PKI_TRY_VOID(reader.finish("TBSCertList"));
  return read_extensions(tagged.content);
}

Status Crl::read_extensions(ByteView extensions) {
  PKI_TRY(const auto all, x509::read_extensions(extensions));
  bool has_number = false;
  for (const auto& extension : all) {
    if (extension.oid == kCrlNumber) {
      PKI_TRY(const auto element, der::only(der::kInteger, extension.value, "CRL number"));
      PKI_TRY(number_, der::read_number(element));
      has_number = true;
    } else if (extension.oid == kDeltaCrlIndicator) {
      PKI_TRY(const auto element, der::only(der::kInteger, extension.value, "base CRL number"));
      PKI_TRY(base_, der::read_number(element));
    } else if (extension.oid == kAuthorityKeyId) {
      PKI_TRY(authority_key_id_, decode_authority_key_id(extension.value));
    } else if (extension.critical) {
      return Error(Code::Unsupported, "critical extension " + extension.oid);
    }
  }
  if (!has_number) return Error(Code::Malformed, "no CRL number (RFC 5280 5.2.3)");
  return {};
}

std::string Crl::pem() const { return to_pem(kCrlLabel, der_); }

Status Crl::verify_signed_by(const Certificate& issuer) const {
  if (!std::ranges::equal(issuer_der_, issuer.subject_der()))
    return Error(Code::BadProof, "issuer is not that certificate's subject");
  return issuer.public_key().verify(algorithm_, tbs_, signature_);
}

}  // namespace chancery::x509
