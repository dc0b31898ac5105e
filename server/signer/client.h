#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/base/fd.h"
#include "server/signer/messages.h"
#include "server/signer/service_messages.h"
#include "server/wire/message.h"

namespace chancery::signer {

/// A worker's connection to its realm's signer. Calls block. It ends with the first answer that does not come, or is none: one
/// that came late would be taken for the next call's.
class SignerClient {
 public:
  /// @param pass  what the master gave workers and signer of that realm (base/realm_passes.h)
  /// @errors Unavailable: nobody listens.
  static Result<SignerClient> connect(const std::string& socket, ByteView pass,
                                      std::chrono::milliseconds answer_limit = kAnswerLimit);
  /// Nothing is asked over a connection that has ended: every call is Closed.
  bool is_open() const { return static_cast<bool>(socket_); }

  /// @errors what the signer refuses with; Closed, Timeout: unknown whether it signed: repeat with the same serial.
  Result<Signed> sign_certificate(const SignRequest& request);
  Result<SignedCrl> sign_crl(const CrlRequest& request);
  /// Has the signer write crl.pem.
  Status publish_crl(ByteView der, const std::string& ca = "ca");
  /// What stands there, DER. @errors NotFound.
  Result<Bytes> published_crl(const std::string& ca, bool is_delta);
  Result<AuthorityInfo> authority(const std::string& ca = "ca");
  /// Records from that position on, at most `limit`.
  Result<JournalPage> journal_since(std::uint64_t position, std::size_t limit);
  /// Those among them, at most kMostSerialsAsked, that the journal has signed nothing under.
  Result<std::vector<Serial>> unknown_serials(const std::vector<Serial>& asked);
  /// Brings the certificate of a CA that waits for one: the CA's first, then those above it.
  Status import_certificate(const std::string& chain_pem, const std::string& ca = "ca");
  /// Every generation of every CA; what changes one answers with all of them.
  Result<std::vector<GenerationInfo>> generations();
  /// @param approved  the request that they are done for; null: none
  Result<std::vector<GenerationInfo>> create_generation(const NewGeneration& wanted, const ApprovedRequest* approved = nullptr);
  Result<std::vector<GenerationInfo>> cross_sign(const std::string& ca, const ApprovedRequest* approved = nullptr);
  Result<std::vector<GenerationInfo>> set_generation(const std::string& ca, std::string_view state, const std::string& requester,
                                                     const ApprovedRequest* approved = nullptr);
  /// Durable when it returns. @errors Io: the act must not be done.
  Status record(const AuditEvent& event);
  /// @param kind empty: records of every kind.
  Result<AuditPage> audit_since(std::uint64_t position, std::size_t limit, std::string_view kind = {});
  /// @errors Corrupt: names the octet.
  Status audit_verify();
  Result<SecretStatus> enter_secret(const SecretEntry& entry);
  Result<SecretStatus> secret_status();
  Result<SecretStatus> clear_secret();
  /// Every key of every service (doc/services.md).
  Result<std::vector<ServiceInfo>> services();
  /// Makes those that are missing or about to expire. @return as services.
  Result<std::vector<ServiceInfo>> renew_services(const std::string& requester);
  /// @errors NotFound: nobody answers for that generation; Conflict: the journal says otherwise; PolicyRefused.
  Result<OcspAnswer> sign_ocsp(const OcspQuestion& question);
  /// The content of what was encrypted to an RA's key. @errors NotFound; BadProof; Malformed.
  Result<Bytes> open_for_ra(const RaQuestion& question);
  /// @return DER of a SignedData. @errors NotFound; Malformed.
  Result<Bytes> sign_for_ra(const RaQuestion& question);
  Status ping();

 private:
  static constexpr std::chrono::milliseconds kAnswerLimit{30000};  ///< RSA-4096 takes 3 ms; a signer under load queues

  SignerClient(base::UniqueFd socket, std::chrono::milliseconds answer_limit);
  Result<Json> call(std::string_view operation, Json params);
  Result<wire::Reply> exchange(const wire::Request& request);

  base::UniqueFd socket_;
  std::chrono::milliseconds answer_limit_;
  std::unique_ptr<wire::LineReader> reader_;
  std::int64_t last_id_ = 0;
};

}  // namespace chancery::signer
