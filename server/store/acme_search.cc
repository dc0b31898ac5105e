#include <algorithm>
#include <limits>
#include <tuple>

#include "server/realm/acme_states.h"
#include "server/store/acme_rows.h"

/// Orders and authorizations as operators look for them.
namespace chancery::store {
namespace {

constexpr std::size_t kBatch = 250;
constexpr PageKey kNewest{std::numeric_limits<std::int64_t>::max(), {}};

template <class T>
bool matches(const T& one, const AcmeFilter& filter) {
  return filter.status.empty() || status_at(one, filter.now) == filter.status;
}

template <class T>
PageKey key_of(const T& one) {
  return {base::to_epoch(one.created_at), one.id};
}

Result<PageKey> key_from(const std::string& after) { return after.empty() ? Result<PageKey>(kNewest) : parse_page_key(after); }

std::size_t bounded(std::size_t limit) { return std::clamp<std::size_t>(limit, 1, kMaxPageRows); }

template <class T>
Page<T> finish(Page<T> page, std::string next) {
  page.next = std::move(next);
  return page;
}

}  // namespace

std::string status_at(const AcmeOrder& order, Seconds now) {
  const auto expired = realm::acme_order_life().after(order.status, realm::AcmeOrderEvent::Expire);
  if (expired.ok() && now >= order.expires) return std::string(*expired);
  return is_held_back(order) ? "processing" : order.status;
}

bool is_held_back(const AcmeOrder& order) { return order.status == "ready" && !order.csr.empty(); }

std::string status_at(const AcmeAuthorization& authorization, Seconds now) {
  if (now < authorization.expires) return authorization.status;
  const auto expired = realm::acme_authorization_life().after(authorization.status, realm::AcmeAuthorizationEvent::Expire);
  return expired.ok() ? std::string(*expired) : authorization.status;
}

Result<Outcome> Store::order_page(const std::string& account, const PageKey& key, std::size_t limit) {
  const auto rows = number(limit);
  if (account.empty())
    return run("acme_order_search_all", {{"key_created_at", key.number}, {"key_id", key.text}, {"limit", rows}});
  return run("acme_order_search_account",
             {{"account", account}, {"key_created_at", key.number}, {"key_id", key.text}, {"limit", rows}});
}

Result<Page<AcmeOrder>> Store::search_acme_orders(const AcmeFilter& filter, std::size_t limit, const std::string& after) {
  PKI_TRY(auto key, key_from(after));
  Page<AcmeOrder> page;
  for (std::size_t looked = 0; looked < kMaxRowsLooked; looked += kBatch) {
    PKI_TRY(const auto out, order_page(filter.account, key, kBatch));
    for (std::size_t i = 0; i < out.rows.size(); ++i) {
      PKI_TRY(auto order, read_order(out, i));
      key = key_of(order);
      if (!matches(order, filter)) continue;
      page.items.push_back(std::move(order));
      const bool last = i + 1 == out.rows.size() && out.rows.size() < kBatch;
      if (page.items.size() == bounded(limit)) return finish(std::move(page), last ? std::string() : to_text(key));
    }
    if (out.rows.size() < kBatch) return page;
  }
  page.next = to_text(key);
  return page;
}

/// By id: nobody but an operator wants all of them, and that is worth no index.
Result<Page<AcmeAuthorization>> Store::all_authorizations(const AcmeFilter& filter, std::size_t limit, std::string after) {
  Page<AcmeAuthorization> page;
  for (std::size_t looked = 0; looked < kMaxRowsLooked; looked += kBatch) {
    PKI_TRY(const auto out, run("acme_authorization_search_all", {{"key_id", after}, {"limit", number(kBatch)}}));
    for (std::size_t i = 0; i < out.rows.size(); ++i) {
      PKI_TRY(auto one, read_authorization(out, i));
      after = one.id;
      if (!matches(one, filter)) continue;
      page.items.push_back(std::move(one));
      const bool last = i + 1 == out.rows.size() && out.rows.size() < kBatch;
      if (page.items.size() == limit) return finish(std::move(page), last ? std::string() : after);
    }
    if (out.rows.size() < kBatch) return page;
  }
  page.next = after;
  return page;
}

/// The index has them by status, so each status gives its newest, and of these the newest are the page.
Result<Page<AcmeAuthorization>> Store::account_authorizations(const AcmeFilter& filter, std::size_t limit, const PageKey& after) {
  Page<AcmeAuthorization> page;
  for (const auto status : realm::acme_authorization_life().states) {
    PKI_TRY(const auto out, run("acme_authorization_search_account", {{"account", filter.account},
                                                                      {"status", std::string(status)},
                                                                      {"key_created_at", after.number},
                                                                      {"key_id", after.text},
                                                                      {"limit", number(limit + 1)}}));
    for (std::size_t i = 0; i < out.rows.size(); ++i) {
      PKI_TRY(auto one, read_authorization(out, i));
      page.items.push_back(std::move(one));
    }
  }
  std::ranges::sort(page.items,
                    [](const auto& a, const auto& b) { return std::tie(b.created_at, b.id) < std::tie(a.created_at, a.id); });
  if (page.items.size() > limit) {
    page.items.resize(limit);
    page.next = to_text(key_of(page.items.back()));
  }
  std::erase_if(page.items, [&](const auto& one) { return !matches(one, filter); });
  return page;
}

Result<Page<AcmeAuthorization>> Store::search_acme_authorizations(const AcmeFilter& filter, std::size_t limit,
                                                                  const std::string& after) {
  if (filter.account.empty()) return all_authorizations(filter, bounded(limit), after);
  PKI_TRY(const auto key, key_from(after));
  return account_authorizations(filter, bounded(limit), key);
}

}  // namespace chancery::store
