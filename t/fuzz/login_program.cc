#include "server/base/text.h"
#include "server/worker/login_runner.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// What a login program prints: the names of groups, and nothing that a log or a rule would act on.
FUZZ_TARGET(login_program) {
  const auto groups = worker::groups_in(input);
  if (!groups.ok()) return;
  std::string again;
  for (const auto& name : *groups) {
    fuzz::hold(!name.empty() && base::printable(name) == name);
    again += "group " + name + "\n";
  }
  fuzz::hold(again == input);
}
