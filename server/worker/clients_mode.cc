#include "server/worker/clients_mode.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/worker/announce.h"

namespace chancery::worker {
namespace {

using Mode = config::ClientsMode;

/// A node is a name that was registered with the seed, generated, or signed for an operator, and was not deleted since; uPKI's
/// older programs announce a DN before they have it signed.
Status need_registration(Session& session, const AskedName& name) {
  const Error refusal(Code::PolicyRefused,
                      "\"" + base::printable(name.cn, 64) + "\" is not registered, and clients: register signs no other",
                      "register it first, with the seed, by generate or by node.announce, or have an administrator sign it");
  if (name.cn.empty()) return refusal;
  PKI_TRY(auto* store, session.store());
  const auto node = store->node(name.cn);
  if (node.ok()) return {};
  if (node.error().code() != Code::NotFound) return node.error();
  PKI_TRY(const bool announced, is_announced(*store, name.dn));
  return announced ? Status() : Status(refusal);
}

Status need_operator(Session& /*session*/, const AskedName& /*name*/) {
  return Error(Code::PolicyRefused, "clients: manual, so only operators have certificates made in this realm",
               "an operator of the realm issues it");
}

/// What is not here is allowed.
struct Row {
  Mode mode;
  Asks what;
  Status (*check)(Session&, const AskedName& name);
};
constexpr std::array kRows{
    Row{Mode::Register, Asks::Signature, need_registration}, Row{Mode::Manual, Asks::Registration, need_operator},
    Row{Mode::Manual, Asks::Signature, need_operator},       Row{Mode::Manual, Asks::Generation, need_operator},
    Row{Mode::Manual, Asks::Renewal, need_operator},
};

bool is_operator(const Session& session) {
  return session.identity().front_end.empty() || session.identity().roles.allow(Role::CaOperator);
}

}  // namespace

Status check_clients_mode(Session& session, Asks what, const AskedName& name) {
  if (is_operator(session)) return {};
  const auto mode = session.realm().clients;
  const auto row = std::ranges::find_if(kRows, [&](const Row& one) { return one.mode == mode && one.what == what; });
  return row == kRows.end() ? Status() : row->check(session, name);
}

}  // namespace chancery::worker
