#pragma once

#include <algorithm>
#include <string>

#include "server/base/result.h"
#include "server/store/records.h"

/// Pages of which a realm's access rules show some rows alone. Nothing of them says that there are others: they are as full as
/// pages of a realm that has no others, and end where the last row is that is shown.
namespace chancery::worker {

inline constexpr std::size_t kMostLooked = 20000;  ///< rows for one page; at the least one of the store's pages

/// @param fetch  the store's page: how many, after which key
/// @param is_shown  of one row: Result<bool>
/// @return Where more than kMostLooked rows come without one that is shown, the page is empty and `next` is the last key looked
/// at.
template <class Row, class Fetch, class IsShown>
Result<store::Page<Row>> narrowed_page(bool is_whole, std::size_t limit, std::string after, Fetch fetch, IsShown is_shown) {
  if (is_whole) return fetch(limit, after);
  constexpr std::size_t kAtOnce = 100;
  store::Page<Row> out;
  std::string before_last = after;  // of the store's page that has the last row shown, and where in it that is
  std::size_t last = 0;
  std::size_t looked = 0;
  const auto after_last = [&]() -> Result<std::string> {
    PKI_TRY(const auto page, fetch(last + 1, before_last));
    return page.next;
  };
  for (;;) {
    PKI_TRY(auto page, fetch(std::max(limit, kAtOnce), after));
    for (std::size_t i = 0; i < page.items.size(); ++i) {
      PKI_TRY(const bool shown, is_shown(page.items[i]));
      if (!shown) continue;
      if (out.items.size() == limit) {  // one more than is wanted: there is a next page
        PKI_TRY(out.next, after_last());
        return out;
      }
      before_last = after;
      last = i;
      out.items.push_back(std::move(page.items[i]));
    }
    if (page.next.empty()) return out;
    after = page.next;
    looked += page.items.size();
    if (looked < kMostLooked) continue;
    out.next = after;
    if (!out.items.empty()) {
      PKI_TRY(out.next, after_last());
    }
    return out;
  }
}

}  // namespace chancery::worker
