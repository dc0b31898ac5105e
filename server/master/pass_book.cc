#include "server/master/pass_book.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "server/base/fd.h"
#include "server/base/realm_passes.h"

namespace chancery::master {
namespace {

constexpr std::size_t kPassesOfPage = UnforkedPage::kOctets / base::kPassOctets;

/// A random text, made where it stays: the octets in the second half of its place become digits from the front on.
void write_pass(std::span<std::uint8_t> place) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto half = place.size() / 2;
  base::fill_random(place.last(half));
  for (std::size_t i = 0; i < half; ++i) {
    const auto octet = place[half + i];
    place[2 * i] = static_cast<std::uint8_t>(kDigits[octet >> 4U]);
    place[2 * i + 1] = static_cast<std::uint8_t>(kDigits[octet & 15U]);
  }
}

}  // namespace

void UnforkedPage::Unmap::operator()(std::uint8_t* start) const noexcept {
  ::explicit_bzero(start, kOctets);
  ::munmap(start, kOctets);
}

Result<UnforkedPage> UnforkedPage::create() {
  void* start = ::mmap(nullptr, kOctets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return base::io_error("memory for passes", errno);
  UnforkedPage page(static_cast<std::uint8_t*>(start));
  for (const int advice : {MADV_WIPEONFORK, MADV_DONTDUMP}) {
    if (::madvise(start, kOctets, advice) != 0) return base::io_error("memory for passes that no child has", errno);
  }
  (void)::mlock(start, kOctets);
  return page;
}

Result<ByteView> PassBook::make(const RealmName& realm) {
  if (const auto known = find(realm); !known.empty()) return known;
  PKI_TRY(const auto place, next_place());
  write_pass(place);
  return passes_.emplace(realm, place).first->second;
}

ByteView PassBook::find(const RealmName& realm) const {
  const auto found = passes_.find(realm);
  return found == passes_.end() ? ByteView() : found->second;
}

Result<std::span<std::uint8_t>> PassBook::next_place() {
  const auto place = passes_.size() % kPassesOfPage;
  if (place == 0) {
    PKI_TRY(auto page, UnforkedPage::create());
    pages_.push_back(std::move(page));
  }
  return pages_.back().octets().subspan(place * base::kPassOctets, base::kPassOctets);
}

}  // namespace chancery::master
