#include "server/base/text.h"
#include "server/signer/import_reader.h"
#include "server/signer/openxpki_records.h"

/// A CA of OpenXPKI, from what its commands export (doc/moving.md): its database keeps the keys of most of its tokens, and only
/// its own commands open it.
namespace chancery::signer {
namespace {

constexpr const char* kRows = "certificates.json";

/// Takes the rows over, one by one.
class Rows {
 public:
  explicit Rows(ImportReader& files) : files_(files), issuer_(files.ca().subject().to_slash()) {}

  Status add(const std::string& place, const OpenxpkiRecord& row) {
    if (!row.certificate.empty()) return add_with_certificate(place, row);
    if (!row.issuer.empty() && row.issuer != issuer_) {
      ++files_.out().foreign;
      files_.odd(shown(place) + " (" + shown(row.subject) + ") is of " + shown(row.issuer) + ", not of this CA: left out");
      return {};
    }
    if (row.serial) return add_facts(place, row, *row.serial);
    return pass_over(place, row);
  }

 private:
  Status add_with_certificate(const std::string& place, const OpenxpkiRecord& row) {
    PKI_TRY_VOID(files_.add_certificates(place, row.certificate));
    const auto read = x509::read_foreign_certificate(row.certificate);
    if (!read.ok()) return row.serial ? add_facts(place, row, *row.serial) : pass_over(place, row);
    if (!x509::is_signed_by(*read, files_.ca().public_key())) return {};
    if (row.serial && *row.serial != read->serial)
      return Error(Code::Malformed, place + " has the serial " + row.serial->hex() + " and a certificate with " +
                                        read->serial.hex() + ", expected one serial");
    return add_facts(place, row, read->serial);
  }

  Status add_facts(const std::string& place, const OpenxpkiRecord& row, const Serial& serial) {
    if (files_.is_root() && serial == files_.ca().serial()) return {};  // a root's own certificate is among its database's
    auto& entry = files_.entry_of(serial, place);
    files_.note_record(serial);
    if (entry.dn.empty()) entry.dn = row.subject;
    if (entry.cn.empty()) entry.cn = row.cn;
    if (entry.profile.empty()) entry.profile = row.profile;
    if (!entry.not_after) entry.not_after = row.not_after;
    if (row.revoked) add_revocation(place, row, entry);
    return {};
  }

  void add_revocation(const std::string& place, const OpenxpkiRecord& row, SourceCertificate& entry) {
    const auto what = shown(place) + " (" + shown(entry.dn) + ")";
    if (!row.revoked_at) files_.odd(what + " is revoked without a time: " + base::to_rfc3339(files_.now()) + " is taken");
    if (row.reason.empty() && !row.reason_text.empty())
      files_.odd(what + " has the reason " + shown(row.reason_text) + ", which is none: unspecified is taken");
    if (row.invalid_since)
      files_.odd(what + " was in doubt since " + base::to_rfc3339(*row.invalid_since) + ": the revocation's own time is taken");
    ImportReader::revoke(entry, {row.revoked_at.value_or(files_.now()), row.reason.empty() ? "unspecified" : row.reason});
  }

  /// What no CRL can name is no loss once it has expired, or while nobody revoked it.
  Status pass_over(const std::string& place, const OpenxpkiRecord& row) {
    const auto why = " has the serial " + shown(row.serial_text) + ", expected 1 to 20 octets (RFC 5280 4.1.2.2)";
    if (row.revoked && row.not_after.value_or(files_.now()) >= files_.now())
      return Error(Code::Unsupported, place + why + ", and is revoked, which no CRL of the realm can say",
                   "the revocation must not get lost: let OpenXPKI go on until that certificate has expired");
    files_.odd(shown(place) + why + ": left out, and it cannot be revoked here");
    return {};
  }

  ImportReader& files_;
  std::string issuer_;
};

Status find_ca(ImportSource& source, const ImportOrder& order) {
  source.certificate_file = order.ca_certificate.empty() ? source.directory / "ca.crt" : order.ca_certificate;
  source.key_file = order.ca_key.empty() ? source.directory / "ca.key" : order.ca_key;
  for (const auto& [path, option] :
       {std::pair(source.certificate_file, "--ca-certificate"), std::pair(source.key_file, "--ca-key")}) {
    if (!files::is_there(path))
      return Error(Code::NotFound, "found no " + path.string() + ", expected the export's",
                   std::string("doc/moving.md says how it is made; ") + option + " names another file");
  }
  return {};
}

Status read_rows(ImportReader& files) {
  bool was_read = false;
  const auto take = [&](const std::string& place, std::string content) -> Status {
    was_read = true;
    const auto rows = parse_openxpki(content);
    if (!rows.ok()) return rows.error().within((files.out().directory / place).string());
    Rows taker(files);
    std::size_t number = 0;
    for (const auto& row : *rows) PKI_TRY_VOID(taker.add(place + ":" + std::to_string(++number), row));
    return files.keep(place, std::move(content));
  };
  PKI_TRY_VOID(files.one(kRows, ImportReader::kMaxRecordsBytes, take));
  if (was_read) return {};
  return Error(Code::NotFound,
               "found no file " + (files.out().directory / kRows).string() + ", expected what search_cert answers",
               "doc/moving.md says how it is made");
}

}  // namespace

Result<ImportSource> read_openxpki_export(const ImportOrder& order, Seconds now) {
  PKI_TRY_VOID(files::check_directory(order.source, "one with ca.key, ca.crt and certificates.json"));
  ImportSource source{.directory = order.source, .layout = "export"};
  PKI_TRY_VOID(find_ca(source, order));
  PKI_TRY_VOID(read_chain(source, order));
  PKI_TRY(auto files, ImportReader::begin(source, ImportReader::Doubles::Refuse, now));
  PKI_TRY_VOID(read_rows(files));
  PKI_TRY_VOID(files.one("crl.pem", ImportReader::kMaxListFile, files.crls()));
  PKI_TRY_VOID(files.each("crls", files.crls()));
  if (!order.certificates.empty()) PKI_TRY_VOID(read_tree(files, order.certificates, source.key_file));
  PKI_TRY_VOID(files.check_signed_some("it is another token's: export the certificates of the one whose key this is"));
  files.expect_records();
  files.finish();
  return source;
}

}  // namespace chancery::signer
