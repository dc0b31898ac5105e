#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/result.h"

/// What stands in DNS records that say who may issue. All of it is foreign: octets are taken apart here, decisions are elsewhere.
namespace chancery::dns {

/// The one text of a TXT record: its character-strings, each behind its length (RFC 1035 3.3.14), without anything between.
/// @errors Malformed: a length that goes beyond the record.
Result<std::string> read_txt(std::string_view rdata);

/// One CAA record (RFC 8659 4.1).
struct CaaRecord {
  bool critical = false;  ///< who does not know the tag must not issue
  std::string tag{};      ///< lower case
  std::string value{};    ///< octets
};
/// @errors Malformed: shorter than it says, or a tag that is not letters and digits.
Result<CaaRecord> read_caa(std::string_view rdata);

/// The value of issue and issuewild (RFC 8659 4.2), which dns-persist-01 uses, too.
struct IssueValue {
  std::string issuer{};                                           ///< lower case; empty: nobody
  std::vector<std::pair<std::string, std::string>> parameters{};  ///< tags in lower case, in their order

  std::size_t count(std::string_view tag) const;
  /// The first of that tag; empty without one.
  std::string_view find(std::string_view tag) const;
};
/// @errors Malformed: not what the grammar allows.
Result<IssueValue> read_issue_value(std::string_view text);

}  // namespace chancery::dns
