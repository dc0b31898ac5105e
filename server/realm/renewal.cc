#include "server/realm/renewal.h"

#include <algorithm>

#include "server/crypto/digest.h"

namespace chancery::realm {
namespace {

using std::chrono::seconds;

constexpr int kThirds = 3;
constexpr int kQuarters = 4;  ///< of the last third: one to spread the windows over, two for each window, one to spare

/// A number that follows from the serial, below `bound`.
seconds spread(const Serial& serial, seconds bound) {
  if (bound <= seconds{0}) return seconds{0};
  const auto digest = crypto::sha256(serial.octets());
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < sizeof(number); ++i) number = number << 8U | digest[i];
  return seconds{static_cast<std::int64_t>(number) % bound.count()};
}

}  // namespace

RenewalWindow renewal_window(const RenewalFacts& certificate) {
  if (certificate.ended_at) return {std::min(certificate.not_before, *certificate.ended_at - seconds{1}), *certificate.ended_at};
  const auto last = std::min(certificate.not_after, certificate.authority_ends.value_or(certificate.not_after));
  const auto third = std::max(last - certificate.not_before, seconds{0}) / kThirds;
  const auto quarter = third / kQuarters;
  const auto start = std::min(last - third + spread(certificate.serial, quarter), last - seconds{1});
  const auto length = std::max(2 * quarter, seconds{1});
  const auto since = std::max(certificate.replaced_at.value_or(start), certificate.not_before);
  if (since >= start) return {start, start + length};
  // Spread over half of the time that is left, so that a whole generation is not renewed in one hour.
  const auto forward = since + spread(certificate.serial, (start - since) / 2);
  return {forward, forward + length};
}

}  // namespace chancery::realm
