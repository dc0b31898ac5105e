#include <filesystem>

#include "server/signer/ceremony_plan.h"
#include "server/signer/transcript.h"
#include "t/fuzz/target.h"

using namespace chancery;

/// A ceremony's plan and its transcript, which come from elsewhere on a medium.
FUZZ_TARGET(ceremony) {
  const auto plan = signer::parse_plan(std::string(input), "plan.yml");
  if (plan.ok()) {
    auto acts = plan->issuing.size() + plan->root.cas.size() + 3;
    for (const auto& ca : plan->issuing) acts += ca.cas.size();
    fuzz::hold(plan->text == input && signer::acts_of(*plan).size() == acts);
  } else {
    fuzz::hold(!plan.error().message().empty());
  }
  const auto transcript = signer::parse_transcript(input);
  if (!transcript.ok()) return;
  for (const auto& file : transcript->files) {
    const auto inside = (std::filesystem::path("/medium/ceremony") / file.path).lexically_normal().string();
    fuzz::hold(inside.starts_with("/medium/ceremony/") && inside != "/medium/ceremony/");
  }
  fuzz::hold(signer::check_files(transcript->files, transcript->files, "root").ok());
}
