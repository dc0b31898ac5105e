#pragma once

#include <string>
#include <string_view>

#include "clients/acme/challenge.h"

/// What a front end and a vantage point (chancery-validate) say to each other: one JSON text each way.
///
///     {"version":1,"id":"<32 hex>","ask":"proof","question":{"method":"http-01","name":"a.example",…,"rules":{…}}}
///     {"version":1,"id":"<32 hex>","valid":false,"caa_checked":false,"error":{"type":"dns","detail":"…"},"evidence":"…"}
///
/// Every member must be there, and no other one: a vantage point that does not know a rule must not answer as if it kept it.
namespace chancery::acme {

inline constexpr int kVantageVersion = 1;
inline constexpr std::size_t kMaxInquiryBytes = 64 * 1024;
inline constexpr std::size_t kMaxReplyBytes = 32 * 1024;

enum class Ask : std::uint8_t {
  Proof,  ///< validate()
  Caa     ///< recheck_caa()
};

struct Inquiry {
  std::string id{};  ///< 32 hexadecimal digits, for this one alone
  Ask ask = Ask::Proof;
  Question question{};
};

struct Reply {
  std::string id{};  ///< that of the inquiry; empty: to one that could not be read, always with an error
  Verdict verdict{};
};

std::string to_text(const Inquiry& inquiry);
/// @errors TooLarge: above kMaxInquiryBytes; Unsupported: another version; Malformed: anything else that is not as above, a
/// method that there is not, a name that is none.
Result<Inquiry> read_inquiry(std::string_view text);

std::string to_text(const Reply& reply);
/// @errors TooLarge: above kMaxReplyBytes; Unsupported; Malformed: as above; valid with an error, or not valid without one; an
/// error of a type that RFC 8555 6.7 does not have.
Result<Reply> read_reply(std::string_view text);

}  // namespace chancery::acme
