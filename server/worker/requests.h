#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/realm/request_content.h"
#include "server/realm/request_history.h"
#include "server/worker/session.h"

/// Requests as the table of states has them (realm/request_states.h), and what a session is to one.
namespace chancery::worker {

/// One request, whose history holds.
struct Request {
  store::RequestRow row;
  std::vector<realm::HistoryEntry> history;
  realm::RequestKind kind = realm::RequestKind::Enrolment;
  realm::RequestState state = realm::RequestState::Pending;
  realm::Parts parts;  ///< what the session is to it
};

/// Who acts, for an entry of a history.
struct Actor {
  std::string who;
  std::int64_t uid = realm::kNoUid;
  std::string roles{};
  realm::Parts parts{};
};
/// The session's own.
Actor actor_of(const Session& session, realm::Parts parts);
/// What nobody did.
Actor realm_itself();

/// What is to be written beside the event itself.
struct Step {
  realm::RequestEvent event;
  std::string why{};
  Bytes certificate{};
  Bytes signature{};
  std::vector<store::RequestFile> files{};
};

/// A request by its id. One whose time is over is expired first.
/// @errors NotFound: there is none, or the session may not see it: the same answer; Corrupt: it is not what was written.
/// @param also  what who asks has shown to be besides
Result<Request> load_request(Session& session, const std::string& id, realm::Parts also = {});

/// What the session is to a request of that row.
realm::Parts parts_of(const Session& session, const store::RequestRow& row);

/// One transition of the table, with its entry in the history, or nothing. @pre request was read by load_request
/// @errors Conflict, Denied: of the table; Conflict: somebody else was first: request is unchanged, to be read again.
Status advance(Session& session, Request& request, const Actor& actor, Step step);

/// How many people must approve, once a request waits for people.
int approvals_needed(const Session& session, const store::RequestRow& row);
/// The roles that may, by their names.
std::vector<std::string> approval_roles(const Session& session, const store::RequestRow& row);
/// The profiles whose certificates may sign an approval of it; empty: any of the realm's.
std::vector<ProfileName> approval_signers(const Session& session, const Request& request);
/// Whether nobody approves it without such a signature.
bool are_approvals_signed(const Session& session, const Request& request);
/// The rules of the request's profile; none: the realm has it no more.
const config::Profile* profile_of_request(const Session& session, const store::RequestRow& row);
/// Whether an identity has one of those roles.
bool has_role_among(const Identity& identity, const std::vector<std::string>& names);
/// The realm's access rules, of the command in hand on what the request is about. @errors Denied; what the store says.
Status check_access_to_request(Session& session, const Request& request);
/// Whether the session is of somebody who was shown to be that one, not of a name that a front end says.
bool is_shown(const Session& session);

/// Reads, decides and writes until nobody else comes between; a few times at most.
template <class Decide>
auto decide_on(Session& session, const std::string& id, Decide decide, realm::Parts also = {})
    -> decltype(decide(std::declval<Request&>())) {
  constexpr int kTries = 8;
  for (int attempt = 1;; ++attempt) {
    PKI_TRY(auto request, load_request(session, id, also));
    const auto version = request.row.version;
    auto done = decide(request);
    if (done.ok() || done.error().code() != Code::Conflict || attempt == kTries) return done;
    PKI_TRY(auto* store, session.store());
    PKI_TRY(const auto now, store->request(id));
    if (now.version == version) return done;  // the table's own refusal, not a race
  }
}

}  // namespace chancery::worker
