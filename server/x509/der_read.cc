#include <algorithm>

#include "server/x509/der.h"

namespace chancery::x509::der {
namespace {

Error wrong(std::string what) { return Error(Code::Malformed, std::move(what)); }

constexpr std::uint8_t kHighTagNumber = 0x1f;
constexpr std::size_t kMaxLengthOctets = 4;

}  // namespace

Result<Tlv> Reader::any() {
  if (rest_.size() < 2) return wrong("DER element is cut short");
  const std::uint8_t tag = rest_[0];
  if ((tag & kHighTagNumber) == kHighTagNumber) return wrong("DER tag number above 30");
  std::size_t head = 2;
  std::size_t length = rest_[1];
  if (length >= 0x80) {
    const std::size_t count = length - 0x80;
    if (count == 0) return wrong("indefinite length is not DER");
    if (count > kMaxLengthOctets || rest_.size() < head + count) return wrong("DER length is cut short or too long");
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | rest_[head + i];
    if (length < 0x80 || length >> 8 * (count - 1) == 0) return wrong("DER length is not in its shortest form");
    head += count;
  }
  if (rest_.size() - head < length) return wrong("DER element is cut short");
  const Tlv out{tag, rest_.subspan(head, length), rest_.first(head + length)};
  rest_ = rest_.subspan(head + length);
  return out;
}

Result<Tlv> Reader::next(std::uint8_t tag, std::string_view what) {
  if (!at(tag)) return wrong("no " + std::string(what) + " where it belongs");
  auto out = any();
  if (!out.ok()) return out.error().within(what);
  return out;
}

Status Reader::finish(std::string_view what) const {
  if (!rest_.empty()) return wrong("trailing octets in " + std::string(what));
  return {};
}

Result<Tlv> only(std::uint8_t tag, ByteView bytes, std::string_view what) {
  Reader reader(bytes);
  PKI_TRY(const auto out, reader.next(tag, what));
  PKI_TRY_VOID(reader.finish(what));
  return out;
}

Result<ByteView> read_magnitude(const Tlv& integer) {
  const auto content = integer.content;
  if (content.empty()) return wrong("INTEGER without octets");
  if (content[0] >= 0x80) return wrong("INTEGER is negative");
  if (content.size() == 1) return content[0] == 0 ? content.subspan(1) : content;
  if (content[0] == 0 && content[1] < 0x80) return wrong("INTEGER is not in its shortest form");
  return content[0] == 0 ? content.subspan(1) : content;
}

Result<std::uint64_t> read_number(const Tlv& integer) {
  PKI_TRY(const auto magnitude, read_magnitude(integer));
  if (magnitude.size() > sizeof(std::uint64_t)) return wrong("INTEGER above 64 bits");
  std::uint64_t value = 0;
  for (const auto octet : magnitude) value = value << 8 | octet;
  return value;
}

Result<Serial> read_serial(const Tlv& integer) {
  PKI_TRY(const auto magnitude, read_magnitude(integer));
  return Serial::from_octets(magnitude);
}

Result<ByteView> read_bit_string(const Tlv& bits) {
  if (bits.content.empty() || bits.content[0] != 0) return wrong("BIT STRING is not of whole octets");
  return bits.content.subspan(1);
}

Result<std::string> read_oid(const Tlv& oid) {
  const auto content = oid.content;
  if (content.empty() || content.size() > kMaxOidOctets || content.back() >= 0x80)
    return wrong("OBJECT IDENTIFIER is empty, cut or too long");
  const auto arcs = 1 + static_cast<std::size_t>(std::ranges::count_if(content, [](std::uint8_t octet) { return octet < 0x80; }));
  if (arcs > kMaxOidArcs) return wrong("OBJECT IDENTIFIER of more than 32 arcs");
  std::string out;
  std::uint64_t arc = 0;
  for (const auto octet : content) {
    if (arc == 0 && octet == 0x80) return wrong("OBJECT IDENTIFIER is not in its shortest form");
    if (arc > UINT32_MAX >> 7) return wrong("OBJECT IDENTIFIER with an arc above 32 bits");
    arc = arc << 7 | (octet & 0x7fU);
    if (octet >= 0x80) continue;
    if (out.empty()) {
      const auto first = std::min<std::uint64_t>(arc / 40, 2);
      out = std::to_string(first);
      arc -= first * 40;
    }
    out += "." + std::to_string(arc);
    arc = 0;
  }
  return out;
}

Result<Seconds> read_time(Reader& reader) {
  const bool is_utc_time = reader.at(kUtcTime);
  PKI_TRY(const auto element, reader.next(is_utc_time ? kUtcTime : kGeneralizedTime, "time"));
  std::string text(base::as_text(element.content));
  if (is_utc_time && text.size() == 13) text.insert(0, text[0] >= '5' ? "19" : "20");
  const bool has_form = text.size() == 15 && text.back() == 'Z' &&
                        std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= '0' && c <= '9'; });
  if (!has_form) return wrong("time is not YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ");
  for (const std::size_t colon : {12, 10}) text.insert(colon, ":");
  text.insert(8, "T");
  for (const std::size_t dash : {6, 4}) text.insert(dash, "-");
  return base::from_rfc3339(text);
}

}  // namespace chancery::x509::der
