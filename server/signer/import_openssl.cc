#include <algorithm>
#include <array>
#include <charconv>

#include "server/base/text.h"
#include "server/signer/import_reader.h"
#include "server/signer/openssl_config.h"
#include "server/signer/openssl_index.h"

/// CAs that OpenSSL's own `ca` keeps: a directory with index.txt, as it is set up by hand or by easy-rsa 3.
namespace chancery::signer {
namespace {

/// Where the parts are: from the directory on, or absolute where openssl.cnf or an option says so.
struct Places {
  base::Path certificate;
  base::Path key;
  std::string database;
  std::string serial;
  std::string crl_number;
  std::vector<std::string> certificates{};  ///< directories
  std::vector<std::string> crls{};          ///< files, and directories of them
  std::string leaf_keys{};                  ///< a directory; its keys are counted
};

/// A value of openssl.cnf names a path from where `openssl ca` ran: the directory itself, or the one above it that the sample's
/// ./demoCA is in.
std::string place_of(const base::Path& directory, const std::string& value) {
  if (value.empty()) return {};
  const base::Path path(value);
  const bool is_inside =
      path.is_absolute() || files::is_there(directory / path) || !files::is_there(directory.parent_path() / path);
  const auto whole = ((is_inside ? directory : directory.parent_path()) / path).lexically_normal();
  const auto within = whole.lexically_relative(directory);
  return within.string().starts_with("..") ? whole.string() : within.string();
}

Result<Places> places_of_config(const ImportOrder& order) {
  const auto text = base::read_input(order.configuration, ImportReader::kMaxSmallFile);
  if (!text.ok()) return of_option(text.error(), "config");
  const auto values = parse_default_ca(*text);
  if (!values.ok()) return of_option(values.error().within(order.configuration.string()), "config");
  const auto value = [&](const char* name) {
    const auto found = values->find(name);
    return place_of(order.source, found == values->end() ? "" : found->second);
  };
  Places out{.certificate = value("certificate"),
             .key = value("private_key"),
             .database = value("database"),
             .serial = value("serial"),
             .crl_number = value("crlnumber"),
             .certificates = {value("new_certs_dir"), value("certs")},
             .crls = {value("crl"), value("crl_dir")}};
  if (out.database.empty() || out.certificate.empty() || out.key.empty()) {
    const Error missing(Code::Malformed,
                        order.configuration.string() + ": found a CA's section without database, certificate or private_key",
                        "openssl-ca(1) needs all three");
    return of_option(missing, "config");
  }
  return out;
}

Places usual_places(const base::Path& directory) {
  return {.certificate = files::first_of(directory, {"cacert.pem", "ca.crt", "ca.pem", "certs/ca.cert.pem", "certs/cacert.pem",
                                                     "certs/intermediate.cert.pem", "certs/ca.crt"}),
          .key = files::first_of(directory, {"private/cakey.pem", "private/ca.key", "private/ca.key.pem", "private/cacert.key",
                                             "private/intermediate.key.pem", "cakey.pem", "ca.key"}),
          .database = "index.txt",
          .serial = "serial",
          .crl_number = "crlnumber",
          .certificates = {"newcerts", "certs"},
          .crls = {"crl.pem", "crl"}};
}

Places easy_rsa_places(const base::Path& pki) {
  return {.certificate = pki / "ca.crt",
          .key = pki / "private" / "ca.key",
          .database = "index.txt",
          .serial = "serial",
          .crl_number = "crlnumber",
          .certificates = {"issued", "certs_by_serial", "revoked/certs_by_serial", "renewed/issued", "renewed/certs_by_serial",
                           "expired"},
          .crls = {"crl.pem"},
          .leaf_keys = "private"};
}

/// Reads what the places name.
class Reader {
 public:
  Reader(ImportSource& out, ImportReader files, Places places)
      : out_(out), files_(std::move(files)), places_(std::move(places)) {}

  Status read_all() {
    for (const auto& part : places_.certificates) PKI_TRY_VOID(read_certificates(part));
    PKI_TRY_VOID(files_.check_signed_some("it is another CA's: name the right files with --ca-certificate and --ca-key"));
    for (const auto& part : places_.crls) PKI_TRY_VOID(read_crls(part));
    PKI_TRY_VOID(read_index());
    PKI_TRY_VOID(read_counters());
    PKI_TRY_VOID(count_keys());
    files_.expect_records();
    files_.finish();
    return {};
  }

 private:
  /// A directory that is another's place, too, has other files beside certificates.
  Status read_certificates(const std::string& part) {
    if (part.empty()) return {};
    return files_.each(part, [this](const std::string& place, const std::string& content) -> Status {
      const bool is_other =
          content.find("-----BEGIN ") != std::string::npos && content.find("-----BEGIN CERTIFICATE-----") == std::string::npos;
      if (!is_other) return files_.add_certificates(place, content);
      files_.odd(shown(place) + " is no certificate: passed over");
      return {};
    });
  }

