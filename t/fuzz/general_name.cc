#include "server/x509/general_name.h"
#include "t/fuzz/target.h"

using namespace chancery;

namespace {

void check(const std::vector<x509::GeneralName>& names) {
  for (const auto& name : names) {
    const auto again = x509::GeneralName::parse(name.to_text());
    fuzz::hold(again.ok() && *again == name);
  }
  const auto der = x509::encode_general_names(names);
  fuzz::hold(der.ok());
  const auto again = x509::decode_general_names(*der);
  fuzz::hold(again.ok() && *again == names);
}

}  // namespace

/// A subject alternative name as text, or the extension as DER.
FUZZ_TARGET(general_name) {
  if (const auto name = x509::GeneralName::parse(input); name.ok()) check({*name});
  if (const auto names = x509::decode_general_names(base::as_bytes(input)); names.ok() && !names->empty()) check(*names);
}
