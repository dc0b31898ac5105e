#include "server/base/key_spec.h"

#include <array>
#include <charconv>

#include "server/base/text.h"

namespace chancery::base {
namespace {

constexpr std::string_view kRsaPrefix = "rsa:";
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;

struct Named {
  std::string_view text;
  KeySpec spec;
};
constexpr std::array kNamed{
    Named{"ec:P-256", {KeySpec::Kind::Ec, 256}},
    Named{"ec:P-384", {KeySpec::Kind::Ec, 384}},
    Named{"ec:P-521", {KeySpec::Kind::Ec, 521}},
    Named{"ed25519", {KeySpec::Kind::Ed25519, 256}},
};

}  // namespace

Result<KeySpec> parse_key_spec(std::string_view text) {
  for (const auto& row : kNamed) {
    if (to_lower_ascii(row.text) == to_lower_ascii(text)) return row.spec;
  }
  if (text.starts_with(kRsaPrefix)) {
    const auto digits = text.substr(kRsaPrefix.size());
    int bits = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    const bool whole = failure == std::errc() && end == digits.data() + digits.size();
    if (whole && bits >= kMinRsaBits && bits <= kMaxRsaBits && bits % 8 == 0) return KeySpec{KeySpec::Kind::Rsa, bits};
    return Error(Code::Malformed, "RSA size \"" + printable(digits, 20) + "\", expected 2048 to 8192 in steps of 8");
  }
  return Error(Code::Malformed,
               "key kind \"" + printable(text, 40) + "\", expected ec:P-256, ec:P-384, ec:P-521, ed25519 or rsa:BITS");
}

std::string to_text(const KeySpec& spec) {
  if (spec.kind == KeySpec::Kind::Rsa) return std::string(kRsaPrefix) + std::to_string(spec.bits);
  for (const auto& row : kNamed) {
    if (row.spec == spec) return std::string(row.text);
  }
  raise_bug(__FILE__, __LINE__, "key spec outside the table");
}

}  // namespace chancery::base
