#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/lib/client.h"

namespace chancery::client {

/// A request that others have to agree to, from its beginning to its end (doc/four-eyes.md); what it was when it was last looked
/// at. What is decided is decided for that: when something else would come of the request by now, decisions are refused as
/// Conflict, and refresh() shows what.
///
/// @code
///   PKI_TRY(auto request, Request::create(client, {.csr = csr, .profile = "webserver"}));
///   PKI_TRY(const auto state, request.wait(std::chrono::hours(1)));
///   if (state == "approved") {
///     PKI_TRY(const auto made, request.pickup());
///     std::cout << made.text("certificate");
///   }
/// @endcode
///
/// The client must outlive it. All that may fail has the errors of Client::call(), besides what is named; NotFound: there is no
/// such request, or it is not this session's business; Denied: not by this one; Conflict: not in the request's state.
class Request {
 public:
  /// What is asked for; what is empty is left out (request.create in doc/commands.md).
  struct Wish {
    std::string kind{};               ///< enrolment, when it is empty
    std::string csr{};                ///< PEM
    std::string profile{};            ///< of an enrolment
    std::vector<std::string> sans{};  ///< "DNS:www.example.com"; they replace those of the request
    std::string serial{};             ///< of the certificate that it is about
    std::string dn{};                 ///< of a name change
    std::string reason{};             ///< of a revocation
    std::string ca{};                 ///< of a rollover
    std::string step{};               ///< likewise
    std::string config{};             ///< of a rule change: ca.config.yml as it shall be
    std::string comment{};            ///< what the history shall say
  };
  /// Asks.
  static Result<Request> create(Client& client, const Wish& wish);
  /// One that there is.
  static Result<Request> find(Client& client, std::string_view id);

  /// Its id.
  std::string id() const { return row_.text("request"); }
  /// pending, approved, processing, issued, done, rejected, withdrawn, expired or failed.
  std::string state() const { return row_.text("state"); }
  /// SHA-256 of its content, which approvals are given for.
  std::string digest() const { return row_.text("digest"); }
  /// Whether nothing becomes of it any more.
  bool has_ended() const;
  /// All that request.get says: content, approvals, history, attachments.
  const Json& row() const { return row_; }

  /// Looks again.
  Status refresh();

  /// An approval with its signature, where the profile has them signed.
  struct Approval {
    std::string comment{};      ///< what the history shall say
    std::string certificate{};  ///< the approver's, PEM; with `sign`
    /// Signs the octets that it gets with the certificate's key, SHA-256 (Ed25519 by itself), and gives the signature's octets.
    std::function<Result<Bytes>(ByteView)> sign{};
  };
  /// Approves what was looked at. @errors also those of Approval::sign.
  Status approve(const Approval& approval);
  /// As above, without a signature.
  Status approve() { return approve(Approval()); }
  /// Refuses it. @param why  for the history, at least one character.
  Status reject(const std::string& why);
  /// Takes back one's own. @param why  for the history; may be empty.
  Status withdraw(const std::string& why = {});
  /// Adds words to the history.
  Status comment(const std::string& words);
  /// For operators: has a request that failed tried again. @param why  for the history; may be empty.
  Status retry(const std::string& why = {});

  /// Has an approved request done. May be repeated without harm: one certificate comes of a request, for ever.
  ///
  /// @return what request.pickup gives, of a certificate what certificate.issue does.
  Result<Json> pickup();

  /// Looks until the request is neither pending nor processing, or the time is over.
  ///
  /// @return the state then.
  Result<std::string> wait(std::chrono::milliseconds limit);

 private:
  Request(Client& client, Json row) : client_(&client), row_(std::move(row)) {}
  Status decide(std::string_view method, Json params);

  Client* client_;
  Json row_;
};

}  // namespace chancery::client
