#include "server/base/syscall_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "server/base/fd.h"

namespace chancery::base {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_RISCV64;
#else
#error "add the architecture's AUDIT_ARCH (linux/audit.h)"
#endif

constexpr std::uint32_t offset_of_argument(int index) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args)) + 8U * static_cast<std::uint32_t>(index);
}
sock_filter load(std::size_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
sock_filter jump(std::uint16_t test, std::uint32_t value, std::uint8_t if_true, std::uint8_t if_false) {
  return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, if_true, if_false);
}
sock_filter give(std::uint32_t verdict) { return BPF_STMT(BPF_RET | BPF_K, verdict); }

using Code = std::vector<sock_filter>;

/// Another numbering of system calls ends the process, since it would get around the rest. The call's number is then in the
/// accumulator.
Code prologue() {
  Code code{load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, kArchitecture, 1, 0), give(SECCOMP_RET_KILL_PROCESS),
            load(offsetof(seccomp_data, nr))};
#ifdef __x86_64__
  constexpr std::uint32_t kX32 = 0x40000000;  // the same architecture, numbers of its own
  code.push_back(jump(BPF_JGE, kX32, 0, 1));
  code.push_back(give(SECCOMP_RET_KILL_PROCESS));
#endif
  return code;
}

/// What becomes of a call of the rule's number.
Code verdict_of(const CallRule& rule) {
  const auto refuse = give(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(rule.error));
  if (rule.when == CallRule::When::Always) return {refuse};
  const bool set = rule.when == CallRule::When::BitsSet;
  return {load(offset_of_argument(rule.argument)), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, rule.bits),
          jump(BPF_JEQ, set ? rule.bits : 0, 0, 1), refuse, give(SECCOMP_RET_ALLOW)};
}

/// A tree over the numbers, since the kernel runs each filter once for every call there is when it is installed.
Code tree_of(std::span<const CallRule> rules) {
  if (rules.size() == 1) {
    auto code = verdict_of(rules[0]);
    code.insert(code.begin(),
                jump(BPF_JEQ, static_cast<std::uint32_t>(rules[0].number), 0, static_cast<std::uint8_t>(code.size())));
    code.push_back(give(SECCOMP_RET_ALLOW));
    return code;
  }
  const auto middle = rules.size() / 2;
  auto code = tree_of(rules.first(middle));
  PKI_CHECK(code.size() <= UINT8_MAX);
  code.insert(code.begin(),
              jump(BPF_JGE, static_cast<std::uint32_t>(rules[middle].number), static_cast<std::uint8_t>(code.size()), 0));
  const auto above = tree_of(rules.subspan(middle));
  code.insert(code.end(), above.begin(), above.end());
  return code;
}

}  // namespace

CallFilter::CallFilter(std::vector<CallRule> rules) : code_(prologue()) {
  PKI_CHECK(!rules.empty());
  std::ranges::sort(rules, {}, &CallRule::number);
  const auto tree = tree_of(rules);
  code_.insert(code_.end(), tree.begin(), tree.end());
}

Status CallFilter::install() const {
  // The kernel copies the code: it only lacks the word const.
  const sock_fprog filter{static_cast<unsigned short>(code_.size()), const_cast<sock_filter*>(code_.data())};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) return {};
  return io_error("PR_SET_SECCOMP", errno);
}

}  // namespace chancery::base
