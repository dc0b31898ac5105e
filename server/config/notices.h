#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "server/base/names.h"

namespace chancery::config {

/// `notices:` of ca.config.yml: who is told that a certificate ends, when, and by which way.
struct NoticesConfig {
  std::vector<std::chrono::seconds> before;  ///< the end; empty: nobody is told
  /// The same of a CA's own certificate, whose successor takes longer than a leaf's. Nobody is told while `before` is empty.
  std::vector<std::chrono::seconds> ca_before{std::chrono::days{180}, std::chrono::days{90}, std::chrono::days{30},
                                              std::chrono::days{7}};
  std::vector<ProfileName> profiles;    ///< whose certificates; empty: all
  std::vector<std::string> to;          ///< mail addresses
  std::vector<std::string> to_holders;  ///< "certificate": its e-mail SANs; "account": its ACME account's contacts
  std::string mail_server;              ///< "HOST:PORT"; empty: no mail
  std::string mail_tls = "starttls";    ///< starttls, tls or none
  std::string mail_from;
  std::string mail_user;           ///< empty: without a login
  std::string mail_password_file;  ///< one line, mode 0600
  std::string ca_file;             ///< PEM, whom mail servers' and webhooks' certificates come from; empty: the system's
  std::string language = "en";
  std::vector<std::string> languages;  ///< "example.fr=fr": of addresses of that domain
  std::string templates;               ///< directory of LANGUAGE.subject and LANGUAGE.body; empty: the built-in ones
  std::vector<std::string> webhooks;   ///< URLs
  std::string webhook_key_file;        ///< of HMAC-SHA-256, one line, mode 0600
  std::string program;                 ///< absolute path; empty: none
  std::chrono::seconds timeout{30};    ///< of one attempt

  bool operator==(const NoticesConfig&) const = default;
};

}  // namespace chancery::config