  Status read_crls(const std::string& part) {
    if (part.empty()) return {};
    std::error_code ignored;
    if (std::filesystem::symlink_status(out_.directory / part, ignored).type() == std::filesystem::file_type::directory)
      return files_.each(part, files_.crls());
    return files_.one(part, ImportReader::kMaxListFile, files_.crls());
  }

  Status read_index() {
    if (!files::is_there(out_.directory / places_.database))
      return Error(Code::NotFound, "found no " + (out_.directory / places_.database).string() + ", expected the CA's database",
                   "where there is none, chancery import pem-dir takes certificates and CRLs alone");
    bool was_read = false;
    const auto take = [&](const std::string& place, std::string content) -> Status {
      was_read = true;
      const auto rows = parse_index(content);
      if (!rows.ok()) return rows.error().within((out_.directory / place).string());
      for (const auto& row : *rows) PKI_TRY_VOID(add_row(place, row));
      return files_.keep(place, std::move(content));
    };
    PKI_TRY_VOID(files_.one(places_.database, ImportReader::kMaxRecordsBytes, take));
    if (was_read) return {};
    return Error(Code::Malformed, (out_.directory / places_.database).string() + " is no regular file",
                 "name the directory that has it");
  }

  std::string line_of(const std::string& place, const IndexRow& row) const {
    return shown(place) + " line " + std::to_string(row.line) + " (serial " + base::printable(row.serial_text, 64) + ", " +
           shown(row.subject) + ")";
  }

  Status add_row(const std::string& place, const IndexRow& row) {
    if (!row.serial) return pass_over(place, row);
    if (files_.is_root() && *row.serial == files_.ca().serial()) return tell_of_own(place, row);
    auto& entry = files_.entry_of(*row.serial, place);
    PKI_TRY_VOID(check_same(place, row, entry));
    files_.note_record(*row.serial);
    entry.dn = row.subject;
    if (entry.cn.empty()) entry.cn = row.cn;
    entry.not_after = row.not_after;
    tell_of_differences(place, row, entry);
    if (row.revoked_at) add_revocation(place, row, entry);
    return {};
  }

  /// What no CRL can name is no loss once it has expired, or while nobody revoked it.
  Status pass_over(const std::string& place, const IndexRow& row) {
    const auto why = " has a serial that is negative, zero or above 20 octets (RFC 5280 4.1.2.2)";
    if (row.revoked_at && row.not_after >= files_.now())
      return Error(Code::Unsupported, line_of(place, row) + why + ", and is revoked, which no CRL of the realm can say",
                   "the revocation must not get lost: let the old program go on until that certificate has expired");
    files_.odd(line_of(place, row) + why + ": left out, and it cannot be revoked here");
    return {};
  }

  /// `openssl ca -selfsign` puts the root's own certificate into its database.
  Status tell_of_own(const std::string& place, const IndexRow& row) {
    if (row.revoked_at)
      files_.odd(line_of(place, row) + " is the CA's own certificate, and is revoked: a root cannot revoke itself");
    return {};
  }

  /// One serial is one certificate.
  Status check_same(const std::string& place, const IndexRow& row, const SourceCertificate& entry) const {
    if (entry.dn.empty() || (entry.dn == row.subject && entry.not_after == row.not_after)) return {};
    return Error(Code::Conflict,
                 line_of(place, row) + " has a serial that " + shown(entry.dn) + " has in another line, expected each once",
                 "a CRL revokes both or none: take the line that is not in use out of a copy of the directory");
  }

  void tell_of_differences(const std::string& place, const IndexRow& row, const SourceCertificate& entry) {
    if (entry.certificate && entry.certificate->not_after != row.not_after)
      files_.odd(line_of(place, row) + " ends " + base::to_rfc3339(row.not_after) + " and its certificate " +
                 base::to_rfc3339(entry.certificate->not_after) + ": the certificate is believed");
    if (!row.revoked_at && entry.revocation)
      files_.odd(line_of(place, row) + " is not revoked there, and a CRL lists it: it is revoked");
  }

  void add_revocation(const std::string& place, const IndexRow& row, SourceCertificate& entry) {
    const bool is_unknown = row.reason.empty();
    if (is_unknown)
      files_.odd(line_of(place, row) + " has the reason " + shown(row.extra) + ", which is none: unspecified is taken");
    if (!is_unknown && !row.extra.empty())
      files_.odd(line_of(place, row) + " says " + shown(row.extra) + " beside its reason " + row.reason +
                 ": the reason is taken, not that");
    ImportReader::revoke(entry, {*row.revoked_at, is_unknown ? "unspecified" : row.reason});
  }

