#include "server/realm/request_states.h"

#include <algorithm>
#include <string>

namespace chancery::realm {
namespace {

using State = RequestState;
using Event = RequestEvent;

constexpr std::array<std::string_view, kRequestKinds> kKinds{"enrolment",   "renewal",  "revocation",
                                                             "name-change", "rollover", "rule-change"};
constexpr std::array<std::string_view, kRequestStates> kStates{"pending",  "approved",  "processing", "issued", "done",
                                                               "rejected", "withdrawn", "expired",    "failed"};
constexpr std::array<std::string_view, kRequestEvents> kEvents{"approve", "grant", "change", "reject", "withdraw", "comment",
                                                               "begin",   "issue", "finish", "fail",   "expire",   "retry"};

constexpr Parts kRequester{Part::Requester};
constexpr Parts kApprover{Part::Approver};
constexpr Parts kRealm{Part::Realm};
constexpr Parts kDeciders{Part::Approver, Part::Realm};                 ///< the realm by a rule
constexpr Parts kTakers{Part::Requester, Part::Operator, Part::Realm};  ///< the realm when the last approval of a revocation came
constexpr Parts kOperators{Part::Operator};
constexpr Parts kSpeakers{Part::Requester, Part::Approver, Part::Operator};

constexpr std::array kTransitions{
    Transition{State::Pending, Event::Approve, State::Pending, kApprover},
    Transition{State::Pending, Event::Grant, State::Approved, kDeciders},
    Transition{State::Pending, Event::Change, State::Pending, kRealm},
    Transition{State::Pending, Event::Reject, State::Rejected, kApprover},
    Transition{State::Pending, Event::Withdraw, State::Withdrawn, kRequester},
    Transition{State::Pending, Event::Comment, State::Pending, kSpeakers},
    Transition{State::Pending, Event::Expire, State::Expired, kRealm},
    Transition{State::Approved, Event::Change, State::Pending, kRealm},
    Transition{State::Approved, Event::Reject, State::Rejected, kApprover},
    Transition{State::Approved, Event::Withdraw, State::Withdrawn, kRequester},
    Transition{State::Approved, Event::Comment, State::Approved, kSpeakers},
    Transition{State::Approved, Event::Begin, State::Processing, kTakers},
    Transition{State::Approved, Event::Expire, State::Expired, kRealm},
    // From here on the key may have been used: what was begun is finished, whoever would have it otherwise.
    Transition{State::Processing, Event::Comment, State::Processing, kSpeakers},
    Transition{State::Processing, Event::Issue, State::Issued, kRealm},
    Transition{State::Processing, Event::Finish, State::Done, kRealm},
    Transition{State::Processing, Event::Fail, State::Failed, kRealm},
    Transition{State::Issued, Event::Comment, State::Issued, kSpeakers},
    Transition{State::Done, Event::Comment, State::Done, kSpeakers},
    Transition{State::Rejected, Event::Comment, State::Rejected, kSpeakers},
    Transition{State::Withdrawn, Event::Comment, State::Withdrawn, kSpeakers},
    Transition{State::Expired, Event::Comment, State::Expired, kSpeakers},
    Transition{State::Failed, Event::Comment, State::Failed, kSpeakers},
    // Two may be at one request: what one of them gave up, the other may have made.
    Transition{State::Failed, Event::Issue, State::Issued, kRealm},
    Transition{State::Failed, Event::Finish, State::Done, kRealm},
    Transition{State::Failed, Event::Retry, State::Approved, kOperators},
};

template <class Enum, std::size_t N>
Result<Enum> from_text(const std::array<std::string_view, N>& names, std::string_view text, const char* what) {
  const auto* const found = std::ranges::find(names, text);
  if (found == names.end()) return Error(Code::Malformed, "unknown " + std::string(what) + " of a request");
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view to_text(RequestKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::string_view to_text(RequestState state) { return kStates.at(static_cast<std::size_t>(state)); }
std::string_view to_text(RequestEvent event) { return kEvents.at(static_cast<std::size_t>(event)); }
Result<RequestKind> request_kind(std::string_view text) { return from_text<RequestKind>(kKinds, text, "kind"); }
Result<RequestState> request_state(std::string_view text) { return from_text<RequestState>(kStates, text, "state"); }

bool is_certified(RequestKind kind) {
  return kind == RequestKind::Enrolment || kind == RequestKind::Renewal || kind == RequestKind::NameChange;
}

bool is_open(RequestState state) { return state == State::Pending || state == State::Approved; }

std::span<const Transition> request_transitions() { return kTransitions; }

Result<RequestState> next_state(RequestState from, RequestEvent event, Parts who) {
  const auto* const row =
      std::ranges::find_if(kTransitions, [&](const Transition& one) { return one.from == from && one.event == event; });
  const std::string what(to_text(event));
  if (row == kTransitions.end())
    return Error(Code::Conflict, "the request is " + std::string(to_text(from)) + ", which allows no " + what,
                 "request.get shows its history");
  const bool takes_somebody_else = row->who.has(Part::Approver) && !row->who.has(Part::Requester) && !who.has(Part::Realm);
  if (takes_somebody_else && who.has(Part::Requester))
    return Error(Code::Denied, "nobody decides about a request of his own", "somebody else with a role that the profile names");
  if (who.meet(row->who)) return row->to;
  return Error(Code::Denied, "this request is not yours to " + what, "request.get says whose it is and which roles decide");
}

bool may_see(Parts who) { return !who.empty(); }

}  // namespace chancery::realm
