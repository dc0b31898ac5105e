#pragma once

#include <utility>

#include "server/base/file.h"
#include "server/store/shared_sync.h"
#include "server/store/shared_words.h"
#include "server/store/turn.h"

namespace chancery::store {

/// How the processes of a file go about it together.
struct Sharing {
  Sharing(const base::Path& database, SharedSync::Sync sync)
      : words(SharedWords::file_of(database)), write_turn(words.turn(&Words::write_turn)), log(words.get(), std::move(sync)) {}

  SharedWords words;
  Turn write_turn;
  SharedSync log;
};

}  // namespace chancery::store
