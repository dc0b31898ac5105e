#include <algorithm>
#include <array>
#include <limits>

#include "server/store/certificate_rows.h"
#include "server/store/rows.h"
#include "server/store/store.h"

namespace chancery::store {
namespace {

/// Sets that an index gives in another order than newest first are gathered whole and sorted, up to this size. A larger one
/// is given up for the next way: what many rows match is soon found among the newest.
constexpr std::size_t kMaxGathered = 2000;
constexpr std::size_t kBatch = 250;

using Found = std::vector<CertificateRecord>;

// ----- what a certificate must be like

bool in_state(const CertificateRecord& record, const CertificateFilter& filter) {
  if (filter.state == "expired") return record.state == CertificateState::Valid && record.not_after < filter.now;
  if (filter.state == "valid") return record.state == CertificateState::Valid && record.not_after >= filter.now;
  return filter.state == to_text(record.state);
}

bool matches(const CertificateRecord& record, const CertificateFilter& filter) {
  if (filter.serial && record.serial != *filter.serial) return false;
  if (!record.cn.starts_with(filter.cn_prefix)) return false;
  if (!filter.san.empty() && std::ranges::find(record.sans, filter.san) == record.sans.end()) return false;
  if (!filter.profile.empty() && record.profile != filter.profile) return false;
  if (!filter.requester.empty() && record.requester != filter.requester) return false;
  if (!filter.state.empty() && !in_state(record, filter)) return false;
  if (filter.expires_before && record.not_after >= *filter.expires_before) return false;
  if (filter.expires_after && record.not_after < *filter.expires_after) return false;
  if (filter.issued_before && record.issued_at >= *filter.issued_before) return false;
  return !filter.issued_after || record.issued_at >= *filter.issued_after;
}

// ----- where to look

/// What the index of a way holds for a filter, as parameters of its statement.
struct Range {
  Value from;  ///< of ways that page: the value that is looked for
  Value to;
};

std::optional<Range> by_serial(const CertificateFilter& filter) {
  return filter.serial ? std::optional(Range{filter.serial->hex(), {}}) : std::nullopt;
}
std::optional<Range> equal_to(const std::string& value) { return value.empty() ? std::nullopt : std::optional(Range{value, {}}); }
std::optional<Range> by_san(const CertificateFilter& filter) { return equal_to(filter.san); }
std::optional<Range> by_profile(const CertificateFilter& filter) { return equal_to(filter.profile); }
std::optional<Range> by_requester(const CertificateFilter& filter) { return equal_to(filter.requester); }
/// Of those that are not what nearly all are: a valid one is soon found among the newest.
std::optional<Range> by_state(const CertificateFilter& filter) {
  const auto state = certificate_state(filter.state);
  return state && *state != CertificateState::Valid ? equal_to(filter.state) : std::nullopt;
}
/// Everything that begins with the prefix: up to the prefix and the last code point of Unicode.
std::optional<Range> by_cn(const CertificateFilter& filter) {
  if (filter.cn_prefix.empty()) return std::nullopt;
  return Range{filter.cn_prefix, filter.cn_prefix + "\U0010FFFF"};
}
std::optional<Range> by_end(const CertificateFilter& filter) {
  if (!filter.expires_before && !filter.expires_after) return std::nullopt;
  using Limits = std::numeric_limits<std::int64_t>;
  return Range{filter.expires_after ? base::to_epoch(*filter.expires_after) : Limits::min(),
               filter.expires_before ? base::to_epoch(*filter.expires_before) : Limits::max()};
}
std::optional<Range> all_rows(const CertificateFilter& /*filter*/) { return Range{}; }

enum class Kind : std::uint8_t {
  Single,  ///< at most a row or two
  Gather,  ///< a set in the order of the index
  Page,    ///< newest first
};

/// The ways to the certificates, the most selective first. The first that fits the filter is taken; what else the filter
/// asks for is held against each row.
struct Way {
  Kind kind;
  std::string_view statement;
  std::optional<Range> (*range)(const CertificateFilter&);
};
constexpr std::array kWays{
    Way{Kind::Single, "certificate_by_serial", by_serial},
    Way{Kind::Page, "certificate_search_san", by_san},
    Way{Kind::Gather, "certificate_search_cn", by_cn},
    Way{Kind::Gather, "certificate_search_end", by_end},
    Way{Kind::Page, "certificate_search_requester", by_requester},
    Way{Kind::Page, "certificate_search_profile", by_profile},
    Way{Kind::Page, "certificate_search_state", by_state},
    Way{Kind::Page, "certificate_search_all", all_rows},
};

// ----- the order of pages: newest first

PageKey key_of(const CertificateRecord& record) { return {base::to_epoch(record.issued_at), record.serial.hex()}; }

bool comes_before(const PageKey& a, const PageKey& b) { return a.number != b.number ? a.number > b.number : a.text > b.text; }

/// Where a search begins: after the page before, and not later than the filter allows.
Result<PageKey> first_key(const CertificateFilter& filter, const std::string& after) {
  PageKey key{std::numeric_limits<std::int64_t>::max(), {}};
  if (filter.issued_before) key.number = base::to_epoch(*filter.issued_before);
  if (after.empty()) return key;
  PKI_TRY(auto given, parse_page_key(after));
  return comes_before(key, given) ? given : key;
}

Status check_state(const std::string& state) {
  if (state.empty() || state == "expired" || certificate_state(state)) return {};
  return Error(Code::InvalidParams, "unknown state " + state, "one of valid revoked held expired");
}

/// A page of what was gathered, which is all there is.
Page<CertificateRecord> page_of(Found found, const CertificateFilter& filter, const PageKey& key, std::size_t limit) {
  std::erase_if(found, [&](const auto& record) { return !matches(record, filter) || !comes_before(key, key_of(record)); });
  std::ranges::sort(found, [](const auto& a, const auto& b) { return comes_before(key_of(a), key_of(b)); });
  Page<CertificateRecord> page;
  if (found.size() > limit) {
    found.erase(found.begin() + static_cast<std::ptrdiff_t>(limit), found.end());
    page.next = to_text(key_of(found.back()));
  }
  page.items = std::move(found);
  return page;
}

}  // namespace

/// Runs a way's statement with whatever parameters it has.
Result<Outcome> Store::run_way(std::string_view name, const std::vector<Bind>& binds) {
  std::vector<Bind> taken;
  for (const auto& bind : binds) {
    if (std::ranges::find(statement(name).parameters, bind.name) != statement(name).parameters.end()) taken.push_back(bind);
  }
  return run_all(name, taken);
}

Result<Page<CertificateRecord>> Store::search(const CertificateFilter& filter, std::size_t limit, const std::string& after) {
  limit = bounded_limit(limit) - 1;
  PKI_TRY_VOID(check_state(filter.state));
  PKI_TRY(const auto key, first_key(filter, after));
  for (const auto& way : kWays) {
    const auto range = way.range(filter);
    if (!range) continue;
    if (way.kind == Kind::Page) return search_pages(way.statement, range->from, filter, limit, key);
    const std::vector<Bind> binds{
        {"serial", range->from}, {"from", range->from}, {"to", range->to}, {"limit", number(kMaxGathered + 1)}};
    PKI_TRY(const auto out, run_way(way.statement, binds));
    if (out.rows.size() > kMaxGathered) continue;
    Found found;
    for (std::size_t i = 0; i < out.rows.size(); ++i) {
      PKI_TRY(auto record, read_certificate(out, i));
      found.push_back(std::move(record));
    }
    return page_of(std::move(found), filter, key, limit);
  }
  base::raise_bug(__FILE__, __LINE__, "the last way to the certificates fits every filter");
}

/// Goes down an index newest first until the page is full, the index ends, or enough rows were looked at.
Result<Page<CertificateRecord>> Store::search_pages(std::string_view name, const Value& value, const CertificateFilter& filter,
                                                    std::size_t limit, PageKey key) {
  const auto oldest = filter.issued_after ? base::to_epoch(*filter.issued_after) : std::numeric_limits<std::int64_t>::min();
  Page<CertificateRecord> page;
  for (std::size_t looked = 0; looked < kMaxRowsLooked; looked += kBatch) {
    PKI_TRY(const auto out, run_way(name, {{"value", value},
                                           {"issued_after", oldest},
                                           {"key_issued_at", key.number},
                                           {"key_serial", key.text},
                                           {"limit", number(kBatch)}}));
    for (std::size_t i = 0; i < out.rows.size(); ++i) {
      PKI_TRY(auto record, read_certificate(out, i));
      const auto this_key = key_of(record);
      if (matches(record, filter)) {
        if (page.items.size() == limit) {
          page.next = to_text(key);
          return page;
        }
        page.items.push_back(std::move(record));
      }
      key = this_key;
    }
    if (out.rows.size() < kBatch) return page;
  }
  page.next = to_text(key);
  return page;
}

}  // namespace chancery::store
