#include "server/store/shared_sync.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/base/log.h"

namespace chancery::store {
namespace {

void raise_to(std::atomic<std::uint64_t>& word, std::uint64_t number) noexcept {
  auto now = word.load();
  while (now < number && !word.compare_exchange_weak(now, number)) {
  }
}

}  // namespace

SharedSync::SharedSync(Words* words, Sync sync)
    : words_(words != nullptr ? words : &own_), sync_(std::move(sync)), turn_(words != nullptr ? &words->sync_turn : nullptr) {}

void SharedSync::begin() noexcept {
  if (number_ == 0) number_ = ++words_->begun;
}

void SharedSync::ended() noexcept {
  if (number_ == 0) return;
  // Commits are written in their order: with this one those of lower numbers are, or never will be.
  raise_to(words_->written, number_);
  wanted_ = std::max(wanted_, number_);
  number_ = 0;
}

/// The last one that began may be among what was seen, though its process has not said yet that it ended.
void SharedSync::saw() noexcept {
  if (is_alone()) {  // it may be what somebody else has just written
    begin();
    ended();
  }
  wanted_ = std::max(wanted_, words_->begun.load());
}

void SharedSync::fail(std::string_view why) noexcept {
  if (words_->failed.exchange(1) != 0) return;
  base::log_error("database: a sync failed, so nothing more is stored until the server is started again: " + std::string(why));
}

Status SharedSync::check() const {
  if (words_->failed.load() == 0) return {};
  return Error(Code::StoreFailed, "database: the disk failed to keep what was written",
               "see the kernel's log, mend the disk, then restart the server");
}

Status SharedSync::settle() {
  if (words_->synced.load() >= wanted_) return {};
  turn_.take();
  const struct Leaver {
    Turn& turn;
    ~Leaver() { turn.leave(); }
  } leaver{turn_};
  if (words_->synced.load() >= wanted_) return {};
  PKI_TRY_VOID(check());
  const auto written = words_->written.load();
  if (auto done = sync_(); !done.ok()) {
    fail(done.error().message());
    return done;
  }
  raise_to(words_->synced, written);
  wanted_ = std::min(wanted_, written);  // a commit that began and never ended left nothing to wait for
  return {};
}

}  // namespace chancery::store
