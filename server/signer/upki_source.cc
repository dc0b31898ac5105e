#include "server/signer/upki_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <set>

#include "server/base/text.h"
#include "server/config/load.h"
#include "server/config/source.h"
#include "server/crypto/digest.h"
#include "server/signer/ca_files.h"
#include "server/signer/upki_records.h"
#include "server/x509/reasons.h"

namespace chancery::signer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxDatabaseBytes = 256 << 20;
constexpr std::size_t kMaxSmallFile = 1 << 20;
constexpr std::size_t kMaxTotalBytes = std::size_t{1} << 30;
constexpr std::uint64_t kMaxCrlNumber = std::uint64_t{1} << 62;

bool is_there(const base::Path& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

/// A regular file that is no link, whatever stands there in the next moment: what was looked at is what is read.
Result<std::string> read_unlinked(const base::Path& path, std::size_t max) {
  const base::UniqueFd fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat found {};
  if (!fd || ::fstat(fd.get(), &found) != 0) return base::io_error("open " + path.string(), errno);
  if (S_ISLNK(found.st_mode)) return Error(Code::Malformed, "is a symbolic link, which is not followed");
  if (!S_ISREG(found.st_mode)) return Error(Code::Malformed, "is no regular file");
  auto content = base::read_file("/proc/self/fd/" + std::to_string(fd.get()), max);
  if (content.ok()) return content;
  return Error(content.error().code(), path.string() + ": " + content.error().message());
}

/// Goes through the directory once, in an order that is always the same.
class Reader {
 public:
  Reader(UpkiSource& out, const x509::Certificate& ca, Seconds now) : out_(out), ca_(ca), now_(now) {}

  Status read_all() {
    PKI_TRY_VOID(read_settings());
    PKI_TRY_VOID(each("certs", &Reader::add_certificate));
    PKI_TRY_VOID(each("private", &Reader::add_key));
    PKI_TRY_VOID(read_nodes());
    if (foreign_ > 0 && signed_ == 0)
      return Error(Code::BadProof,
                   "the CA " + ca_.subject().to_slash() + " in " + out_.certificate_file.string() + " signed none of the " +
                       std::to_string(foreign_) + " certificates in " + out_.directory.string(),
                   "it is another CA's: name the right one's directory with --ca-directory");
    PKI_TRY_VOID(each("crls", &Reader::add_crl));
    PKI_TRY_VOID(one("crl.pem", kMaxSmallFile * 64, &Reader::add_crl));
    for (const auto* name : {".serials.json", ".nodes.json", "db/certs.json", "db/nodes.json"})
      PKI_TRY_VOID(one(name, kMaxDatabaseBytes, &Reader::add_records));
    for (const auto* name : {".admins.json", "db/admins.json"}) PKI_TRY_VOID(one(name, kMaxDatabaseBytes, &Reader::add_admins));
    PKI_TRY_VOID(each("profiles", &Reader::add_profile));
    PKI_TRY_VOID(each("reqs", &Reader::keep));
    finish();
    return {};
  }

 private:
  using Take = Status (Reader::*)(const std::string& place, std::string content);

  void odd(const std::string& line) { out_.odd.push_back(line); }

  /// What was read counts for the digest. What is no file to be read is odd; what cannot be read is an error.
  Status one(const std::string& place, std::size_t max, Take add) {
    if (!is_there(out_.directory / place)) return {};
    auto content = read_unlinked(out_.directory / place, max);
    if (!content.ok() && content.error().code() == Code::Malformed) {
      odd(shown(place) + " " + content.error().message() + ": passed over");
      return {};
    }
    if (!content.ok()) return content.error();
    total_bytes_ += content->size();
    if (total_bytes_ > kMaxTotalBytes)
      return Error(Code::TooLarge, out_.directory.string() + " holds more than 1 GiB", "take what is not uPKI's out of it");
    digests_ += place + ":" + base::to_hex(crypto::sha256(base::as_bytes(*content))) + "\n";
    return (this->*add)(place, std::move(content).value());
  }

  /// Whether it is a directory and no link to one; one that is there and is none is odd.
  bool is_directory(const std::string& part) {
    std::error_code failure;
    const auto kind = fs::symlink_status(out_.directory / part, failure).type();
    if (kind != fs::file_type::directory && kind != fs::file_type::not_found)
      odd(shown(part) + " is no directory of its own: passed over");
    return kind == fs::file_type::directory;
  }

  /// What is in a directory, in an order that is always the same; nothing when there is none.
  Result<std::set<std::string>> names_in(const std::string& part) {
    std::set<std::string> names;
    if (!is_directory(part)) return names;
    std::error_code failure;
    for (fs::directory_iterator it(out_.directory / part, failure), end; !failure && it != end; it.increment(failure))
      names.insert(it->path().filename().string());
    if (failure) return base::io_error("list " + (out_.directory / part).string(), failure.value());
    return names;
  }

  Status each(const std::string& part, Take add) {
    PKI_TRY(const auto names, names_in(part));
    for (const auto& name : names) PKI_TRY_VOID(one(part + "/" + name, kMaxSmallFile * 64, add));
    return {};
  }

  /// nodes/<cn>/{cert,key}.pem of the documented layout.
  Status read_nodes() {
    PKI_TRY(const auto names, names_in("nodes"));
    for (const auto& name : names) {
      if (!is_directory("nodes/" + name)) continue;
      PKI_TRY_VOID(one("nodes/" + name + "/cert.pem", kMaxSmallFile, &Reader::add_certificate));
      PKI_TRY_VOID(one("nodes/" + name + "/key.pem", kMaxSmallFile, &Reader::add_key));
    }
    return {};
  }

  Status read_settings() {
    if (!is_there(out_.directory / "ca.config.yml")) odd("no ca.config.yml: the realm has uPKI's defaults");
    return one("ca.config.yml", kMaxSmallFile, &Reader::add_settings);
  }

  Status add_settings(const std::string& place, std::string content) {
    std::vector<config::Finding> findings;
    config::Report report(place, findings);
    const auto text = config::accept_source(std::move(content), report);
    const auto root = text ? config::parse_yaml(*text, report) : std::nullopt;
    if (root && root->kind == config::Node::Kind::Map && !report.failed()) out_.settings = *root;
    for (const auto& finding : findings) odd(config::to_line(finding) + ": the realm has uPKI's defaults");
    return {};
  }

  Status keep(const std::string& place, std::string content) {
    out_.kept.push_back({place, std::move(content)});
    return {};
  }

  Status add_certificate(const std::string& place, std::string content) {
    auto read = x509::read_foreign_certificate(content);
    if (!read.ok()) {
      odd(shown(place) + " holds no certificate that can be read (" + read.error().message() + "): kept as it is");
      return keep(place, std::move(content));
    }
    if (std::ranges::equal(read->der, ca_.der())) return {};
    ++foreign_;
    if (!x509::is_signed_by(*read, ca_.public_key())) {
      odd(shown(place) + " is not of this CA (" + shown(read->subject) + "): kept as it is");
      return keep(place, std::move(content));
    }
    ++signed_;
    return take(place, std::move(*read), std::move(content));
  }

  Status take(const std::string& place, x509::ForeignCertificate certificate, std::string content) {
    auto& entry = entry_of(certificate.serial, place);
    if (entry.certificate && entry.certificate->der != certificate.der) {
      odd(shown(place) + " has serial " + certificate.serial.hex() + " as " + shown(entry.found_in) +
          " has, and is another certificate: kept as it is");
      return keep(place, std::move(content));
    }
    if (!certificate.weakness.empty()) odd(shown(place) + " has a weak key (" + certificate.weakness + "): taken as history");
    if (!certificate.misshape.empty())
      odd(shown(place) + " has a form that is not issued any more (" + certificate.misshape + "): taken as history");
    entry.cn = certificate.cn;
    entry.certificate = std::move(certificate);
    return {};
  }

  /// Of the CA's own key there may be a copy among the nodes'; the importer leaves it out, since it fits no certificate.
  Status add_key(const std::string& place, std::string content) {
    out_.keys.push_back({place, SecretBytes(std::string_view(content))});
    explicit_bzero(content.data(), content.size());
    return {};
  }

  Status add_crl(const std::string& place, std::string content) {
    const auto crl = x509::read_foreign_crl(content, ca_.public_key());
    const auto said = crl.ok() ? std::string() : crl.error().message();
    if (!crl.ok()) odd(shown(place) + " is no CRL of this CA (" + said + "): kept as it is");
    if (crl.ok() && crl->number.value_or(0) > kMaxCrlNumber)
      return Error(Code::Unsupported, place + " has the CRL number " + std::to_string(*crl->number) +
                                          ", expected one that leaves room for higher ones");
    if (crl.ok()) add_entries(place, *crl);
    return keep(place, std::move(content));
  }

  void add_entries(const std::string& place, const x509::ForeignCrl& crl) {
    const bool is_called_pem = place.ends_with(".pem");
    if (is_called_pem && !crl.is_pem) odd(shown(place) + " is DER under a name of PEM: read all the same");
    if (crl.repeated > 0)
      odd(shown(place) + " names " + std::to_string(crl.repeated) + " revocations more than once: the earliest date holds");
    if (crl.next_update && *crl.next_update < now_)
      odd(shown(place) + " ended " + base::to_rfc3339(*crl.next_update) + ": clients had no valid CRL since");
    if (crl.number) out_.crl_number = std::max(out_.crl_number.value_or(0), *crl.number);
    if (!out_.crl_update || crl.this_update > *out_.crl_update) out_.crl_update = crl.this_update;
    for (const auto& entry : crl.entries)
      revoke(entry_of(entry.serial, place), {entry.revoked_at, std::string(x509::reason_name(entry.reason))});
    for (const auto& entry : crl.entries) on_crl_.insert(entry.serial);
  }

  /// What a reason weighs against another of the same certificate: a hold may end, and a compromised key never heals.
  static int weight_of(std::string_view reason) {
    if (reason == "certificateHold") return 0;
    if (reason == "unspecified") return 1;
    return reason == "keyCompromise" || reason == "cACompromise" || reason == "aACompromise" ? 3 : 2;
  }

  /// The earliest date holds, and the reason that weighs most.
  static void revoke(UpkiCertificate& entry, const UpkiRevocation& revocation) {
    if (!entry.revocation) {
      entry.revocation = revocation;
      return;
    }
    entry.revocation->at = std::min(entry.revocation->at, revocation.at);
    if (weight_of(revocation.reason) > weight_of(entry.revocation->reason)) entry.revocation->reason = revocation.reason;
  }

  UpkiCertificate& entry_of(const Serial& serial, const std::string& place) {
    auto& entry = out_.certificates[serial];
    if (entry.found_in.empty()) entry.found_in = place;
    return entry;
  }

  Result<std::vector<UpkiRecord>> records_of(const std::string& place, std::string content) {
    const auto database = wire::parse_json(content);
    if (!database.ok() && database.error().code() == Code::TooLarge) return database.error().within(place);
    std::vector<UpkiRecord> records;
    if (database.ok()) records = upki_records(*database);
    if (!database.ok()) odd(shown(place) + " cannot be read (" + database.error().message() + "): kept as it is");
    PKI_TRY_VOID(keep(place, std::move(content)));
    return records;
  }

  Status add_records(const std::string& place, std::string content) {
    PKI_TRY(const auto records, records_of(place, std::move(content)));
    for (const auto& record : records) add_record(place, record);
    has_nodes_ = has_nodes_ || place.find("nodes") != std::string::npos;
    has_serials_ = has_serials_ || place.find("nodes") == std::string::npos;
    return {};
  }

  /// A record without a serial is of the certificate with its common name, of which uPKI remembers one.
  UpkiCertificate* entry_for(const std::string& place, const UpkiRecord& record) {
    if (record.serial) return &entry_of(*record.serial, place);
    for (auto& [serial, entry] : out_.certificates) {
      if (!record.cn.empty() && entry.certificate && entry.cn == record.cn) return &entry;
    }
    return nullptr;
  }

  void add_record(const std::string& place, const UpkiRecord& record) {
    auto* entry = entry_for(place, record);
    if (entry == nullptr) {
      return odd(shown(place) + " has " + shown(record.dn.empty() ? record.cn : record.dn) + " in state " + shown(record.state) +
                 " without a certificate: it stays in the copy of that file");
    }
    if (record.serial && place.find("nodes") == std::string::npos) recorded_.insert(*record.serial);
    if (entry->dn.empty()) entry->dn = record.dn;
    if (entry->cn.empty()) entry->cn = record.cn;
    if (entry->profile.empty()) entry->profile = record.profile;
    if (!record.revoked) return;
    if (!record.revoked_at)
      odd(shown(place) + " has " + shown(record.dn) + " revoked without a date: " + base::to_rfc3339(now_) + " is taken");
    revoke(*entry, {record.revoked_at.value_or(now_), record.reason.empty() ? "unspecified" : record.reason});
  }

  Status add_admins(const std::string& place, std::string content) {
    PKI_TRY(const auto records, records_of(place, std::move(content)));
    has_admins_ = true;
    for (const auto& record : records) {
      const auto name = x509::Name::parse_any(record.dn);
      if (!name.ok() || name->empty()) {
        odd(shown(place) + " has the administrator " + shown(record.dn) + ", which is no DN: left out");
      } else if (std::ranges::count(out_.admins, name->to_slash()) != 0) {
        odd(shown(place) + " has the administrator " + shown(name->to_slash()) + " twice: taken once");
      } else {
        out_.admins.push_back(name->to_slash());
      }
    }
    return {};
  }

  Status add_profile(const std::string& place, std::string content) {
    const base::Path path(place);
    if (path.extension() == ".yml" || path.extension() == ".yaml") {
      out_.profiles.push_back({path.filename().string(), std::move(content)});
      return {};
    }
    odd(shown(place) + " is no .yml file: kept as it is");
    return keep(place, std::move(content));
  }

  /// Whose name is on the list is an administrator, with any certificate of that name; uPKI gives names to anybody.
  void drop_doubtful_admins() {
    std::erase_if(out_.admins, [&](const std::string& dn) {
      std::set<std::string> keys;
      for (const auto& [serial, entry] : out_.certificates) {
        const bool may_live = !entry.revocation || entry.revocation->reason == "certificateHold";
        if (!may_live || (entry.certificate ? entry.certificate->subject : entry.dn) != dn) continue;
        if (entry.certificate && entry.certificate->not_after < now_) continue;
        keys.insert(entry.certificate ? base::to_hex(crypto::sha256(entry.certificate->spki)) : serial.hex());
      }
      if (keys.size() > 1)
        odd("administrator " + shown(dn) + " has certificates of " + std::to_string(keys.size()) +
            " keys: left out; revoke those that are not the administrator's, then add the name");
      return keys.size() > 1;
    });
  }

  /// What only shows when all is read.
  void finish() {
    if (!has_nodes_) odd("no database of nodes: what the certificates and the CRL say is taken");
    if (!has_serials_) odd("no database of serials: what the certificates and the CRL say is taken");
    drop_doubtful_admins();
    if (!has_admins_) odd("no database of administrators: the realm has none");
    if (!out_.crl_update) odd("no CRL of this CA: revocations are those of the databases");
    for (const auto& [serial, entry] : out_.certificates) {
      if (entry.certificate && has_serials_ && !recorded_.contains(serial))
        odd(shown(entry.found_in) + " has no record of its serial " + serial.hex() + ": taken from its file");
      if (!entry.certificate)
        odd("serial " + serial.hex() + (entry.dn.empty() ? "" : " of " + shown(entry.dn)) + " is named in " +
            shown(entry.found_in) +
            " and its certificate is lost (uPKI keeps one for each name): the serial is taken, and can be revoked");
      if (entry.revocation && out_.crl_update && !on_crl_.contains(serial))
        odd("serial " + serial.hex() + " is revoked in a database and was on no CRL: it is on the realm's next one");
    }
    out_.digest = base::to_hex(crypto::sha256(base::as_bytes(digests_)));
  }

  UpkiSource& out_;
  const x509::Certificate& ca_;
  Seconds now_;
  std::string digests_;
  std::set<Serial> recorded_;
  std::set<Serial> on_crl_;
  std::size_t foreign_ = 0;  ///< certificates but the CA's own
  std::size_t signed_ = 0;
  bool has_nodes_ = false;
  bool has_serials_ = false;
  bool has_admins_ = false;
  std::size_t total_bytes_ = 0;
};

/// A place where a CA's key and certificate may be.
struct CaPlace {
  const char* generation;
  base::Path key;
  base::Path certificate;
};

std::vector<CaPlace> ca_places(const base::Path& directory, const base::Path& named) {
  if (!named.empty()) return {{"newer", named / "ca.key", named / "ca.crt"}};
  std::vector<CaPlace> places{{"documented", directory / "ca.key", directory / "ca.crt"}};
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    const auto live = base::Path(home) / ".upki" / "ca";
    places.push_back({"newer", live / "ca.key", live / "ca.crt"});
  }
  places.push_back({"older", directory / "private" / "ca.key", directory / "certs" / "ca.crt"});
  return places;
}

