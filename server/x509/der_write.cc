#include <algorithm>
#include <charconv>

#include "server/base/calendar.h"
#include "server/base/text.h"
#include "server/x509/der.h"

namespace chancery::x509::der {
namespace {

constexpr std::uint8_t kShortLengthLimit = 0x80;

void append_length(Bytes& out, std::size_t size) {
  if (size < kShortLengthLimit) {
    out.push_back(static_cast<std::uint8_t>(size));
    return;
  }
  Bytes octets;
  for (auto left = size; left != 0; left >>= 8) octets.push_back(static_cast<std::uint8_t>(left));
  out.push_back(static_cast<std::uint8_t>(kShortLengthLimit + octets.size()));
  out.insert(out.end(), octets.rbegin(), octets.rend());
}

void append_base128(Bytes& out, std::uint64_t arc) {
  Bytes groups{static_cast<std::uint8_t>(arc & 0x7f)};
  while ((arc >>= 7) != 0) groups.push_back(static_cast<std::uint8_t>(0x80 | (arc & 0x7f)));
  out.insert(out.end(), groups.rbegin(), groups.rend());
}

Bytes integer_of(ByteView magnitude) {
  Bytes content;
  if (magnitude.empty() || magnitude.front() >= 0x80) content.push_back(0);  // a sign octet
  append(content, magnitude);
  return tlv(kInteger, content);
}

}  // namespace

void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

void append_tlv(Bytes& out, std::uint8_t tag, ByteView content) {
  out.push_back(tag);
  append_length(out, content.size());
  append(out, content);
}

Bytes tlv(std::uint8_t tag, ByteView content) {
  Bytes out;
  out.reserve(content.size() + 8);
  append_tlv(out, tag, content);
  return out;
}

Bytes wrap(std::uint8_t tag, std::initializer_list<ByteView> parts) {
  Bytes content;
  for (const auto part : parts) append(content, part);
  return tlv(tag, content);
}

Bytes boolean_true() { return {kBoolean, 1, 0xff}; }

Bytes integer(std::uint64_t value) {
  Bytes magnitude;
  for (; value != 0; value >>= 8) magnitude.insert(magnitude.begin(), static_cast<std::uint8_t>(value));
  return integer_of(magnitude);
}

Bytes integer(const Serial& serial) { return integer_of(serial.octets()); }

Bytes bit_string(ByteView octets) {
  Bytes content{0};
  append(content, octets);
  return tlv(kBitString, content);
}

Bytes named_bits(unsigned bits) {
  Bytes content{0};
  std::uint8_t unused = 7;
  for (unsigned bit = 0; (bits >> bit) != 0; ++bit) {
    if (bit % 8 == 0) content.push_back(0);
    unused = static_cast<std::uint8_t>(7 - bit % 8);
    if ((bits >> bit & 1U) != 0) content.back() = static_cast<std::uint8_t>(content.back() | 0x80U >> bit % 8);
  }
  content.front() = content.size() == 1 ? 0 : unused;
  return tlv(kBitString, content);
}

Result<Bytes> oid(std::string_view dotted) {
  const Error wrong(Code::Malformed, "\"" + base::printable(dotted, 60) + "\" is no object identifier");
  std::vector<std::uint64_t> arcs;
  for (const auto& part : base::split(dotted, '.')) {
    std::uint64_t arc = 0;
    const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), arc);
    const bool whole = failure == std::errc() && end == part.data() + part.size();
    if (!whole || (part.size() > 1 && part.front() == '0') || arc > UINT32_MAX) return wrong;
    arcs.push_back(arc);
  }
  if (arcs.size() < 2 || arcs.size() > kMaxOidArcs || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] > 39)) return wrong;
  const auto first = arcs[0] * 40 + arcs[1];  // X.690 8.19.4
  Bytes content;
  append_base128(content, first);
  for (std::size_t i = 2; i < arcs.size(); ++i) append_base128(content, arcs[i]);
  if (first > UINT32_MAX || content.size() > kMaxOidOctets) return wrong;
  return tlv(kOid, content);
}

Bytes time(Seconds at) {
  PKI_CHECK(base::has_text(at));
  constexpr std::string_view kLastOfUtcTime = "2050";
  auto text = base::to_rfc3339(at);  // 2026-11-20T20:00:00Z
  const bool is_utc_time = text >= "1950" && text < kLastOfUtcTime;
  std::erase_if(text, [](char c) { return c == '-' || c == 'T' || c == ':'; });
  if (is_utc_time) return tlv(kUtcTime, base::as_bytes(std::string_view(text).substr(2)));
  return tlv(kGeneralizedTime, base::as_bytes(text));
}

}  // namespace chancery::x509::der
