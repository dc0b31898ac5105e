#include "clients/dns/caa.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "clients/dns/records.h"
#include "server/base/text.h"

namespace chancery::dns {
namespace {

constexpr std::size_t kMaxShown = 80;
constexpr std::string_view kIssue = "issue", kIssueWild = "issuewild", kAccountUri = "accounturi",
                           kValidationMethods = "validationmethods";
/// Tags that are known and restrict no TLS server's certificate: iodef (RFC 8659 4.4), issuemail (RFC 9495).
constexpr std::array<std::string_view, 4> kKnown{kIssue, kIssueWild, "iodef", "issuemail"};

/// The value in quotes, with nothing that a log or a terminal would act on.
std::string quoted(std::string_view value) { return "\"" + base::printable(value, kMaxShown) + "\""; }

/// Why one property does not let this CA issue; empty: it does.
std::string obstacle(const std::string& text, const CaaWish& wish) {
  const auto value = read_issue_value(text);
  if (!value.ok()) return value.error().message();  // RFC 8659 4.2: as if it named nobody
  if (value->issuer.empty()) return "names no CA";
  if (std::ranges::find(wish.issuers, value->issuer) == wish.issuers.end()) return "names another CA";
  // RFC 8657 3: two of them cannot both be met.
  if (value->count(kAccountUri) > 1) return "names more than one account";
  if (value->count(kAccountUri) == 1 && value->find(kAccountUri) != wish.account_url) return "names another account";
  if (value->count(kValidationMethods) > 1) return "has validationmethods twice";
  if (value->count(kValidationMethods) == 0) return {};
  const auto methods = base::split(value->find(kValidationMethods), ',');
  return std::ranges::find(methods, wish.method) != methods.end() ? "" : "does not allow " + wish.method;
}

Result<std::vector<CaaRecord>> read_all(std::span<const std::string> rdata) {
  std::vector<CaaRecord> records;
  for (const auto& one : rdata) {
    auto record = read_caa(one);
    if (!record.ok()) return Error(Code::Denied, record.error().message());
    const bool known = std::ranges::find(kKnown, record->tag) != kKnown.end();
    if (!known && record->critical)
      return Error(Code::Denied, "a critical CAA record with tag " + quoted(record->tag) + ", which is not known here");
    records.push_back(std::move(*record));
  }
  return records;
}

/// RFC 8659 4.3: for wildcards issuewild counts alone, where there is any.
std::vector<CaaRecord> that_count(const std::vector<CaaRecord>& records, bool wildcard) {
  const bool wild = wildcard && std::ranges::count(records, kIssueWild, &CaaRecord::tag) != 0;
  std::vector<CaaRecord> out;
  std::ranges::copy_if(records, std::back_inserter(out),
                       [&](const auto& one) { return one.tag == (wild ? kIssueWild : kIssue); });
  return out;
}

/// "a.b.example" -> "b.example"; empty at the top.
std::string parent_of(const std::string& name) {
  const auto dot = name.find('.');
  return dot == std::string::npos ? std::string() : name.substr(dot + 1);
}

}  // namespace

Result<std::string> judge_caa(std::span<const std::string> rdata, const CaaWish& wish) {
  if (rdata.empty()) return std::string("no CAA records");
  PKI_TRY(const auto records, read_all(rdata));
  const auto counting = that_count(records, wish.wildcard);
  if (counting.empty()) return std::string("CAA records that restrict nobody here");
  std::vector<std::string> obstacles;
  for (const auto& one : counting) {
    const auto why = obstacle(one.value, wish);
    if (why.empty()) return one.tag + " " + quoted(one.value);
    obstacles.push_back(one.tag + " " + quoted(one.value) + " " + why);
  }
  constexpr std::size_t kMaxNamed = 5;
  if (obstacles.size() > kMaxNamed) obstacles.resize(kMaxNamed);
  return Error(Code::Denied, base::join(obstacles, "; ") + "; expected " + base::join(wish.issuers, " or "));
}

Result<std::string> check_caa(const CaaWish& wish,
                              const std::function<Result<std::vector<std::string>>(const std::string&)>& records_of) {
  for (auto name = wish.name; !name.empty(); name = parent_of(name)) {
    PKI_TRY(const auto records, records_of(name));
    if (records.empty()) continue;
    const auto judged = judge_caa(records, wish);
    if (!judged.ok()) return judged.error().within("CAA of " + base::printable(name, 300));
    return "CAA of " + base::printable(name, 300) + ": " + *judged;
  }
  return std::string("no CAA records");
}

}  // namespace chancery::dns
