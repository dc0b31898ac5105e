#include "server/worker/key_demand.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "server/base/scoreboard.h"
#include "server/worker/start.h"

namespace chancery::worker {

KeyDemand key_demand(const config::Snapshot& snapshot) {
  std::map<base::KeySpec, std::set<RealmName>, std::greater<>> realms;
  for (const auto& realm : snapshot.realms) {
    for (const auto& [name, profile] : realm->profiles) {
      if (profile.key.kind == base::KeySpec::Kind::Rsa) realms[profile.key].insert(realm->name);
    }
  }
  KeyDemand demand;
  demand.size = static_cast<std::size_t>(snapshot.server.limits.key_pool);
  if (demand.size == 0) return demand;
  for (const auto& [spec, names] : realms) {
    if (demand.kinds.size() < base::Scoreboard::kMaxKeyKinds)
      demand.kinds.push_back({spec, {names.begin(), names.end()}});
    else
      demand.left_out.push_back(spec);
  }
  std::ranges::reverse(demand.kinds);
  return demand;
}

KeymakerPart keymaker_part(const config::Snapshot& snapshot) {
  const auto demand = key_demand(snapshot);
  if (demand.kinds.empty()) return {};
  KeymakerPart part{.settings = std::to_string(demand.size), .realms = {}};
  std::set<RealmName> realms;
  for (const auto& kind : demand.kinds) {
    part.settings += "\n" + base::to_text(kind.spec);
    for (const auto& realm : kind.realms) {
      part.settings += " " + realm.text();
      realms.insert(realm);
    }
  }
  part.realms.assign(realms.begin(), realms.end());
  return part;
}

}  // namespace chancery::worker
