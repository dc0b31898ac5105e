#include "server/worker/narrowed_page.h"

#include <gtest/gtest.h>

#include <vector>

namespace chancery::worker {
namespace {

/// The numbers from 1 to that one, with what a store does about keys: `next` is the last row's, where others follow.
struct Numbers {
  int end;
  std::vector<int> shown;

  Result<store::Page<int>> page(std::size_t most, const std::string& after) const {
    store::Page<int> out;
    const int from = after.empty() ? 0 : std::stoi(after);
    for (int i = from + 1; i <= end && out.items.size() < most; ++i) out.items.push_back(i);
    if (!out.items.empty() && out.items.back() < end) out.next = std::to_string(out.items.back());
    return out;
  }
  store::Page<int> narrowed(std::size_t limit, const std::string& after, bool is_whole = false) const {
    return narrowed_page<int>(
               is_whole, limit, after, [&](std::size_t most, const std::string& from) { return page(most, from); },
               [&](int one) { return Result<bool>(std::ranges::find(shown, one) != shown.end()); })
        .value();
  }
};

TEST(NarrowedPage, SaysNothingOfRowsThatAreNotShown) {
  const Numbers numbers{.end = 1000, .shown = {3, 150, 151, 700}};
  const auto all = numbers.narrowed(10, "");
  EXPECT_EQ(all.items, (std::vector{3, 150, 151, 700}));
  EXPECT_EQ(all.next, "") << "what follows is hidden";
  const auto first = numbers.narrowed(2, "");
  EXPECT_EQ(first.items, (std::vector{3, 150}));
  EXPECT_EQ(first.next, "150") << "the key of a row that is shown";
  const auto second = numbers.narrowed(2, first.next);
  EXPECT_EQ(second.items, (std::vector{151, 700}));
  EXPECT_EQ(second.next, "");
  EXPECT_EQ(numbers.narrowed(4, "").next, "");
  EXPECT_TRUE(numbers.narrowed(5, "700").items.empty());
}

TEST(NarrowedPage, WhoseRowsAreAllShownIsTheStores) {
  const Numbers numbers{.end = 5, .shown = {}};
  EXPECT_EQ(numbers.narrowed(2, "", true).items, (std::vector{1, 2}));
  EXPECT_EQ(numbers.narrowed(2, "", true).next, "2");
}

TEST(NarrowedPage, LooksAtSoManyRowsAtATimeAndLosesNone) {
  const Numbers numbers{.end = 50000, .shown = {7, 49000}};
  std::vector<int> found;
  std::string after;
  int pages = 0;
  do {
    const auto page = numbers.narrowed(10, after);
    found.insert(found.end(), page.items.begin(), page.items.end());
    after = page.next;
    ++pages;
  } while (!after.empty() && pages < 10);
  EXPECT_EQ(found, (std::vector{7, 49000}));
  EXPECT_EQ(pages, 4);  // 7; two of 20000 hidden ones each; the rest
}

}  // namespace
}  // namespace chancery::worker
