#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "server/base/result.h"

/// The life of a request: one table of states and transitions. Pure: who somebody is to a request is the caller's to say, and the
/// store follows by compare-and-set.
namespace chancery::realm {

/// What is asked for.
enum class RequestKind : std::uint8_t { Enrolment, Renewal, Revocation, NameChange, Rollover, RuleChange };
inline constexpr std::size_t kRequestKinds = 6;
std::string_view to_text(RequestKind kind);
/// @errors Malformed.
Result<RequestKind> request_kind(std::string_view text);
/// Whether a certificate comes of it, by a profile.
bool is_certified(RequestKind kind);

enum class RequestState : std::uint8_t { Pending, Approved, Processing, Issued, Done, Rejected, Withdrawn, Expired, Failed };
inline constexpr std::size_t kRequestStates = 9;
std::string_view to_text(RequestState state);
/// @errors Malformed.
Result<RequestState> request_state(std::string_view text);
/// Whether something may still become of it by people.
bool is_open(RequestState state);

/// What happens to a request. Approve is an approval that leaves some to be given; Grant the last one, or a rule's. Change: what
/// would be certified is another thing by now, so that earlier approvals count no more. Retry: what failed is to be tried again.
enum class RequestEvent : std::uint8_t {
  Approve,
  Grant,
  Change,
  Reject,
  Withdraw,
  Comment,
  Begin,
  Issue,
  Finish,
  Fail,
  Expire,
  Retry,
};
inline constexpr std::size_t kRequestEvents = 12;
std::string_view to_text(RequestEvent event);

/// Who somebody is to a request; several at once are bits.
enum class Part : std::uint8_t { Requester = 1, Approver = 2, Operator = 4, Auditor = 8, Realm = 16 };
class Parts {
 public:
  constexpr Parts() = default;
  constexpr Parts(std::initializer_list<Part> parts) {
    for (const auto part : parts) add(part);
  }
  constexpr void add(Part part) { bits_ = static_cast<std::uint8_t>(bits_ | static_cast<std::uint8_t>(part)); }
  constexpr void add(Parts more) { bits_ = static_cast<std::uint8_t>(bits_ | more.bits_); }
  constexpr bool has(Part part) const { return (bits_ & static_cast<std::uint8_t>(part)) != 0; }
  constexpr bool meet(Parts other) const { return (bits_ & other.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  bool operator==(const Parts&) const = default;

 private:
  std::uint8_t bits_ = 0;
};

/// One row. Nobody decides about a request of his own: whoever is its requester is no approver of it, whatever his roles.
struct Transition {
  RequestState from;
  RequestEvent event;
  RequestState to;
  Parts who;
};
std::span<const Transition> request_transitions();

/// @errors Conflict: nothing of that kind happens in that state; Denied: not by those.
Result<RequestState> next_state(RequestState from, RequestEvent event, Parts who);

/// Whether somebody learns that the request exists.
bool may_see(Parts who);

}  // namespace chancery::realm