  Status read_counters() {
    PKI_TRY_VOID(read_counter(places_.serial, [this](const std::string&, const std::string& next) -> Status {
      out_.next_serial = next;
      return {};
    }));
    return read_counter(places_.crl_number, [this](const std::string& place, const std::string& next) -> Status {
      constexpr int kHex = 16;
      std::uint64_t number = 0;
      const auto [end, failure] = std::from_chars(next.data(), next.data() + next.size(), number, kHex);
      if (failure != std::errc() || end != next.data() + next.size())
        return Error(Code::Unsupported,
                     place + " has the CRL number " + next + ", expected one that leaves room for higher ones");
      return number == 0 ? Status() : files_.note_crl_number(place, number - 1);
    });
  }

  Status read_counter(const std::string& place, const std::function<Status(const std::string&, const std::string&)>& use) {
    if (place.empty()) return {};
    return files_.one(place, ImportReader::kMaxSmallFile, [&](const std::string& name, const std::string& content) -> Status {
      const auto next = parse_counter(content);
      if (next.ok()) return use(name, *next);
      return next.error().within((out_.directory / name).string());
    });
  }

  Status count_keys() {
    if (places_.leaf_keys.empty()) return {};
    PKI_TRY(const auto names, files_.names_in(places_.leaf_keys));
    out_.keys_left = static_cast<std::size_t>(std::ranges::count_if(names, [&](const auto& name) {
      return name.ends_with(".key") && base::Path(places_.leaf_keys) / name != places_.key.lexically_relative(out_.directory);
    }));
    if (out_.keys_left > 0)
      files_.odd(std::to_string(out_.keys_left) + " keys of certificates in " + shown(places_.leaf_keys) +
                 " stay where they are: they are their owners', and no CA needs them");
    return {};
  }

  ImportSource& out_;
  ImportReader files_;
  Places places_;
};

/// Options say more than any other place.
Status find_ca(ImportSource& source, const Places& places, const ImportOrder& order) {
  source.certificate_file = order.ca_certificate.empty() ? source.directory / places.certificate : order.ca_certificate;
  source.key_file = order.ca_key.empty() ? source.directory / places.key : order.ca_key;
  const bool has_certificate =
      !(places.certificate.empty() && order.ca_certificate.empty()) && files::is_there(source.certificate_file);
  const bool has_key = !(places.key.empty() && order.ca_key.empty()) && files::is_there(source.key_file);
  if (has_certificate && has_key) return {};
  const auto* const what = has_certificate ? "key" : "certificate";
  const auto& looked = has_certificate ? source.key_file : source.certificate_file;
  return Error(Code::NotFound, "found no CA's " + std::string(what) + " at " + looked.string() + ", expected it there",
               "name it with --ca-" + std::string(what));
}

Result<ImportSource> read_source(const base::Path& directory, const std::string& layout, Places places, const ImportOrder& order,
                                 Seconds now) {
  ImportSource source{.directory = directory, .layout = layout};
  PKI_TRY_VOID(find_ca(source, places, order));
  places.key = source.key_file;
  PKI_TRY_VOID(read_chain(source, order));
  PKI_TRY(auto files, ImportReader::begin(source, ImportReader::Doubles::Refuse, now));
  PKI_TRY_VOID(Reader(source, std::move(files), std::move(places)).read_all());
  return source;
}

}  // namespace

Result<ImportSource> read_openssl_ca(const ImportOrder& order, Seconds now) {
  PKI_TRY_VOID(files::check_directory(order.source, "the CA's directory, with index.txt"));
  if (order.configuration.empty()) return read_source(order.source, "usual", usual_places(order.source), order, now);
  PKI_TRY(auto places, places_of_config(order));
  return read_source(order.source, "openssl.cnf", std::move(places), order, now);
}

Result<ImportSource> read_easy_rsa(const ImportOrder& order, Seconds now) {
  PKI_TRY_VOID(files::check_directory(order.source, "easy-rsa's directory pki"));
  const bool is_above = !files::is_there(order.source / "index.txt") && files::is_there(order.source / "pki" / "index.txt");
  const auto pki = is_above ? order.source / "pki" : order.source;
  if (files::is_there(order.source / "keys" / "index.txt"))
    return Error(Code::Unsupported,
                 "found the layout of easy-rsa 2 in " + order.source.string() + ", expected that of easy-rsa 3",
                 "easyrsa upgrade makes one of the other");
  return read_source(pki, "easy-rsa 3", easy_rsa_places(pki), order, now);
}

}  // namespace chancery::signer
