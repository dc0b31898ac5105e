#include "server/signer/upki_records.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// A database of uPKI's: each record comes out in a form of its own.
FUZZ_TARGET(upki_records) {
  const auto database = wire::parse_json(input);
  if (!database.ok()) return;
  for (const auto& record : signer::upki_records(*database)) {
    if (record.serial) fuzz::hold(Serial::from_hex(record.serial->hex()).ok());
    fuzz::hold(record.reason.find(' ') == std::string::npos);
  }
}
