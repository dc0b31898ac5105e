#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/bytes.h"
#include "server/base/clock.h"
#include "server/base/names.h"

/// Distinguished Encoding Rules (X.690 8 and 10), as much as certificates need. Reading is strict: definite lengths in the
/// shortest form, tag numbers below 31, nothing left over (PROMISES F31).
namespace chancery::x509::der {

inline constexpr std::uint8_t kBoolean = 0x01, kInteger = 0x02, kBitString = 0x03, kOctetString = 0x04, kNull = 0x05, kOid = 0x06,
                              kEnumerated = 0x0a, kUtf8String = 0x0c, kPrintableString = 0x13, kIa5String = 0x16, kUtcTime = 0x17,
                              kGeneralizedTime = 0x18, kSequence = 0x30, kSet = 0x31;
/// Context-specific tags (X.690 8.1.2.2).
constexpr std::uint8_t context(int number) { return static_cast<std::uint8_t>(0x80 + number); }
constexpr std::uint8_t constructed(int number) { return static_cast<std::uint8_t>(0xa0 + number); }

// ----- writing

inline constexpr std::size_t kMaxOidOctets = 64;
inline constexpr std::size_t kMaxOidArcs = 32;

void append(Bytes& out, ByteView more);
/// Appends tag, length and content.
void append_tlv(Bytes& out, std::uint8_t tag, ByteView content);
Bytes tlv(std::uint8_t tag, ByteView content);
/// The parts one after the other, in a constructed tag.
Bytes wrap(std::uint8_t tag, std::initializer_list<ByteView> parts);
Bytes boolean_true();
Bytes integer(std::uint64_t value);
Bytes integer(const Serial& serial);
Bytes bit_string(ByteView octets);
/// Named bits (X.690 11.2.2): trailing zero bits dropped. Bit 0 is the first.
Bytes named_bits(unsigned bits);
/// @errors Malformed: no dotted OID.
/// An OBJECT IDENTIFIER within the limits that read_oid has, so that each is read as it was written.
Result<Bytes> oid(std::string_view dotted);
/// UTCTime up to 2049, GeneralizedTime after (RFC 5280 4.1.2.5). @pre base::has_text
Bytes time(Seconds at);

// ----- reading

struct Tlv {
  std::uint8_t tag = 0;
  ByteView content;
  ByteView whole;
};

/// Walks over the elements of one content. Errors are Malformed and say what was expected.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  bool at(std::uint8_t tag) const { return !rest_.empty() && rest_.front() == tag; }
  Result<Tlv> any();
  Result<Tlv> next(std::uint8_t tag, std::string_view what);
  /// Nothing may be left.
  Status finish(std::string_view what) const;

 private:
  ByteView rest_;
};

/// One element of that tag and nothing behind it.
Result<Tlv> only(std::uint8_t tag, ByteView bytes, std::string_view what);

/// The magnitude of a positive or zero INTEGER in its shortest form.
Result<ByteView> read_magnitude(const Tlv& integer);
Result<std::uint64_t> read_number(const Tlv& integer);
Result<Serial> read_serial(const Tlv& integer);
/// A BIT STRING of whole octets.
Result<ByteView> read_bit_string(const Tlv& bits);
/// At most kMaxOidOctets in kMaxOidArcs, each below 2^32.
Result<std::string> read_oid(const Tlv& oid);
/// Either form, with seconds and Z, as RFC 5280 4.1.2.5 wants them.
Result<Seconds> read_time(Reader& reader);

}  // namespace chancery::x509::der
