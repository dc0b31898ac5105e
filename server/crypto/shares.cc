#include "server/crypto/shares.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "server/base/names.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"

namespace chancery::crypto {
namespace {

constexpr std::string_view kVersion = "chs1";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kCheckOctets = 5;
constexpr std::size_t kGroup = 4;
constexpr std::size_t kSetOctets = 4;
constexpr int kMostShares = 255;
constexpr unsigned kReduction = 0x1D;  ///< x^8 = x^4+x^3+x^2+1

/// Eight steps whatever the factors are: shift and add, with masks instead of branches.
std::uint8_t multiply(std::uint8_t a, std::uint8_t b) {
  unsigned product = 0;
  unsigned factor = a;
  for (unsigned bit = 0; bit < 8; ++bit) {
    product ^= factor & (0U - ((unsigned{b} >> bit) & 1U));
    factor = (factor << 1U) ^ (kReduction & (0U - (factor >> 7U)));
    factor &= 0xFFU;
  }
  return static_cast<std::uint8_t>(product);
}

/// a^254, since a^255 = 1 for all but 0.
std::uint8_t invert(std::uint8_t a) {
  std::uint8_t power = a;
  std::uint8_t inverse = 1;
  for (int bit = 1; bit < 8; ++bit) {
    power = multiply(power, power);
    inverse = multiply(inverse, power);
  }
  return inverse;
}

/// The value at `x` of the polynomial with these coefficients, the highest one first (Horner).
std::uint8_t evaluate(ByteView coefficients, std::uint8_t x) {
  std::uint8_t value = 0;
  for (const auto coefficient : coefficients) value = static_cast<std::uint8_t>(multiply(value, x) ^ coefficient);
  return value;
}

/// What the value at indexes[at] counts for at 0 (Lagrange). Indexes are not secret.
std::uint8_t weight(const std::vector<std::uint8_t>& indexes, std::size_t at) {
  std::uint8_t product = 1;
  for (std::size_t other = 0; other < indexes.size(); ++other) {
    if (other == at) continue;
    const auto difference = static_cast<std::uint8_t>(indexes[other] ^ indexes[at]);
    product = multiply(product, multiply(indexes[other], invert(difference)));
  }
  return product;
}

Status check_numbers(const SecretBytes& secret, int shares, int threshold) {
  if (secret.empty() || secret.size() > kMaxSharedOctets) {
    return Error(Code::InvalidParams,
                 "a secret of " + std::to_string(secret.size()) + " octets, expected 1 to " + std::to_string(kMaxSharedOctets));
  }
  if (shares < 2 || shares > kMostShares)
    return Error(Code::InvalidParams, std::to_string(shares) + " shares, expected 2 to " + std::to_string(kMostShares));
  if (threshold >= 2 && threshold <= shares) return {};
  return Error(Code::InvalidParams,
               "a threshold of " + std::to_string(threshold) + ", expected 2 to the " + std::to_string(shares) + " shares");
}

Status check_together(const std::vector<const Share*>& shares) {
  if (shares.empty() || std::cmp_less(shares.size(), shares.front()->threshold))
    return Error(Code::InvalidParams, std::to_string(shares.size()) + " shares, expected " +
                                          (shares.empty() ? "some" : std::to_string(shares.front()->threshold)));
  std::set<int> indexes;
  for (const auto* share : shares) {
    const auto& first = *shares.front();
    if (share->set != first.set || share->realm != first.realm || share->threshold != first.threshold ||
        share->values.size() != first.values.size())
      return Error(Code::InvalidParams, "share " + std::to_string(share->index) + " is of another set");
    if (!indexes.insert(share->index).second)
      return Error(Code::InvalidParams, "share " + std::to_string(share->index) + " is there twice");
  }
  return {};
}

/// What people read of a share, and what its checksum begins with.
std::string head_of(const Share& share) {
  return std::string(kVersion) + ":" + share.realm + ":" + share.set + ":" + std::to_string(share.index) + ":" +
         std::to_string(share.threshold) + ":";
}

Bytes check_octets(const Share& share) {
  const auto head = head_of(share);
  Bytes all(head.begin(), head.end());
  all.insert(all.end(), share.values.view().begin(), share.values.view().end());
  const SecretBytes wiped(std::move(all));
  auto digest = sha256(wiped.view());
  digest.resize(kCheckOctets);
  return digest;
}

/// The letter of five bits, by arithmetic: a table would be read at an address that is secret.
char letter_of(unsigned value) {
  const unsigned is_digit = 0U - ((25U - value) >> 31U);
  return static_cast<char>(value + 'a' - (is_digit & ('a' + 26U - '2')));
}

/// The five bits of a letter; 255: it is none.
unsigned value_of(char letter) {
  if (letter >= 'a' && letter <= 'z') return static_cast<unsigned>(letter - 'a');
  if (letter >= '2' && letter <= '7') return static_cast<unsigned>(letter - '2') + 26U;
  return 255;
}

/// Base32 in groups. The last letter's spare bits are 0.
void add_groups(Bytes& text, ByteView octets) {
  unsigned bits = 0;
  unsigned buffer = 0;
  std::size_t letters = 0;
  const auto add = [&](unsigned value) {
    if (letters > 0 && letters % kGroup == 0) text.push_back('-');
    text.push_back(static_cast<std::uint8_t>(letter_of(value)));
    ++letters;
  };
  for (const auto octet : octets) {
    buffer = (buffer << 8U) | octet;
    for (bits += 8; bits >= 5; bits -= 5) add((buffer >> (bits - 5U)) & 31U);
  }
  if (bits > 0) add((buffer << (5U - bits)) & 31U);
}

Result<SecretBytes> read_groups(std::string_view text) {
  Bytes octets;
  octets.reserve(text.size());
  unsigned bits = 0;
  unsigned buffer = 0;
  for (const char letter : text) {
    if (letter == '-') continue;
    const unsigned value = value_of(letter);
    if (value > 31U) return Error(Code::Malformed, "a character that no share has, expected a-z and 2-7");
    buffer = (buffer << 5U) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    octets.push_back(static_cast<std::uint8_t>(buffer >> bits));
  }
  const bool is_whole = bits < 5 && (buffer & ((1U << bits) - 1U)) == 0;
  SecretBytes read(std::move(octets));
  if (!is_whole) return Error(Code::Malformed, "letters that do not end where an octet does, expected the whole line");
  return read;
}

/// Without white space, in small letters.
Bytes normalised(ByteView text) {
  Bytes out;
  out.reserve(text.size());
  for (const auto octet : text) {
    if (octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n') continue;
    out.push_back(octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet + ('a' - 'A')) : octet);
  }
  return out;
}

Result<int> number_of(std::string_view text, const char* what, int least) {
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc() && end == text.data() + text.size() && number >= least && number <= kMostShares) return number;
  return Error(Code::Malformed, "\"" + base::printable(text, 16) + "\" for its " + what + ", expected " + std::to_string(least) +
                                    " to " + std::to_string(kMostShares));
}

Result<Share> read_head(const std::vector<std::string_view>& fields) {
  Share share;
  PKI_TRY(const auto realm, RealmName::parse(fields[1]));
  share.realm = realm.text();
  PKI_TRY(const auto set, base::from_hex(fields[2]));
  if (set.size() != kSetOctets) return Error(Code::Malformed, "no id of a set, expected 8 digits of 0-9 a-f");
  share.set = std::string(fields[2]);
  PKI_TRY(share.index, number_of(fields[3], "index", 1));
  PKI_TRY(share.threshold, number_of(fields[4], "threshold", 2));
  return share;
}

std::vector<std::string_view> fields_of(std::string_view text) {
  std::vector<std::string_view> fields;
  for (;;) {
    const auto end = text.find(':');
    fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return fields;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Result<std::vector<Share>> split_secret(const SecretBytes& secret, std::string_view realm, int shares, int threshold) {
  PKI_TRY_VOID(check_numbers(secret, shares, threshold));
  std::vector<Bytes> values(static_cast<std::size_t>(shares), Bytes(secret.size()));
  Bytes coefficients(static_cast<std::size_t>(threshold));
  for (std::size_t octet = 0; octet < secret.size(); ++octet) {
    base::fill_random(std::span(coefficients).first(coefficients.size() - 1));
    coefficients.back() = secret.view()[octet];
    for (int index = 1; index <= shares; ++index)
      values[static_cast<std::size_t>(index - 1)][octet] = evaluate(coefficients, static_cast<std::uint8_t>(index));
  }
  const SecretBytes wiped(std::move(coefficients));
  const auto set = base::to_hex(base::random_bytes(kSetOctets));
  std::vector<Share> out;
  for (int index = 1; index <= shares; ++index) {
    out.push_back(
        {std::string(realm), set, index, threshold, SecretBytes(std::move(values[static_cast<std::size_t>(index - 1)]))});
  }
  return out;
}

Result<SecretBytes> combine_shares(const std::vector<const Share*>& shares) {
  PKI_TRY_VOID(check_together(shares));
  std::vector<std::uint8_t> indexes;
  for (const auto* share : shares) indexes.push_back(static_cast<std::uint8_t>(share->index));
  Bytes secret(shares.front()->values.size());
  for (std::size_t at = 0; at < shares.size(); ++at) {
    const auto factor = weight(indexes, at);
    for (std::size_t octet = 0; octet < secret.size(); ++octet)
      secret[octet] = static_cast<std::uint8_t>(secret[octet] ^ multiply(shares[at]->values.view()[octet], factor));
  }
  return SecretBytes(std::move(secret));
}

SecretBytes share_text(const Share& share) {
  const auto head = head_of(share);
  Bytes octets;
  octets.reserve(share.values.size() + kCheckOctets);  // no copy is left behind by growing
  octets.insert(octets.end(), share.values.view().begin(), share.values.view().end());
  for (const auto octet : check_octets(share)) octets.push_back(octet);
  const SecretBytes wiped(std::move(octets));
  Bytes text;
  text.reserve(kMaxShareText);
  text.insert(text.end(), head.begin(), head.end());
  add_groups(text, wiped.view());
  return SecretBytes(std::move(text));
}

Result<Share> parse_share(ByteView text) {
  if (text.size() > kMaxShareText)
    return Error(Code::Malformed, "more than " + std::to_string(kMaxShareText) + " characters, expected a share");
  const SecretBytes clean(normalised(text));
  const auto fields = fields_of(base::as_text(clean.view()));
  const Error none(Code::Malformed, "no share of this version, expected chs1:REALM:SET:INDEX:THRESHOLD:GROUPS",
                   "the whole line, as chancery secret split wrote it");
  if (fields.size() != 6 || fields[0] != kVersion) return none;
  auto read = read_head(fields);
  if (!read.ok()) return Error(Code::Malformed, "in the share: " + read.error().message(), none.hint());
  auto share = std::move(read).value();
  PKI_TRY(const auto octets, read_groups(fields[5]));
  const Error typo(Code::Malformed, "the share's checksum does not fit: there is a typing error in it",
                   "compare it letter by letter");
  if (octets.size() <= kCheckOctets || octets.size() > kMaxSharedOctets + kCheckOctets) return typo;
  const auto values = octets.view().first(octets.size() - kCheckOctets);
  share.values = SecretBytes(base::as_text(values));
  if (!base::equal_in_constant_time(octets.view().last(kCheckOctets), check_octets(share))) return typo;
  return share;
}

}  // namespace chancery::crypto
