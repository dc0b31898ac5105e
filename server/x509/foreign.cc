#include "server/x509/foreign.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "server/x509/certificate.h"
#include "server/x509/extension.h"
#include "server/x509/pem.h"

namespace chancery::x509 {
namespace {

/// DER as it is, or what one PEM block holds; the text around a block is passed over, as OpenSSL does.
Result<Bytes> der_of(std::string_view label, std::string_view octets, std::size_t max, bool* is_pem = nullptr) {
  if (octets.size() > max) return Error(Code::TooLarge, "above " + std::to_string(max) + " octets");
  const bool pem = octets.find("-----BEGIN ") != std::string_view::npos;
  if (is_pem != nullptr) *is_pem = pem;
  if (!pem) return Bytes(octets.begin(), octets.end());
  PKI_TRY(auto blocks, all_from_pem(label, octets, 1));
  if (blocks.empty()) return Error(Code::Malformed, "no " + std::string(label) + " in PEM");
  return std::move(blocks.front());
}

template <class Encode>
Bytes encoded(Encode encode) {
  unsigned char* der = nullptr;
  const int length = encode(&der);
  const crypto::MemoryPtr owner(der);
  return length > 0 ? Bytes(der, der + length) : Bytes();
}

Result<Serial> serial_of(const ASN1_INTEGER* number) {
  const crypto::BignumPtr value(ASN1_INTEGER_to_BN(number, nullptr));
  PKI_CHECK(value != nullptr);
  if (BN_is_negative(value.get()) != 0) return Error(Code::Malformed, "the serial is negative");
  Bytes octets(static_cast<std::size_t>(BN_num_bytes(value.get())));
  BN_bn2bin(value.get(), octets.data());
  return Serial::from_octets(octets);
}

Result<Seconds> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return Error(Code::Malformed, "a date that is none");
  return base::from_epoch(::timegm(&parts));
}

std::string slash_of(const X509_NAME* dn) {
  const auto der = encoded([&](unsigned char** out) { return i2d_X509_NAME(dn, out); });
  if (const auto name = Name::from_der(der); name.ok()) return name->to_slash();
  const crypto::MemoryPtr line(reinterpret_cast<unsigned char*>(X509_NAME_oneline(dn, nullptr, 0)));
  return line ? reinterpret_cast<const char*>(line.get()) : "";
}

std::string common_name_of(X509* certificate) {
  auto* name = X509_get_subject_name(certificate);
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0;) last = at;
  if (last < 0) return {};
  unsigned char* text = nullptr;
  const int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
  const crypto::MemoryPtr owner(text);
  return length > 0 ? std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)) : "";
}

Bytes extension_value(X509* certificate, int nid) {
  const int at = X509_get_ext_by_NID(certificate, nid, -1);
  if (at < 0) return {};
  const auto* value = X509_EXTENSION_get_data(X509_get_ext(certificate, at));
  const auto* data = ASN1_STRING_get0_data(value);
  return Bytes(data, data + ASN1_STRING_length(value));
}

/// Extensions that cannot be read are left out here; `misshape` says that they cannot.
void add_extensions(X509* certificate, ForeignCertificate& out) {
  if (const auto sans = decode_general_names(extension_value(certificate, NID_subject_alt_name)); sans.ok()) {
    for (const auto& san : *sans) out.sans.push_back(san.to_text());
  }
  if (auto usage = decode_key_usage(extension_value(certificate, NID_key_usage)); usage.ok()) out.key_usage = *usage;
  if (auto purposes = decode_extended_key_usage(extension_value(certificate, NID_ext_key_usage)); purposes.ok())
    out.extended_key_usage = *purposes;
  out.is_ca = X509_check_ca(certificate) > 0;
}

std::string weakness_of(ByteView spki) {
  const auto key = crypto::PublicKey::from_spki(spki);
  const auto good = key.ok() ? crypto::check_public_key(*key) : Status(key.error());
  return good.ok() ? "" : good.error().message();
}

crypto::X509Ptr parse(const Bytes& der) {
  const auto* at = der.data();
  crypto::X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (at != der.data() + der.size()) certificate.reset();
  ERR_clear_error();
  return certificate;
}

Result<RevokedEntry> entry_of(X509_REVOKED* row) {
  PKI_TRY(auto serial, serial_of(X509_REVOKED_get0_serialNumber(row)));
  PKI_TRY(const auto at, time_of(X509_REVOKED_get0_revocationDate(row)));
  const crypto::Asn1EnumeratedPtr reason(
      static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(row, NID_crl_reason, nullptr, nullptr)));
  const auto number = reason ? static_cast<int>(ASN1_ENUMERATED_get(reason.get())) : kReasonUnspecified;
  return RevokedEntry{std::move(serial), at, reason_name(number).empty() ? kReasonUnspecified : number};
}