Status find_ca(UpkiSource& source, const base::Path& ca_directory) {
  const auto places = ca_places(source.directory, ca_directory);
  std::string looked;
  for (const auto& place : places) {
    looked += (looked.empty() ? "" : ", ") + place.key.string();
    if (!is_there(place.key) || !is_there(place.certificate)) continue;
    source.generation = place.generation;
    source.key_file = place.key;
    source.certificate_file = place.certificate;
    return {};
  }
  return Error(Code::NotFound, "found no CA's key with its certificate beside it, expected one of " + looked,
               "uPKI keeps the live ones in .upki/ca of its user's home: name that with --ca-directory");
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t kMaxShown = 120;
  return "\"" + base::printable(text, kMaxShown) + "\"";
}

Result<UpkiSource> read_upki(const base::Path& directory, const base::Path& ca_directory, Seconds now) {
  std::error_code failure;
  if (!fs::is_directory(directory, failure)) {
    return Error(Code::NotFound, "found no directory " + directory.string() + ", expected uPKI's data directory",
                 "it is what UPKI_DATA_DIR or --path named");
  }
  UpkiSource source{.directory = directory};
  PKI_TRY_VOID(find_ca(source, ca_directory));
  PKI_TRY(const auto text, read_unlinked(source.certificate_file, kMaxChainBytes));
  const auto ca = x509::certificates_from_pem(text, x509::kMaxChain);
  if (!ca.ok()) return ca.error().within(source.certificate_file.string());
  PKI_TRY_VOID(Reader(source, ca->front(), now).read_all());
  source.digest = base::to_hex(crypto::sha256(base::as_bytes(source.digest + ca->front().fingerprint_hex())));
  return source;
}

}  // namespace chancery::signer
