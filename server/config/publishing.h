#pragma once

#include <chrono>
#include <string>

namespace chancery::config {

/// An LDAP server that CRLs and certificates are published to (RFC 4523).
struct LdapPublishing {
  std::string url;                 ///< ldap://, ldaps:// or ldapi://; empty: nowhere
  bool start_tls = false;          ///< of ldap://
  std::string tls_ca_file;         ///< empty: the system's CAs
  std::string bind_dn;             ///< who writes
  std::string bind_password_file;  ///< one line, mode 0600
  std::string ca_dn;               ///< of a CA's entry; {ca} stands for the generation
  std::string certificate_dn;      ///< of a holder's entry; {cn} stands for the common name; empty: none are published
  std::chrono::seconds timeout{10};

  bool operator==(const LdapPublishing&) const = default;
};

/// `publishing:` of ca.config.yml: where CRLs go besides HTTP.
struct PublishingConfig {
  std::string directory;             ///< empty: nowhere
  std::string program;               ///< absolute path, run for each new CRL; empty: none
  std::chrono::seconds timeout{30};  ///< of the program
  LdapPublishing ldap{};

  bool is_asked_for() const { return !directory.empty() || !ldap.url.empty(); }
  bool operator==(const PublishingConfig&) const = default;
};

}  // namespace chancery::config
