#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/x509/certificate.h"

namespace chancery::x509 {

/// What a CA's certificate says about the names below it (RFC 5280 4.2.1.10).
class NameConstraints {
 public:
  /// The kinds of names that a subtree may hold, as far as certificates of ours have such names.
  enum class Kind { Dns, Ip, Email, Uri, Directory };

  /// Of the extension's value. Subtrees of other kinds of names are read over, since no certificate of ours has such names.
  /// @errors Malformed; Unsupported: a minimum or maximum, which RFC 5280 forbids, or an attribute that Name does not take.
  static Result<NameConstraints> read(ByteView value);

  /// What names break the constraints, or an empty text. Like verifiers it takes a common name with a dot for a DNS name when
  /// there is no other and the certificate is no CA's, and an emailAddress for a mailbox.
  std::string fault_in(const Name& subject, const std::vector<GeneralName>& sans, bool is_ca) const;

  /// Names that are permitted if any are: of each permitted subtree one or two, and what a subject may begin with.
  struct Samples {
    std::vector<GeneralName> names;
    std::vector<Name> directories;
  };
  Samples samples() const;

 private:
  struct Subtree {
    Kind kind;
    std::string text;  ///< of DNS, e-mail and URI: lower case but for a mailbox's local part
    Bytes octets;      ///< of an IP range: address, mask
    Name directory;
  };
  struct Held;
  static Result<std::optional<Subtree>> read_base(std::uint8_t tag, ByteView content);
  static Result<std::vector<Subtree>> read_subtrees(ByteView content);
  static bool matches(const Held& held, const Subtree& subtree, bool excluded);
  static std::string to_text(const Subtree& subtree);
  static std::vector<std::string> sample_texts(const Subtree& subtree);
  static std::vector<Held> held_names(const Name& subject, const std::vector<GeneralName>& sans, bool is_ca);
  std::string fault_in(const Held& held) const;

  std::vector<Subtree> permitted_;
  std::vector<Subtree> excluded_;
};

/// Those of a certificate; none when it has no such extension. @errors as NameConstraints::read.
Result<std::optional<NameConstraints>> name_constraints_of(const Certificate& certificate);

}  // namespace chancery::x509