std::string hex_of(const ASN1_INTEGER* number) {
  const crypto::BignumPtr value(ASN1_INTEGER_to_BN(number, nullptr));
  PKI_CHECK(value != nullptr);
  const auto sign = BN_is_negative(value.get()) != 0 ? "-" : "";
  Bytes octets(static_cast<std::size_t>(BN_num_bytes(value.get())));
  BN_bn2bin(value.get(), octets.data());
  return sign + base::to_hex(octets);
}

/// Whether the row, and those behind it, are of another CA's certificates (RFC 5280 5.3.3).
bool names_an_issuer(X509_REVOKED* row) { return X509_REVOKED_get_ext_by_NID(row, NID_certificate_issuer, -1) >= 0; }

/// The same certificate revoked twice is revoked since the first time, for the first reason that anybody gave.
void merge(RevokedEntry& known, const RevokedEntry& more) {
  known.revoked_at = std::min(known.revoked_at, more.revoked_at);
  if (known.reason == kReasonUnspecified) known.reason = more.reason;
}

Status add_entries(X509_CRL* crl, ForeignCrl& out) {
  auto* rows = X509_CRL_get_REVOKED(crl);
  const int count = rows == nullptr ? 0 : sk_X509_REVOKED_num(rows);
  if (count > static_cast<int>(kMaxForeignCrlEntries)) return Error(Code::TooLarge, "CRL above a million entries");
  std::map<Serial, RevokedEntry> by_serial;
  for (int i = 0; i < count; ++i) {
    auto* row = sk_X509_REVOKED_value(rows, i);
    if (out.indirect > 0 || names_an_issuer(row)) {
      ++out.indirect;
      continue;
    }
    const auto* number = X509_REVOKED_get0_serialNumber(row);
    if (!serial_of(number).ok()) {
      out.unusable.push_back(hex_of(number));
      continue;
    }
    PKI_TRY(auto entry, entry_of(row));
    const auto known = by_serial.find(entry.serial);
    if (known != by_serial.end()) {
      merge(known->second, entry);
      ++out.repeated;
    } else {
      auto serial = entry.serial;
      by_serial.emplace(std::move(serial), std::move(entry));
    }
  }
  for (auto& one : by_serial) out.entries.push_back(std::move(one.second));
  return {};
}

std::optional<std::uint64_t> number_of(X509_CRL* crl) {
  const crypto::Asn1IntegerPtr number(static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(crl, NID_crl_number, nullptr, nullptr)));
  std::uint64_t value = 0;
  if (!number || ASN1_INTEGER_get_uint64(&value, number.get()) != 1) return std::nullopt;
  return value;
}

}  // namespace

Result<ForeignCertificate> read_foreign_certificate(std::string_view octets) {
  PKI_TRY(auto der, der_of(kCertificateLabel, octets, kMaxCertificateBytes));
  const auto certificate = parse(der);
  if (!certificate) return Error(Code::Malformed, "no certificate");
  PKI_TRY(auto serial, serial_of(X509_get0_serialNumber(certificate.get())));
  ForeignCertificate out{.serial = std::move(serial), .der = std::move(der)};
  PKI_TRY(out.not_before, time_of(X509_get0_notBefore(certificate.get())));
  PKI_TRY(out.not_after, time_of(X509_get0_notAfter(certificate.get())));
  out.subject = slash_of(X509_get_subject_name(certificate.get()));
  out.issuer = slash_of(X509_get_issuer_name(certificate.get()));
  out.cn = common_name_of(certificate.get());
  add_extensions(certificate.get(), out);
  out.spki = encoded([&](unsigned char** to) { return i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), to); });
  out.weakness = weakness_of(out.spki);
  if (const auto ours = Certificate::from_der(out.der); !ours.ok()) out.misshape = ours.error().message();
  ERR_clear_error();
  return out;
}

bool is_signed_by(const ForeignCertificate& certificate, const crypto::PublicKey& issuer) {
  const auto parsed = parse(certificate.der);
  const bool is_signed = parsed && !issuer.empty() && X509_verify(parsed.get(), issuer.get()) == 1;
  ERR_clear_error();
  return is_signed;
}

Result<ForeignCrl> read_foreign_crl(std::string_view octets, const crypto::PublicKey& issuer) {
  ForeignCrl out;
  PKI_TRY(const auto der, der_of(kCrlLabel, octets, kMaxCrlBytes, &out.is_pem));
  const auto* at = der.data();
  const crypto::X509CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  const bool is_signed = crl && !issuer.empty() && X509_CRL_verify(crl.get(), issuer.get()) == 1;
  ERR_clear_error();
  if (!crl) return Error(Code::Malformed, "no CRL");
  if (!is_signed) return Error(Code::BadProof, "this CA did not sign that CRL");
  PKI_TRY(out.this_update, time_of(X509_CRL_get0_lastUpdate(crl.get())));
  if (const auto next = time_of(X509_CRL_get0_nextUpdate(crl.get())); next.ok()) out.next_update = *next;
  out.number = number_of(crl.get());
  out.is_delta = X509_CRL_get_ext_by_NID(crl.get(), NID_delta_crl, -1) >= 0;
  PKI_TRY_VOID(add_entries(crl.get(), out));
  return out;
}

}  // namespace chancery::x509
