#include "server/realm/proofs.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"

namespace chancery::realm {
namespace {

Result<bool> always(const config::Proof&, const Question&, const Facts&) { return true; }
Result<bool> holder(const config::Proof&, const Question& asked, const Facts&) { return asked.is_holders; }
Result<bool> shown(const config::Proof& proof, const Question& asked, const Facts& facts) { return facts.shows(proof, asked); }

Result<bool> eligible(const config::Proof& proof, const Question& asked, const Facts& facts) {
  auto about = asked;
  about.as_a_whole = true;
  return facts.look_up(proof.name, about);
}

struct Kind {
  std::string_view name;
  Result<bool> (*holds)(const config::Proof&, const Question&, const Facts&);
};
constexpr std::array kKinds{Kind{"anonymous", always}, Kind{"challenge", shown},  Kind{"hmac", shown},
                            Kind{"holder", holder},    Kind{"look_up", eligible}, Kind{"on_behalf", shown}};
static_assert(kKinds.size() == config::kProofKinds.size());

}  // namespace

Result<Points> count_points(const config::PolicyRule& rule, const Question& question, const Facts& facts) {
  Points points;
  if (rule.proofs.empty()) return points;
  points.needed = rule.points;
  for (const auto& proof : rule.proofs) {
    if (points.missing() == 0) break;
    const auto* const kind = std::ranges::find(kKinds, proof.kind, &Kind::name);
    PKI_CHECK(kind != kKinds.end());
    PKI_TRY(const bool holds, kind->holds(proof, question, facts));
    points.proofs.push_back({proof.label(), proof.points, holds});
    if (holds) points.shown += proof.points;
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
