#pragma once

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"
#include "server/base/text_pattern.h"

/// `enrolment:` of ca.config.yml as plain values: what requests may show for themselves, and who is asked about them. Rules of
/// `policy:` name these things.
namespace chancery::config {

/// Something that a request shows, worth points: "challenge:fleet", "look_up:inventory=2".
struct Proof {
  std::string kind;  ///< a row of kProofKinds
  std::string name;  ///< of a secret, signers or a look-up; empty: the kind has none
  int points = 1;

  /// @errors Malformed: says what was found and expected.
  static Result<Proof> parse(std::string_view text);
  std::string text() const;
  /// Without the points: what answers and records call it.
  std::string label() const { return name.empty() ? kind : kind + ":" + name; }
  bool operator==(const Proof&) const = default;
};

/// What the name behind a kind of proof means.
enum class ProofNames { Nothing, Secret, Signers, LookUp };
struct ProofKind {
  std::string_view name;
  ProofNames names;
};
inline constexpr std::array kProofKinds{
    ProofKind{"anonymous", ProofNames::Nothing},  ///< holds always
    ProofKind{"challenge", ProofNames::Secret},   ///< the request's challenge password (RFC 2985 5.4.1)
    ProofKind{"hmac", ProofNames::Secret},        ///< HMAC with SHA-256 over the request
    ProofKind{"holder", ProofNames::Nothing},     ///< the certificate that is renewed, shown by its key
    ProofKind{"look_up", ProofNames::LookUp},     ///< eligible, says somebody else
    ProofKind{"on_behalf", ProofNames::Signers},  ///< an authorised signer asks, or signed the request
};

/// A secret that requests are held against.
struct EnrolmentSecret {
  std::string kind = "shared";  ///< shared: one for all; list: a line "NAME HASH" for each common name
  std::string file;

  bool operator==(const EnrolmentSecret&) const = default;
};
inline constexpr std::size_t kLeastSecretOctets = 16;  ///< of a shared one
inline constexpr std::size_t kMostSecretOctets = 1024;
inline constexpr std::size_t kMostListOctets = 16 << 20;

/// Who may enrol others. One of all that is listed is enough.
struct EnrolmentSigners {
  std::vector<std::string> profiles;          ///< certificates in force of these profiles
  std::vector<base::TextPattern> subjects;    ///< which their subjects have to match; empty: any
  std::vector<base::TextPattern> identities;  ///< or a session of these: "user:alice", "cert:/CN=*"
  std::vector<std::string> roles;             ///< or one with these roles

  bool operator==(const EnrolmentSigners&) const = default;
};

/// Somebody else who says yes or no.
struct LookUp {
  std::string kind;  ///< program, ldap, http or sqlite
  std::chrono::seconds timeout{5};
  std::chrono::seconds cache{0};  ///< of answers, in one session
  std::string program;            ///< program: absolute path
  std::vector<std::string> arguments;
  std::string url;                 ///< ldap, http: with variables in http's
  bool start_tls = false;          ///< ldap
  std::string tls_ca_file;         ///< ldap, http
  std::string bind_dn;             ///< ldap
  std::string bind_password_file;  ///< ldap
  std::string base;                ///< ldap
  std::string filter;              ///< ldap: with variables
  std::string token_file;          ///< http: what Authorization: Bearer says
  std::string file;                ///< sqlite
  std::string query;               ///< sqlite: with :variables

  bool operator==(const LookUp&) const = default;
};

/// What templates of look-ups may stand for.
inline constexpr std::string_view kLookUpVariables = "name cn subject requester user profile way realm";

struct EnrolmentConfig {
  std::map<std::string, EnrolmentSecret> secrets;
  std::map<std::string, EnrolmentSigners> signers;
  std::map<std::string, LookUp> look_ups;
  int refused_kept = 1000;  ///< refused requests that are remembered; 0: none
  std::chrono::seconds refused_for{std::chrono::hours{24 * 90}};

  bool operator==(const EnrolmentConfig&) const = default;
};

}  // namespace chancery::config
