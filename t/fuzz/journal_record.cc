#include "server/base/text.h"
#include "server/signer/journal.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// The bodies of a journal's records, one a line.
FUZZ_TARGET(journal_record) {
  signer::JournalIndex index;
  std::uint64_t offset = 0;
  while (!input.empty()) {
    const auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    const auto body = wire::parse_json(line);
    if (!body.ok()) continue;
    if (const auto intent = signer::intent_from(*body); intent.ok()) {
      const auto again = signer::intent_from(signer::to_json(*intent));
      fuzz::hold(again.ok() && again->tbs == intent->tbs && again->serial == intent->serial);
    }
    if (!index.add(offset, *body).ok()) return;
    offset += line.size() + 1;
  }
  static_cast<void>(index.signed_between(0, offset, 100).size());
  static_cast<void>(index.unfinished().size());
}
