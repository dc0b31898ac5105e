#include "server/worker/clients_mode.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/worker/announce.h"

namespace chancery::worker {
namespace {

using Mode = config::ClientsMode;

Error not_registered(const std::string& name) {
  return {Code::PolicyRefused, "\"" + base::printable(name, 64) + "\" is not registered, and clients: register signs no other",
          "register it first, with the seed, by generate or by node.announce, or have an administrator sign it"};
}

/// The alternative names of a node are those of its newest certificate. @errors NotFound.
Result<std::vector<std::string>> names_of_node(store::Store& store, const std::string& cn) {
  PKI_TRY(const auto node, store.node(cn));
  PKI_TRY(const auto record, store.certificate(node.serial));
  return record.sans;
}

/// A node is a name that was registered with the seed, generated, or signed for an operator, and was not deleted since; uPKI's
/// older programs announce a DN before they have it signed.
Status need_registration(Session& session, const AskedName& name) {
  if (name.cn.empty()) return not_registered(name.cn);
  PKI_TRY(auto* store, session.store());
  auto names = names_of_node(*store, name.cn);
  if (!names.ok() && names.error().code() == Code::NotFound) names = announced_names(*store, name.dn);
  if (!names.ok()) return names.error().code() == Code::NotFound ? not_registered(name.cn) : names.error();
  for (const auto& san : name.sans) {
    if (san.value != name.cn && std::ranges::find(*names, san.to_text()) == names->end()) return not_registered(san.value);
  }
  return {};
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
