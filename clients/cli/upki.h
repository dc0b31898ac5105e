#pragma once

#include <array>
#include <string>
#include <string_view>

#include "server/wire/json.h"

/// `chancery upki`: the verbs and environment variables of uPKI's programs (UPKI.md 4.1), for those whose scripts and containers
/// know them. A data directory is one realm; chancery.xml and run directory of its server stand beside it.
namespace chancery::cli {

struct UpkiOptions {
  std::string path;
  std::string ca_key;
  std::string ca_certificate;
  std::string ca_password;
  std::string ca_password_file;
  std::string company;
  std::string domain;
  std::string subject;
  std::string host;
  std::string port;
  std::string server_key;
  std::string ra_key;
  std::string ca_port;
  std::string ca_curve_key;
  std::string ra_host;
  std::string ra_port;
  std::string ra_cn;
  std::string ra_realm;
  std::string ra_sans;
  std::string ra_tls;
};

/// An option of some verbs. One that is not given is taken from the environment.
struct UpkiOption {
  std::string_view name;         ///< without its dashes
  std::string_view value;        ///< what stands for its value in help
  std::string_view environment;  ///< empty: no variable
  std::string_view verbs;        ///< those that take it, parted by blanks; "ra-init" is the group's
  std::string_view doc;
  std::string UpkiOptions::*member;
};
inline constexpr std::array kUpkiOptions{
    UpkiOption{"path", "DIR", "UPKI_DATA_DIR", "init register listen start",
               "the data directory, which is the realm; its last part is the realm's name", &UpkiOptions::path},
    UpkiOption{"ca-key", "FILE", "UPKI_CA_KEY_FILE", "init", "the key of an existing CA, mode 0600", &UpkiOptions::ca_key},
    UpkiOption{"ca-cert", "FILE", "UPKI_CA_CERT_FILE", "init", "its certificate", &UpkiOptions::ca_certificate},
    UpkiOption{"ca-password", "TEXT", "", "init", "refused, since others see it: --ca-password-file", &UpkiOptions::ca_password},
    UpkiOption{"ca-password-file", "FILE", "", "init", "the file, mode 0600, whose first line opens that key",
               &UpkiOptions::ca_password_file},
    UpkiOption{"company", "TEXT", "", "init",
               "`company` of ca.config.yml: the organisation in the CA's name and its certificates'", &UpkiOptions::company},
    UpkiOption{"domain", "NAME", "", "init", "`domain` of ca.config.yml, like example.com", &UpkiOptions::domain},
    UpkiOption{"subject", "DN", "", "init",
               "the CA's subject, like /C=FR/O=Company/OU=CA/CN=Company Root CA; default is of the company",
               &UpkiOptions::subject},
    UpkiOption{"host", "ADDRESS", "UPKI_CA_HOST", "init register listen start",
               "where uPKI's protocol is served; default is 127.0.0.1, others need --server-key", &UpkiOptions::host},
    UpkiOption{"port", "PORT", "", "init register listen start", "and at which port, registration one above; default is 5000",
               &UpkiOptions::port},
    UpkiOption{
        "server-key", "FILE", "", "init register listen start",
        "the endpoint's secret CURVE key, mode 0600, that chancery zmq-key makes: peers of other machines come in with keys",
        &UpkiOptions::server_key},
    UpkiOption{"ra-key", "KEY", "", "init register listen start", "the public CURVE key of an RA on another machine",
               &UpkiOptions::ra_key},
    UpkiOption{"dir", "DIR", "UPKI_DATA_DIR", "ra-init ra-register ra-start", "the RA's data directory; default is ~/.upki/ra",
               &UpkiOptions::path},
    UpkiOption{"ip", "HOST", "UPKI_CA_HOST", "ra-register ra-start", "where the CA is; default is 127.0.0.1", &UpkiOptions::host},
    UpkiOption{"port", "PORT", "UPKI_CA_PORT", "ra-register ra-start",
               "and at which port, registration one above; default is 5000", &UpkiOptions::ca_port},
    UpkiOption{"server-key", "KEY", "UPKI_CA_CURVE_KEY", "ra-register ra-start",
               "the CA's public CURVE key; needed unless the CA is on this machine", &UpkiOptions::ca_curve_key},
    UpkiOption{"cn", "NAME", "UPKI_RA_CN", "ra-register ra-start", "the common name to register; default is RA",
               &UpkiOptions::ra_cn},
    UpkiOption{"sans", "NAMES", "UPKI_RA_SANS", "ra-register ra-start",
               "names and addresses of the RA's certificate, with commas between", &UpkiOptions::ra_sans},
    UpkiOption{"realm", "NAME", "UPKI_RA_REALM", "ra-init ra-start",
               "the CA's realm, to be served under its name; default is whichever that port serves", &UpkiOptions::ra_realm},
    UpkiOption{"web-ip", "ADDRESS", "UPKI_RA_HOST", "ra-start", "where the RA listens; default is 127.0.0.1",
               &UpkiOptions::ra_host},
    UpkiOption{"web-port", "PORT", "UPKI_RA_PORT", "ra-start", "and at which port; default is 8000", &UpkiOptions::ra_port},
    UpkiOption{"tls", "true|false", "UPKI_RA_TLS", "ra-start", "whether it serves HTTPS, as ACME needs; default is false",
               &UpkiOptions::ra_tls},
};

/// A verb. Those of the RA stand in a group of their own.
struct UpkiVerb {
  std::string_view group;  ///< empty: the CA's
  std::string_view name;
  std::string_view doc;
  /// @return what was done; a verb that serves does not return, since the server takes the process over.
  Result<Json> (*run)(const UpkiOptions& options);
};

/// @errors InvalidParams, NotFound, Exists, Io.
Result<Json> upki_init(const UpkiOptions& options);
Result<Json> upki_register(const UpkiOptions& options);
Result<Json> upki_start(const UpkiOptions& options);

/// Those of an RA on another machine are chancery-http's, which reads the environment: the options go there.
Result<Json> upki_ra_init(const UpkiOptions& options);
Result<Json> upki_ra_register(const UpkiOptions& options);
Result<Json> upki_ra_start(const UpkiOptions& options);

inline constexpr std::array kUpkiVerbs{
    UpkiVerb{"", "init", "Lay out the data directory, its CA and its server, and make the registration seed.", upki_init},
    UpkiVerb{"", "register", "Open registration, making a seed where there is none, and serve in the foreground.", upki_register},
    UpkiVerb{"", "listen", "Serve in the foreground, as start does.", upki_start},
    UpkiVerb{"", "start", "Serve operations and registration in the foreground.", upki_start},
    UpkiVerb{"ra", "init", "Make the data directory and CURVE key of an RA; says what its CA's operator has to know.",
             upki_ra_init},
    UpkiVerb{"ra", "register", "Register at the CA with UPKI_CA_SEED, unless there is a certificate.", upki_ra_register},
    UpkiVerb{"ra", "start", "Register if need be, then serve as the CA's RA in the foreground.", upki_ra_start},
};

/// Whether a verb takes an option.
bool takes(const UpkiOption& option, const UpkiVerb& verb);

/// Fills what was not given from the environment.
void add_environment(UpkiOptions& options, const UpkiVerb& verb);

}  // namespace chancery::cli
