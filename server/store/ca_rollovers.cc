#include "server/store/ca_rollovers.h"

#include "server/store/rows.h"
#include "server/store/store.h"
#include "server/store/transaction.h"

namespace chancery::store {
namespace {

constexpr std::size_t kMostRollovers = 100;
constexpr std::size_t kAtOnce = 1000;

Result<CaRollover> read_rollover(const Outcome& out, std::size_t index) {
  Row row(out, index);
  CaRollover one{.ca = row.text("ca"),
                 .generation = row.integer("generation"),
                 .state = row.text("state"),
                 .old_label = row.text("old_label"),
                 .new_label = row.text("new_label"),
                 .source = row.text("source"),
                 .changed_by = row.text("changed_by"),
                 .changed_at = row.time("changed_at"),
                 .version = row.integer("version")};
  PKI_TRY_VOID(row.status());
  return one;
}

}  // namespace

Result<std::vector<CaRollover>> Store::ca_rollovers(const std::string& ca) {
  PKI_TRY(const auto out, run("ca_rollovers", {{"ca", ca}, {"limit", number(kMostRollovers)}}));
  std::vector<CaRollover> found;
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    PKI_TRY(auto one, read_rollover(out, i));
    found.push_back(std::move(one));
  }
  return found;
}

Status Store::put_ca_rollover(CaRollover& rollover) {
  PKI_TRY_VOID(transact(*driver_, Access::Write, [&]() -> Status {
    const auto& r = rollover;
    Outcome done;
    if (r.version == 0) {
      PKI_TRY(done, run("ca_rollover_insert", {{"ca", r.ca},
                                               {"generation", r.generation},
                                               {"state", r.state},
                                               {"old_label", r.old_label},
                                               {"new_label", r.new_label},
                                               {"source", r.source},
                                               {"changed_by", r.changed_by},
                                               {"changed_at", r.changed_at}}));
    } else {
      PKI_TRY(done, run("ca_rollover_update", {{"ca", r.ca},
                                               {"generation", r.generation},
                                               {"state", r.state},
                                               {"changed_by", r.changed_by},
                                               {"changed_at", r.changed_at},
                                               {"version", r.version}}));
    }
    if (done.changed == 1) return {};
    return Error(Code::Conflict, "somebody else took a step of the rollover to " + r.new_label + " meanwhile",
                 "ca.rollover.status shows how far it is");
  }));
  ++rollover.version;
  return {};
}

Result<LivingByCa> Store::living_by_ca(Seconds now, std::size_t most) {
  LivingByCa living;
  Seconds end = now - std::chrono::seconds{1};
  std::string serial = "g";  // behind every serial of that second
  for (std::size_t seen = 0; seen < most; seen += kAtOnce) {
    PKI_TRY(const auto out, run("certificate_ends_page", {{"not_after", end}, {"serial", serial}, {"limit", number(kAtOnce)}}));
    for (std::size_t i = 0; i < out.rows.size(); ++i) {
      Row row(out, i);
      end = row.time("not_after");
      serial = row.text("serial");
      const auto ca = row.text("ca");
      const auto rule = row.text("rule");
      const bool is_anothers = rule == kRolloverRule || rule == kServiceRule;
      const bool is_revoked = row.text("state") == to_text(CertificateState::Revoked);
      PKI_TRY_VOID(row.status());
      if (is_anothers) continue;
      auto& of = living.of[ca];
      of.last_end = end;
      if (!is_revoked) ++of.count;
    }
    if (out.rows.size() < kAtOnce) return living;
  }
  living.is_whole = false;
  return living;
}

}  // namespace chancery::store
