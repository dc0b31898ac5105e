#include <algorithm>
#include <cstdlib>
#include <set>

#include "server/base/text.h"
#include "server/config/load.h"
#include "server/config/source.h"
#include "server/crypto/digest.h"
#include "server/signer/import_reader.h"
#include "server/signer/upki_records.h"

/// A uPKI CA's data directory (UPKI.md 4.1). The layout of its programs, the one of its documentation and the older one are told
/// apart by what is there, and what is there of each is taken.
namespace chancery::signer {
namespace {

/// Goes through the directory once, in an order that is always the same.
class Reader {
 public:
  Reader(ImportSource& out, ImportReader files) : out_(out), files_(std::move(files)), now_(files_.now()) {}

  Status read_all() {
    PKI_TRY_VOID(read_settings());
    PKI_TRY_VOID(files_.each("certs", files_.certificates()));
    PKI_TRY_VOID(files_.each("private", to(&Reader::add_key)));
    PKI_TRY_VOID(read_nodes());
    PKI_TRY_VOID(files_.check_signed_some("it is another CA's: name the right one's directory with --ca-directory"));
    PKI_TRY_VOID(files_.each("crls", files_.crls()));
    PKI_TRY_VOID(files_.one("crl.pem", ImportReader::kMaxListFile, files_.crls()));
    for (const auto* name : {".serials.json", ".nodes.json", "db/certs.json", "db/nodes.json"})
      PKI_TRY_VOID(files_.one(name, ImportReader::kMaxRecordsBytes, to(&Reader::add_records)));
    for (const auto* name : {".admins.json", "db/admins.json"})
      PKI_TRY_VOID(files_.one(name, ImportReader::kMaxRecordsBytes, to(&Reader::add_admins)));
    PKI_TRY_VOID(files_.each("profiles", to(&Reader::add_profile)));
    PKI_TRY_VOID(files_.each("reqs", files_.keeps()));
    finish();
    return {};
  }

 private:
  using Take = Status (Reader::*)(const std::string& place, std::string content);

  ImportReader::Take to(Take take) {
    return [this, take](const std::string& place, std::string content) { return (this->*take)(place, std::move(content)); };
  }
  void odd(const std::string& line) { files_.odd(line); }

  /// nodes/<cn>/{cert,key}.pem of the documented layout.
  Status read_nodes() {
    PKI_TRY(const auto names, files_.names_in("nodes"));
    for (const auto& name : names) {
      if (!files_.is_directory("nodes/" + name)) continue;
      PKI_TRY_VOID(files_.one("nodes/" + name + "/cert.pem", ImportReader::kMaxSmallFile, files_.certificates()));
      PKI_TRY_VOID(files_.one("nodes/" + name + "/key.pem", ImportReader::kMaxSmallFile, to(&Reader::add_key)));
    }
    return {};
  }

  Status read_settings() {
    if (!files::is_there(out_.directory / "ca.config.yml")) odd("no ca.config.yml: the realm has uPKI's defaults");
    return files_.one("ca.config.yml", ImportReader::kMaxSmallFile, to(&Reader::add_settings));
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

  /// Of the CA's own key there may be a copy among the nodes'; the importer leaves it out, since it fits no certificate.
  Status add_key(const std::string& place, std::string content) {
    out_.keys.push_back({place, SecretBytes(std::string_view(content))});
    explicit_bzero(content.data(), content.size());
    return {};
  }

  Result<std::vector<UpkiRecord>> records_of(const std::string& place, std::string content) {
    const auto database = wire::parse_json(content);
    if (!database.ok() && database.error().code() == Code::TooLarge) return database.error().within(place);
    std::vector<UpkiRecord> records;
    if (database.ok()) records = upki_records(*database);
    if (!database.ok()) odd(shown(place) + " cannot be read (" + database.error().message() + "): kept as it is");
    PKI_TRY_VOID(files_.keep(place, std::move(content)));
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
  SourceCertificate* entry_for(const std::string& place, const UpkiRecord& record) {
    if (record.serial) return &files_.entry_of(*record.serial, place);
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
    if (record.serial && place.find("nodes") == std::string::npos) files_.note_record(*record.serial);
    if (entry->dn.empty()) entry->dn = record.dn;
    if (entry->cn.empty()) entry->cn = record.cn;
    if (entry->profile.empty()) entry->profile = record.profile;
    if (!record.revoked) return;
    if (!record.revoked_at)
      odd(shown(place) + " has " + shown(record.dn) + " revoked without a date: " + base::to_rfc3339(now_) + " is taken");
    ImportReader::revoke(*entry, {record.revoked_at.value_or(now_), record.reason.empty() ? "unspecified" : record.reason});
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
    return files_.keep(place, std::move(content));
  }

  /// Whose name is on the list is an administrator, with any certificate of that name; uPKI gives names to anybody.
  void drop_doubtful_admins() {
    std::erase_if(out_.admins, [&](const std::string& dn) {
      std::set<std::string> keys;
      for (const auto& [serial, entry] : out_.certificates) {
        const bool may_live = !entry.revocation || entry.revocation->reason == "certificateHold";
        if (!may_live || (entry.certificate ? entry.certificate->subject : entry.dn) != dn) continue;
        if (entry.certificate && entry.certificate->not_after < now_) continue;
        keys.insert(entry.certificate ? crypto::sha256_hex(entry.certificate->spki) : serial.hex());
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
    if (has_serials_) files_.expect_records();
    files_.finish();
  }

  ImportSource& out_;
  ImportReader files_;
  Seconds now_;
  bool has_nodes_ = false;
  bool has_serials_ = false;
  bool has_admins_ = false;
};

/// A place where a CA's key and certificate may be.
struct CaPlace {
  const char* layout;
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

Status find_ca(ImportSource& source, const base::Path& ca_directory) {
  const auto places = ca_places(source.directory, ca_directory);
  std::string looked;
  for (const auto& place : places) {
    looked += (looked.empty() ? "" : ", ") + place.key.string();
    if (!files::is_there(place.key) || !files::is_there(place.certificate)) continue;
    source.layout = place.layout;
    source.key_file = place.key;
    source.certificate_file = place.certificate;
    return {};
  }
  return Error(Code::NotFound, "found no CA's key with its certificate beside it, expected one of " + looked,
               "uPKI keeps the live ones in .upki/ca of its user's home: name that with --ca-directory");
}

}  // namespace

Result<ImportSource> read_upki(const ImportOrder& order, Seconds now) {
  PKI_TRY_VOID(files::check_directory(order.source, "uPKI's data directory, which UPKI_DATA_DIR or --path named"));
  ImportSource source{.directory = order.source};
  PKI_TRY_VOID(find_ca(source, order.ca_directory));
  PKI_TRY_VOID(read_chain(source, order));
  PKI_TRY(auto files, ImportReader::begin(source, ImportReader::Doubles::Keep, now));
  PKI_TRY_VOID(Reader(source, std::move(files)).read_all());
  return source;
}

}  // namespace chancery::signer
