#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/key_spec.h"
#include "server/base/names.h"
#include "server/signer/approved_request.h"
#include "server/wire/json.h"
#include "server/x509/crl.h"
#include "server/x509/general_name.h"
#include "server/x509/name.h"

/// What a worker and its signer say to each other: JSON-RPC lines as on the public socket, in words of their own. Reading and
/// writing of each message stand together in messages.cc.
namespace chancery::signer {

/// A certificate to be made, in structured form: never bytes to be signed, never a digest.
struct SignRequest {
  Serial serial;
  ProfileName profile;
  x509::Name subject;
  std::vector<x509::GeneralName> sans;
  Bytes spki;
  Seconds not_before;
  Seconds not_after;
  std::optional<Bytes> csr;      ///< DER; proof of possession that the signer verifies itself
  std::optional<Serial> renews;  ///< instead of it: a journalled certificate with the same key
  std::string requester;
  std::string front_end;
  std::string rule;
  std::string evidence;
  std::string idempotency_key;
  std::optional<ApprovedRequest> approved{};  ///< the request that it is made for, where the profile demands signed approvals
  std::string ca = "ca";                      ///< which generation of which CA signs (realm::Label)
};
Json to_json(const SignRequest& request);
Result<SignRequest> sign_request_from_json(const Json& params);

struct Signed {
  Serial serial;
  Bytes certificate;      ///< DER
  bool replayed = false;  ///< the journal had it already
};
Json to_json(const Signed& answer);
Result<Signed> signed_from_json(const Json& result);

struct CrlRequest {
  std::uint64_t number = 0;
  Seconds this_update{};
  Seconds next_update{};
  std::vector<x509::RevokedEntry> entries;
  std::string requester;
  std::string ca = "ca";  ///< the generation whose CRL it is
  /// Of a delta CRL: the full one that it adds to, which is published. `entries` are those of a full CRL all the same: what
  /// changed is the signer's to find.
  std::uint64_t base = 0;
};
Json to_json(const CrlRequest& request);
Result<CrlRequest> crl_request_from_json(const Json& params);

struct SignedCrl {
  Bytes crl;  ///< DER
};
Json to_json(const SignedCrl& answer);
Result<SignedCrl> signed_crl_from_json(const Json& result);

/// Serials that the journal has signed nothing under.
Json to_json(const std::vector<Serial>& serials);
/// @errors TooLarge: more than kMostSerialsAsked.
Result<std::vector<Serial>> serials_from_json(const Json& object);
inline constexpr std::size_t kMostSerialsAsked = 1000;

/// What a certificate of another program says, read once, when the realm took it over: it may be in a form that our own reader
/// refuses, and of some only the serial is known.
struct TakenOver {
  Serial serial;
  std::string subject{};  ///< slash form; empty: unknown
  std::string cn{};
  std::vector<std::string> sans{};
  Seconds not_before{};
  Seconds not_after{};
};
Json to_json(const TakenOver& facts);
Result<TakenOver> taken_over_from_json(const Json& object);

/// The rule by which such certificates stand in the store.
inline constexpr std::string_view kImportedRule = "imported";

/// One issued certificate of the journal.
struct JournalRecord {
  std::uint64_t position = 0;
  Bytes certificate;  ///< DER; of one that was taken over it may be empty: nobody kept it
  std::string profile;
  std::string requester;
  std::string front_end;
  std::string rule;
  std::string evidence;
  std::string idempotency_key;
  Seconds at{};
  std::optional<TakenOver> taken_over{};  ///< of one that another program issued
  std::string ca = "ca";                  ///< the generation that signed it
};
struct JournalPage {
  std::vector<JournalRecord> records;
  std::uint64_t next_position = 0;  ///< where the next page begins; the same as asked when there is nothing more
};
Json to_json(const JournalPage& page);
Result<JournalPage> journal_page_from_json(const Json& result);

/// One generation of one CA, as the signer has it.
struct GenerationInfo {
  std::string ca;     ///< realm::Label
  std::string state;  ///< realm::GenerationState
  std::string chain;  ///< PEM: its certificate, then those above it; empty while it waits
  std::string request{};
  std::string new_with_old{};  ///< PEM
  std::string old_with_new{};
  std::optional<Seconds> last_end{};  ///< of a draining one that signed certificates: when the last of them expires

  bool operator==(const GenerationInfo&) const = default;
};
Json to_json(const std::vector<GenerationInfo>& generations);
Result<std::vector<GenerationInfo>> generations_from_json(const Json& result);

/// A generation to be made: the signer makes its key.
struct NewGeneration {
  std::string ca;    ///< realm::Label
  std::string from;  ///< "self", "request": an outside CA will certify it; "root": the issuer that `cas:` names does
  std::string requester{};
};
Json to_json(const NewGeneration& wanted);
Result<NewGeneration> new_generation_from_json(const Json& params);

/// What somebody did or tried, for the audit stream; certificates and CRLs have records of their own there.
struct AuditEvent {
  std::string what;       ///< the command, "session.login"
  std::string phase;      ///< "begin": durable before the act; "end": what became of it; "refused": nothing was done;
                          ///< kImportPhase: done in the program that the realm was taken over from
  std::string requester;  ///< "unix:alice", "acme:…"
  std::string front_end;
  std::string peer;     ///< of the socket: "uid 1000 pid 77"
  std::string about;    ///< the parameters that name things, as JSON
  std::string roles;    ///< by which the requester may
  std::string outcome;  ///< of "end" and "refused": "ok", or an error's code and message
  Seconds at{};
};
Json to_json(const AuditEvent& event);
Result<AuditEvent> audit_event_from_json(const Json& params);

/// The phase of events that a realm brought along.
inline constexpr std::string_view kImportPhase = "import";
/// What they are about: a certificate's change of state, and a DN on the list of administrators.
inline constexpr std::string_view kStateChange = "certificate.state";
inline constexpr std::string_view kAdminImport = "admin.import";

/// Records of the audit stream, whatever their kind, as they stand in the journal, each with its position.
struct AuditPage {
  std::vector<Json> records;
  std::uint64_t next_position = 0;  ///< as of JournalPage
};
Json to_json(const AuditPage& page);
Result<AuditPage> audit_page_from_json(const Json& result);

/// A share or passphrase, and who gave it.
struct SecretEntry {
  SecretBytes secret;
  std::string by;
};
Json to_json(const SecretEntry& entry);
Result<SecretEntry> secret_entry_from_json(const Json& params);

/// A share that is in: never the share itself.
struct SecretGiven {
  int index = 0;
  std::string by;
  Seconds at{};
};
Json to_json(const SecretGiven& given);

/// How it stands with what opens the CA's key.
struct SecretStatus {
  std::string method;  ///< none, prompt or shares
  std::string store;   ///< file or pkcs11
  std::string state;   ///< open, locked or away
  std::string reason;  ///< why it is not open
  int shares = 0;      ///< of method shares
  int threshold = 0;
  std::string set;
  std::vector<SecretGiven> given;
};
Json to_json(const SecretStatus& status);
Result<SecretStatus> secret_status_from_json(const Json& result);

struct AuthorityInfo {
  std::string state;  ///< "ready" or "waiting"
  std::uint64_t last_crl_number = 0;
  std::string chain;       ///< PEM: the CA's certificate, then those above it; empty while it waits
  std::string fault;       ///< why the journal refused the last record; empty: it did not
  std::string obstacle{};  ///< why the key cannot sign; empty: it can
};
Json to_json(const AuthorityInfo& info);
Result<AuthorityInfo> authority_from_json(const Json& result);

}  // namespace chancery::signer
