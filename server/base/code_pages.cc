#include "server/base/code_pages.h"

#include <link.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "server/base/file.h"

namespace chancery::base {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kMaxSmapsBytes = std::size_t{4} << 20;

std::size_t round_up(std::size_t bytes) { return (bytes + kHugePage - 1) & ~(kHugePage - 1); }

struct Range {
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;
  std::uintptr_t end() const { return begin + bytes; }
};

/// The program's own code, when the huge pages that it fills hold nothing else of the program.
int find_code(dl_phdr_info* program, std::size_t /*size*/, void* result) {
  Range code;
  for (int i = 0; i < program->dlpi_phnum; ++i) {
    const auto& header = program->dlpi_phdr[i];
    if (header.p_type == PT_LOAD && (header.p_flags & PF_X) != 0) code = {program->dlpi_addr + header.p_vaddr, header.p_memsz};
  }
  const bool aligned = code.bytes > 0 && code.begin % kHugePage == 0;
  bool alone = true;
  for (int i = 0; i < program->dlpi_phnum; ++i) {
    const auto& header = program->dlpi_phdr[i];
    const Range other{program->dlpi_addr + header.p_vaddr, header.p_memsz};
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) != 0) continue;
    alone = alone && (other.end() <= code.begin || other.begin >= code.begin + round_up(code.bytes));
  }
  if (aligned && alone) *static_cast<std::optional<Range>*>(result) = code;
  return 1;  // the program is the first object
}

/// Whether the kernel gave huge pages for all of it: it may give small ones instead, and those are no better than the file's.
bool is_huge(const Range& range) {
  const auto maps = read_file("/proc/self/smaps", kMaxSmapsBytes);
  if (!maps.ok()) return false;
  char name[32];
  std::snprintf(name, sizeof(name), "%zx-", static_cast<std::size_t>(range.begin));
  const auto at = maps->find("\n" + std::string(name));
  constexpr std::string_view kField = "AnonHugePages:";
  const auto field = at == std::string::npos ? at : maps->find(kField, at);
  if (field == std::string::npos) return false;
  return std::strtoull(maps->c_str() + field + kField.size(), nullptr, 10) * 1024 >= range.bytes;
}

Error unavailable(const std::string& why) { return {Code::Unavailable, "the code stays in the file's pages: " + why}; }

}  // namespace

/// The memory that the code goes to; it ends with this unless it was moved.
class CodeMove::Copy {
 public:
  Copy() = default;
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() {
    if (memory_ != MAP_FAILED) ::munmap(memory_, mapped_);
  }

  Status make() {
    ::dl_iterate_phdr(find_code, &code_);
    if (!code_) return unavailable("it is not linked to the bounds of huge pages");
    const auto bytes = round_up(code_->bytes);
    mapped_ = bytes + kHugePage;
    memory_ = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) return unavailable(std::strerror(errno));
    pages_ = {(reinterpret_cast<std::uintptr_t>(memory_) + kHugePage - 1) & ~(kHugePage - 1), bytes};
    if (::madvise(target(), bytes, MADV_HUGEPAGE) != 0) return unavailable("this kernel has no huge pages");
    std::memcpy(target(), reinterpret_cast<const void*>(code_->begin), code_->bytes);
    return is_huge(pages_) ? Status() : unavailable("this machine gives no huge pages");
  }

  Status put_in_place() const {
    if (::mprotect(target(), pages_.bytes, PROT_READ | PROT_EXEC) != 0) return unavailable(std::strerror(errno));
    // The next instruction is then read from the copy, which has the same one in the same place.
    void* const moved =
        ::mremap(target(), pages_.bytes, pages_.bytes, MREMAP_MAYMOVE | MREMAP_FIXED, reinterpret_cast<void*>(code_->begin));
    return moved == MAP_FAILED ? Status(unavailable(std::strerror(errno))) : Status();
  }

 private:
  void* target() const { return reinterpret_cast<void*>(pages_.begin); }

  std::optional<Range> code_;
  void* memory_ = MAP_FAILED;
  std::size_t mapped_ = 0;
  Range pages_;
};

CodeMove::CodeMove() : copy_(std::make_unique<Copy>()), thread_([this] { copied_ = copy_->make(); }) {}
CodeMove::~CodeMove() { wait(); }

void CodeMove::wait() {
  if (thread_.joinable()) thread_.join();
}

Status CodeMove::finish() {
  PKI_TRY_VOID(copied_);
  auto moved = copy_->put_in_place();
  copy_.reset();
  return moved;
}

}  // namespace chancery::base
