#include "server/realm/proofs.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"

namespace chancery::realm {
namespace {

Result<bool> always(const config::Proof&, const Question&, const Facts&) { return true; }
Result<bool> holder(const config::Proof&, const Question& asked, const Facts&) { return asked.is_holders; }
Result<bool> shown(const config::Proof& proof, const Question& asked, const Facts& facts) { return facts.shows(proof, asked); }

/// Of each name, as a rule's look_ups: what is said of one is no proof of those beside it.
Result<bool> known(const config::Proof& proof, const Question& asked, const Facts& facts) {
  return facts.look_up(proof.name, asked);
}

struct Kind {
  std::string_view name;
  Result<bool> (*holds)(const config::Proof&, const Question&, const Facts&);
};
constexpr std::array kKinds{Kind{"anonymous", always}, Kind{"challenge", shown}, Kind{"hmac", shown},
                            Kind{"holder", holder},    Kind{"look_up", known},   Kind{"on_behalf", shown}};
static_assert(kKinds.size() == config::kProofKinds.size());

Result<bool> holds(const config::Proof& proof, const Question& question, const Facts& facts) {
  const auto* const kind = std::ranges::find(kKinds, proof.kind, &Kind::name);
  PKI_CHECK(kind != kKinds.end());
  return kind->holds(proof, question, facts);
}

bool asks_others(const config::Proof& proof) { return proof.kind == "look_up"; }

}  // namespace

Result<SeenProofs> see_proofs(const config::PolicyRule& rule, const Question& question, const Facts& facts) {
  SeenProofs seen(rule.proofs.size());
  int shown = 0;
  for (std::size_t number = 0; number < rule.proofs.size() && shown < rule.points; ++number) {
    const auto& proof = rule.proofs[number];
    if (asks_others(proof)) continue;
    PKI_TRY(seen[number], holds(proof, question, facts));
    if (*seen[number]) shown += proof.points;
  }
  return seen;
}

bool may_be_enough(const config::PolicyRule& rule, const SeenProofs& seen) {
  int most = 0;
  for (std::size_t number = 0; number < rule.proofs.size(); ++number) {
    if (seen[number].value_or(true)) most += rule.proofs[number].points;
  }
  return rule.proofs.empty() || most >= rule.points;
}

Result<Points> count_points(const config::PolicyRule& rule, const Question& question, const Facts& facts,
                            const SeenProofs& seen) {
  Points points;
  if (rule.proofs.empty()) return points;
  points.needed = rule.points;
  auto about = question;
  about.one_is_enough = rule.decision == "deny";
  for (std::size_t number = 0; number < rule.proofs.size(); ++number) {
    if (points.missing() == 0) break;
    const auto& proof = rule.proofs[number];
    auto does_hold = seen[number];
    if (!does_hold) {
      PKI_TRY(does_hold, holds(proof, about, facts));
    }
    points.proofs.push_back({proof.label(), proof.points, *does_hold});
    if (*does_hold) points.shown += proof.points;
  }
  return points;
}

std::string in_words(const Points& points) {
  if (points.proofs.empty()) return {};
  std::vector<std::string> words;
  for (const auto& one : points.proofs) words.push_back((one.holds ? "" : "not ") + one.label);
  return ", with " + std::to_string(points.shown) + " of " + std::to_string(points.needed) +
         " points: " + base::join(words, ", ");
}

}  // namespace chancery::realm
