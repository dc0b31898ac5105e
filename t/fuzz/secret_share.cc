#include "server/crypto/shares.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// A share that somebody types; what is taken is written as what is taken as the same.
FUZZ_TARGET(secret_share) {
  const auto share = crypto::parse_share(base::as_bytes(input));
  if (!share.ok()) return;
  const auto text = crypto::share_text(*share);
  const auto again = crypto::parse_share(text.view());
  fuzz::hold(again.ok() && crypto::share_text(*again).view().size() == text.size());
  fuzz::hold(again->index == share->index && again->realm == share->realm && again->set == share->set);
  fuzz::hold(base::equal_in_constant_time(again->values.view(), share->values.view()));
}
