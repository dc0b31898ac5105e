#pragma once

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/signer/import_source.h"
#include "server/x509/certificate.h"

namespace chancery::signer {

/// Reads the files of a source and fills in its records: each file once, in an order that is always the same. What is no file to
/// be read is odd; what cannot be read is an error.
class ImportReader {
 public:
  /// What becomes of two certificates with one serial. uPKI's own doing has made some.
  enum class Doubles { Keep, Refuse };
  using Take = std::function<Status(const std::string& place, std::string content)>;
  static constexpr std::size_t kMaxRecordsBytes = 256 << 20;
  static constexpr std::size_t kMaxSmallFile = 1 << 20;
  static constexpr std::size_t kMaxListFile = 64 << 20;

  /// @param out  its chain_pem says whose source it is. @errors Malformed: no certificate there.
  static Result<ImportReader> begin(ImportSource& out, Doubles doubles, Seconds now);

  /// The file at that place, if there is one. @param place  from the directory on, or an absolute path that an operator named
  Status one(const std::string& place, std::size_t max, const Take& take);
  /// Each file of a directory, if there is one.
  Status each(const std::string& part, const Take& take);
  /// What is in a directory, in order; nothing when there is none.
  Result<std::set<std::string>> names_in(const std::string& part);
  /// Whether it is a directory and no link to one; one that is there and is none is odd.
  bool is_directory(const std::string& part);

  void odd(const std::string& line) { out_->odd.push_back(line); }
  Status keep(const std::string& place, std::string content);
  /// Every certificate of the file, which is PEM or DER. One of another CA is kept as it is; those of the chain are passed over.
  Status add_certificates(const std::string& place, const std::string& content);
  /// Every CRL of the file likewise; the file is kept.
  Status add_crls(const std::string& place, std::string content);
  /// The same three for `one` and `each`; this reader must stay where it is.
  Take certificates();
  Take crls();
  Take keeps();
  /// The earliest date holds, and the reason that weighs most.
  static void revoke(SourceCertificate& entry, const SourceRevocation& revocation);
  SourceCertificate& entry_of(const Serial& serial, const std::string& place);
  /// A record that is the source's own of that serial, which each certificate should have.
  void note_record(const Serial& serial) { recorded_.insert(serial); }
  void expect_records() { expects_records_ = true; }
  /// The last number of a CRL, or of whoever counts them. @errors Unsupported: it leaves no room for higher ones.
  Status note_crl_number(const std::string& place, std::uint64_t number);

  /// @errors BadProof: there are certificates, and the CA signed none.
  Status check_signed_some(const std::string& advice) const;
  /// What only shows when all is read.
  void finish();

  const x509::Certificate& ca() const { return chain_.front(); }
  bool is_root() const { return std::ranges::equal(ca().issuer_der(), ca().subject_der()); }
  Seconds now() const { return now_; }
  ImportSource& out() { return *out_; }

 private:
  ImportReader(ImportSource& out, std::vector<x509::Certificate> chain, Doubles doubles, Seconds now);
  Status add_certificate(const std::string& place, const std::string& content);
  Status add_crl(const std::string& place, const std::string& content);
  Status take(const std::string& place, x509::ForeignCertificate certificate, const std::string& content);
  Status check_entries(const std::string& place, const x509::ForeignCrl& crl) const;
  Status add_entries(const std::string& place, const x509::ForeignCrl& crl);
  void tell_of_crl(const std::string& place, const x509::ForeignCrl& crl);

  ImportSource* out_;
  std::vector<x509::Certificate> chain_;  ///< the CA's first
  Doubles doubles_;
  Seconds now_;
  std::string digests_;
  std::set<Serial> recorded_;
  std::set<Serial> on_crl_;
  std::size_t certificates_ = 0;  ///< but CAs'
  std::size_t signed_ = 0;
  std::size_t total_bytes_ = 0;
  bool expects_records_ = false;
};

/// A directory as it is read without a reader, to find the CA in it.
namespace files {

/// Whether something is there, a link that leads nowhere included.
bool is_there(const base::Path& path);
/// A regular file that is no link, whatever stands there in the next moment: what was looked at is what is read.
/// @errors Malformed: a link, no regular file; TooLarge, Denied, Io.
Result<std::string> read_unlinked(const base::Path& path, std::size_t max);
/// The files below a directory, from it on, in order; links are left out. @errors TooLarge: too many; Io.
Result<std::vector<std::string>> all_below(const base::Path& directory);
/// The first of the names that is there; empty: none.
base::Path first_of(const base::Path& directory, std::initializer_list<const char*> names);
/// The PEM blocks of that label, each with its frame; whatever else is in the text is passed over.
std::vector<std::string> blocks_of(std::string_view label, std::string_view text);
/// Whether there is a private key of any form in PEM.
bool has_key(std::string_view text);
/// @errors NotFound: there is no such directory.
Status check_directory(const base::Path& directory, const std::string& what);

}  // namespace files

/// Every certificate and CRL below a directory, PEM or DER, whatever the names. Keys but `ca_key` are counted.
Status read_tree(ImportReader& reader, const base::Path& directory, const base::Path& ca_key);

/// The CA's certificate and those above it, of the source's files and the order's. @errors Malformed, TooLarge, Io.
Status read_chain(ImportSource& source, const ImportOrder& order);

}  // namespace chancery::signer
