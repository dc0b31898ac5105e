#pragma once

#include <string>
#include <vector>

#include "server/realm/policy.h"
#include "server/worker/session.h"

namespace chancery::worker {

struct Order;

/// Room below the limits by number of the rule that granted a request, taken before anything is signed, so that of many who ask
/// at once no more get a certificate than the rule says; and the certificates that the new one is to replace.
class PolicyRoom {
 public:
  /// @errors PolicyRefused: there is none, others were first; Busy: the subject's certificate is being replaced just now; what
  /// the store says.
  static Result<PolicyRoom> take(Session& session, const Order& order, const realm::Decision& decision);

  /// Of the reservation, for the certificate's row; empty: none was needed.
  const std::string& id() const { return id_; }
  /// After a refusal. After any other failure nobody knows whether a certificate was made, and the room lapses.
  void give_back();
  /// Those that were in force when the room was taken end as superseded (RFC 5280 5.3.1).
  void revoke_replaced(const Serial& by);

 private:
  explicit PolicyRoom(Session& session) : session_(&session) {}
  Status note_replaced(const realm::Decision& decision);

  Session* session_;
  std::string id_;
  std::vector<Serial> replaced_;
};

/// How long room that nobody gave back is held.
inline constexpr std::chrono::minutes kRoomLife{10};

/// Which certificates can be in force: counted up to `most`.
/// That rules can compare a subject with others: octet for octet once letters of either case are the same. Spaces at the ends of
/// a value, or two side by side, would make another text of the same name (RFC 5280 7.1). @errors PolicyRefused.
Status check_comparable(const std::string& subject);

store::Living living_now(const Session& session, int most);

}  // namespace chancery::worker
