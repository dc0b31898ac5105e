#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clients/notify/settings.h"
#include "server/base/bytes.h"
#include "server/base/result.h"

struct ldap;

/// An LDAP server that is written to (RFC 4511, RFC 4523). The one door to libldap of this program.
namespace chancery::notify {

/// The value of an attribute that has one, in the binary option's form (RFC 4522).
struct Published {
  std::string attribute;  ///< "certificateRevocationList;binary"
  Bytes der;
};

class Directory {
 public:
  /// Connects, by TLS where the settings say so, and binds.
  /// @errors Unavailable: it does not answer, or shows no certificate that is trusted; AuthFailed: it refuses the password; those
  /// of read_secret_file.
  static Result<Directory> open(const LdapSettings& settings);
  Directory(Directory&&) = default;
  Directory& operator=(Directory&&) = default;

  /// The values of one attribute of an entry; none: it has none. @errors NotFound: there is no such entry; Unavailable.
  Result<std::vector<Bytes>> values(const std::string& dn, const std::string& attribute);
  /// Makes that value the only one. @errors as values; Denied: the server refuses.
  Status replace(const std::string& dn, const Published& value);
  /// Adds it to those that are there, which may have it already. @errors as replace.
  Status add(const std::string& dn, const Published& value);
  /// Makes the entry of a CA, with these values. @errors Denied: the server refuses, or the DN begins with something else than
  /// cn=.
  Status make_authority(const std::string& dn, const std::vector<Published>& values);

 private:
  struct Unbind {
    void operator()(ldap* connection) const noexcept;
  };
  using Connection = std::unique_ptr<ldap, Unbind>;
  explicit Directory(Connection connection, std::chrono::seconds timeout)
      : connection_(std::move(connection)), timeout_(timeout) {}
  Status modify(const std::string& dn, const Published& value, int operation);

  Connection connection_;
  std::chrono::seconds timeout_;
};

/// A text as the value of an attribute in a DN (RFC 4514 2.4).
std::string escape_for_dn(std::string_view text);
/// The template with every `{name}` replaced by the escaped text.
std::string fill_dn(std::string_view pattern, std::string_view name, std::string_view text);

}  // namespace chancery::notify
