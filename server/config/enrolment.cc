#include "server/config/enrolment.h"

#include <algorithm>
#include <charconv>

#include "server/base/text.h"

namespace chancery::config {
namespace {

constexpr int kMostPoints = 100;

std::string kinds() {
  std::string text;
  for (const auto& kind : kProofKinds) {
    text += (text.empty() ? "" : ", ") + std::string(kind.name);
    if (kind.names == ProofNames::Secret) text += ":SECRET";
    if (kind.names == ProofNames::Signers) text += ":SIGNERS";
    if (kind.names == ProofNames::LookUp) text += ":LOOK_UP";
  }
  return text;
}

Error bad(std::string_view text, const std::string& expected) {
  return {Code::Malformed, "found \"" + base::printable(text, 80) + "\", expected " + expected};
}

Result<int> points_in(std::string_view text, std::string_view whole) {
  int points = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), points);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size() && points >= 1 && points <= kMostPoints) return points;
  return bad(whole, "a number of points from 1 to " + std::to_string(kMostPoints) + " behind the =");
}

}  // namespace

Result<Proof> Proof::parse(std::string_view text) {
  Proof proof;
  auto rest = text;
  if (const auto equals = rest.find('='); equals != std::string_view::npos) {
    PKI_TRY(proof.points, points_in(rest.substr(equals + 1), text));
    rest = rest.substr(0, equals);
  }
  const auto colon = rest.find(':');
  proof.kind = rest.substr(0, colon);
  if (colon != std::string_view::npos) proof.name = rest.substr(colon + 1);
  const auto* const kind = std::ranges::find(kProofKinds, proof.kind, &ProofKind::name);
  if (kind == kProofKinds.end()) return bad(text, "one of " + kinds());
  const bool has_name = colon != std::string_view::npos && !proof.name.empty();
  if (has_name == (kind->names != ProofNames::Nothing) && has_name == (colon != std::string_view::npos)) return proof;
  return bad(text, kind->names == ProofNames::Nothing ? std::string(kind->name) + " without a name behind it"
                                                      : std::string(kind->name) + ": and a name behind it");
}

std::string Proof::text() const { return label() + (points == 1 ? "" : "=" + std::to_string(points)); }

}  // namespace chancery::config
