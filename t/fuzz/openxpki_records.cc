#include "server/signer/openxpki_records.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// Rows of OpenXPKI: each comes out in a form of its own.
FUZZ_TARGET(openxpki_records) {
  const auto rows = signer::parse_openxpki(input);
  for (const auto& row : rows.ok() ? *rows : std::vector<signer::OpenxpkiRecord>()) {
    if (row.serial) fuzz::hold(Serial::from_hex(row.serial->hex()).ok());
    fuzz::hold(!row.certificate.empty() || !row.serial_text.empty());
    fuzz::hold(row.reason.find(' ') == std::string::npos);
  }
}
