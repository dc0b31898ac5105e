#include "server/worker/acme_moves.h"

namespace chancery::worker {
namespace {

template <class Object, class Event>
Status move_by(const realm::AcmeLife<Event>& life, Object& object, Event event) {
  PKI_TRY(const auto next, life.after(object.status, event));
  object.status = next;
  return {};
}

}  // namespace

Status happen(store::AcmeAccount& account, realm::AcmeAccountEvent event) {
  return move_by(realm::acme_account_life(), account, event);
}

Status happen(store::AcmeOrder& order, realm::AcmeOrderEvent event) { return move_by(realm::acme_order_life(), order, event); }

Status happen(store::AcmeAuthorization& authorization, realm::AcmeAuthorizationEvent event) {
  return move_by(realm::acme_authorization_life(), authorization, event);
}

Status happen(Json& challenge, realm::AcmeChallengeEvent event) {
  PKI_TRY(const auto next, realm::acme_challenge_life().after(challenge.text("status"), event));
  challenge.set("status", std::string(next));
  return {};
}

}  // namespace chancery::worker
