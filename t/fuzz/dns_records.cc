#include "clients/dns/caa.h"
#include "clients/dns/records.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

/// One record behind its length, in two octets; what is left over is a record, too.
std::vector<std::string> records_in(std::string_view input) {
  std::vector<std::string> records;
  while (input.size() >= 2) {
    const auto length = static_cast<std::size_t>(static_cast<std::uint8_t>(input[0])) << 8 | static_cast<std::uint8_t>(input[1]);
    input.remove_prefix(2);
    records.emplace_back(input.substr(0, length));
    input.remove_prefix(records.back().size());
  }
  return records;
}

}  // namespace

/// TXT and CAA records of a stranger's zone.
FUZZ_TARGET(dns_records) {
  if (const auto text = dns::read_txt(input); text.ok()) fuzz::hold(text->size() <= input.size());
  if (const auto value = dns::read_issue_value(input); value.ok()) {
    fuzz::hold(value->issuer.find_first_of("; \t") == std::string::npos);
    for (const auto& [tag, text] : value->parameters) fuzz::hold(!tag.empty() && text.find(';') == std::string::npos);
  }
  const auto records = records_in(input);
  for (const bool wildcard : {false, true}) {
    const dns::CaaWish wish{"www.shop.example", wildcard, {"ca.example"}, "https://ca.example/1", "dns-01"};
    const auto judged = dns::judge_caa(records, wish);
    fuzz::hold(judged.ok() || judged.error().code() == Code::Denied);
    // What one record forbids by being unreadable, no other one allows.
    for (const auto& one : records) fuzz::hold(!judged.ok() || dns::read_caa(one).ok());
  }
}
