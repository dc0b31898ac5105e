#include "server/signer/openssl_index.h"
#include "server/signer/openssl_config.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// index.txt, and the other texts of `openssl ca`: what comes out of a line has a form of its own.
FUZZ_TARGET(openssl_index) {
  const auto rows = signer::parse_index(input);
  for (const auto& row : rows.ok() ? *rows : std::vector<signer::IndexRow>()) {
    if (row.serial) fuzz::hold(Serial::from_hex(row.serial->hex()).ok());
    fuzz::hold((row.state == 'R') == row.revoked_at.has_value());
    fuzz::hold(row.subject.find('\n') == std::string::npos && row.extra.find('\x1b') == std::string::npos);
  }
  const auto number = signer::parse_counter(input);
  fuzz::hold(!number.ok() || !number->empty());
  const auto values = signer::parse_default_ca(input);
  if (!values.ok()) fuzz::hold(!values.error().message().empty());
}
