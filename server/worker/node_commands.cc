#include <algorithm>

#include "server/base/log.h"
#include "server/base/text.h"
#include "server/worker/access.h"
#include "server/worker/announce.h"
#include "server/worker/handlers.h"
#include "server/worker/issue.h"
#include "server/worker/narrowed_page.h"
#include "server/worker/node_key.h"
#include "server/worker/revocation.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kDefaultPage = 100;

Json describe(const Session& session, const store::NodeRecord& node) {
  const auto now = session.clock().now();
  const auto state =
      node.state == store::CertificateState::Valid && now > node.not_after ? "expired" : store::to_text(node.state);
  return Json::object({{"cn", node.cn},
                       {"dn", node.subject},
                       {"profile", node.profile},
                       {"serial", node.serial.hex()},
                       {"state", state},
                       {"registered_at", base::to_rfc3339(node.registered_at)},
                       {"not_after", base::to_rfc3339(node.not_after)},
                       {"key_stored", has_node_key(session.realm(), node.cn)}});
}

/// Every certificate of that common name in that state, the newest and those before it.
Status revoke_all_of(Session& session, store::Store& store, const std::string& cn, const std::string& state) {
  const store::CertificateFilter filter{.cn_prefix = cn, .state = state, .now = session.clock().now()};
  std::string after;
  do {
    PKI_TRY(const auto page, store.search(filter, kDefaultPage, after));
    for (const auto& one : page.items) {
      if (one.cn != cn) continue;
      const auto revoked = revoke(session, one.serial, "cessationOfOperation");
      // One that was revoked meanwhile is as good.
      if (!revoked.ok() && revoked.error().code() != Code::Conflict) return revoked.error();
    }
    after = page.next;
  } while (!after.empty());
  return {};
}

/// Those on hold, too: who lifts it would bring the node back.
Status revoke_all_of(Session& session, store::Store& store, const std::string& cn) {
  PKI_TRY_VOID(revoke_all_of(session, store, cn, "valid"));
  return revoke_all_of(session, store, cn, "held");
}

/// By the certificate that it has now, as node.get is judged.
Result<bool> may_see_node(Session& session, store::Store& store, const store::NodeRecord& node) {
  const auto record = store.certificate(node.serial, node.ca);
  if (!record.ok()) return record.error().code() == Code::NotFound ? Result<bool>(false) : record.error();
  return may_see(session, *record);
}

}  // namespace

Result<Json> node_get(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto node, store->node(params.text("cn")));
  return describe(session, node);
}

Result<Json> node_list(Session& session, const Params& params) {
  PKI_TRY(auto* store, session.store());
  const auto limit = std::max<std::int64_t>(params.integer("limit", kDefaultPage), 1);
  PKI_TRY(const auto page, narrowed_page<store::NodeRecord>(
                               session.realm().people.access.empty(), static_cast<std::size_t>(limit), params.text("after"),
                               [&](std::size_t most, const std::string& from) { return store->nodes(most, from); },
                               [&](const store::NodeRecord& node) { return may_see_node(session, *store, node); }));
  Json rows = Json::array();
  for (const auto& node : page.items) rows.push_back(describe(session, node));
  auto out = Json::object({{"nodes", std::move(rows)}});
  if (!page.next.empty()) out.set("next", page.next);
  return out;
}

Result<Json> node_delete(Session& session, const Params& params) {
  const auto cn = params.text("cn");
  PKI_TRY(auto* store, session.store());
  PKI_TRY(const auto node, store->node(cn));
  PKI_TRY_VOID(revoke_all_of(session, *store, cn));
  PKI_TRY_VOID(delete_node_key(session.realm(), cn));
  PKI_TRY_VOID(store->delete_node(cn));
  PKI_TRY_VOID(revoke_all_of(session, *store, cn));  // renewals that were stored meanwhile; later ones find no node
  PKI_TRY_VOID(forget_announcement(*store, node.subject));
  base::log_info("node " + cn + " deleted by " + session.requester());
  return Json::object({{"cn", cn}, {"serial", node.serial.hex()}});
}

}  // namespace chancery::worker
