#include "server/master/pass_book.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>

#include "server/base/realm_passes.h"

namespace chancery::master {
namespace {

RealmName realm(const std::string& name) { return RealmName::parse(name).value(); }

TEST(PassBook, EachRealmHasItsOwnForGood) {
  PassBook book;
  EXPECT_TRUE(book.find(realm("a")).empty());
  const std::string a(base::as_text(book.make(realm("a")).value()));
  const std::string b(base::as_text(book.make(realm("b")).value()));
  EXPECT_EQ(a.size(), base::kPassOctets);
  EXPECT_EQ(a.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(a, b);
  EXPECT_EQ(base::as_text(book.make(realm("a")).value()), a);
  EXPECT_EQ(base::as_text(book.find(realm("b"))), b);
}

TEST(PassBook, AnotherBookHasOthers) {
  PassBook one;
  PassBook other;
  EXPECT_NE(base::as_text(one.make(realm("a")).value()), base::as_text(other.make(realm("a")).value()));
}

TEST(PassBook, ThereMayBeManyRealms) {
  constexpr int kRealms = 1000;
  PassBook book;
  std::set<std::string> passes;
  for (int i = 0; i < kRealms; ++i) passes.emplace(base::as_text(book.make(realm("r" + std::to_string(i))).value()));
  EXPECT_EQ(passes.size(), kRealms);
  for (int i = 0; i < kRealms; ++i)
    EXPECT_TRUE(passes.contains(std::string(base::as_text(book.find(realm("r" + std::to_string(i)))))));
}

bool is_zero(std::span<const std::uint8_t> octets) {
  return std::ranges::all_of(octets, [](std::uint8_t one) { return one == 0; });
}

TEST(PassBook, C22_D21_NoChildHasAny) {
  PassBook book;
  std::vector<ByteView> passes;
  for (int i = 0; i < 100; ++i) passes.push_back(book.make(realm("r" + std::to_string(i))).value());
  const pid_t child = ::fork();
  if (child == 0) ::_exit(std::ranges::all_of(passes, is_zero) ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(std::ranges::none_of(passes, is_zero));
}

TEST(UnforkedPage, C22_D21_WhatAChildWritesThereIsItsOwn) {
  const auto page = UnforkedPage::create().value();
  ASSERT_EQ(page.octets().size(), UnforkedPage::kOctets);
  EXPECT_TRUE(is_zero(page.octets()));
  std::ranges::fill(page.octets(), 7);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool was_zero = is_zero(page.octets());
    std::ranges::fill(page.octets(), 9);
    ::_exit(was_zero ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(std::ranges::all_of(page.octets(), [](std::uint8_t one) { return one == 7; }));
}

}  // namespace
}  // namespace chancery::master
