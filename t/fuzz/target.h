#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/base/bytes.h"

/// FUZZ_TARGET(name) { … } is one reader of foreign octets, which it gets as `input`. In a build for fuzzing it is the entry of
/// libFuzzer; else it goes into the table that replay_test.cc runs over the corpora.
namespace chancery::fuzz {

/// What must hold for every input. A property that breaks ends the process as a bad access would.
inline void hold(bool property) {
  if (!property) std::abort();
}

using Run = void (*)(std::string_view input);
struct Target {
  Target(const char* target_name, Run target_run) : name(target_name), run(target_run), next(first()) { first() = this; }
  static const Target*& first() {
    static const Target* head = nullptr;
    return head;
  }
  const char* name;
  Run run;
  const Target* next;
};

}  // namespace chancery::fuzz

#ifdef CHANCERY_FUZZING
#define FUZZ_TARGET(name)                                                             \
  static void run_##name(std::string_view input);                                     \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);  \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    run_##name(chancery::base::as_text({data, size}));                                \
    return 0;                                                                         \
  }                                                                                   \
  static void run_##name(std::string_view input)
#else
#define FUZZ_TARGET(name)                                               \
  static void run_##name(std::string_view input);                       \
  static const chancery::fuzz::Target target_##name(#name, run_##name); \
  static void run_##name(std::string_view input)
#endif
