#include "clients/zmq/curve.h"
#include "clients/zmq/greeting.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

struct Seen {
  bool ok = true;
  std::size_t messages = 0;
  std::size_t refusals = 0;
  std::uint64_t commands = 0;
  std::string passed{};
  bool operator==(const Seen&) const = default;
};

Seen scan(zmq_gateway::Follower&& scanner, std::string_view input, std::size_t step) {
  Seen seen;
  for (std::size_t at = 0; at < input.size(); at += step) {
    for (auto piece = input.substr(at, step); !piece.empty();) {
      const auto got = scanner.take(piece, seen.passed);
      seen.ok = got.ok();
      if (!got.ok()) return seen;
      fuzz::hold(got->used > 0 && got->used <= piece.size());
      if (got->message_is_over) ++seen.messages;
      if (got->refusal) ++seen.refusals;
      piece.remove_prefix(got->used);
    }
  }
  seen.commands = scanner.commands();
  fuzz::hold(seen.passed.size() <= input.size());
  return seen;
}

}  // namespace

/// What a ZMQ peer sends, with each mechanism; how the octets are cut into pieces means nothing.
FUZZ_TARGET(zmtp) {
  using zmq_gateway::CurveScanner;
  fuzz::hold(scan(zmq_gateway::Scanner(), input, input.size()) == scan(zmq_gateway::Scanner(), input, 1));
  for (const auto side : {CurveScanner::Side::Peer, CurveScanner::Side::Own})
    fuzz::hold(scan(CurveScanner(side), input, input.size()) == scan(CurveScanner(side), input, 1));
  zmq_gateway::Greeting greeting;
  if (const auto used = greeting.take(input); used.ok()) fuzz::hold(*used <= zmq_gateway::Greeting::kBytes);
}
