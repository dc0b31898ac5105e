#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "server/base/log.h"
#include "server/wire/json.h"

/// What chancery-notify is told by chanceryd.
namespace chancery::notify {

enum class MailTls { StartTls, Tls, None };

/// An LDAP server that CRLs and certificates are put into.
struct LdapSettings {
  std::string url;  ///< empty: none
  bool start_tls = false;
  std::string tls_ca_file;
  std::string bind_dn;
  std::string bind_password_file;
  std::string ca_dn;           ///< {ca}: the generation
  std::string certificate_dn;  ///< {cn}: the common name; empty: no certificates but the CAs'
  std::chrono::seconds timeout{10};
};

struct RealmSettings {
  std::string realm;
  std::chrono::seconds round{30};  ///< how often it is asked what is due
  std::string mail_server;         ///< HOST:PORT; empty: no mail
  MailTls mail_tls = MailTls::StartTls;
  std::string mail_from;
  std::string mail_user;
  std::string mail_password_file;
  std::string ca_file;
  std::string language = "en";
  std::vector<std::string> languages;  ///< DOMAIN=LANGUAGE
  std::string templates;
  std::string webhook_key_file;
  std::string program;
  std::chrono::seconds timeout{30};
  bool sends = true;          ///< notices
  std::string crl_directory;  ///< empty: no CRLs are published
  std::string crl_program;    ///< run for each; empty: none
  std::chrono::seconds crl_timeout{30};
  bool makes_delta_crls = false;
  LdapSettings ldap{};
};

struct Settings {
  std::string socket;
  std::string front_end = "notify";
  base::LogTarget log;
  std::vector<RealmSettings> realms;
};

/// @errors BadConfig: what is asked for must not be done, such as mail without TLS to another machine.
Result<Settings> read_settings(const Json& json);
/// From a descriptor, to its end. @errors also Io, TooLarge, Malformed.
Result<Settings> load_settings(int descriptor);

/// Whether HOST of HOST:PORT, or of an http URL, is an address of this machine's loopback.
bool stays_here(const std::string& host_port);

}  // namespace chancery::notify
