#include "clients/cli/answer_files.h"

#include <algorithm>

#include "clients/cli/output.h"

namespace chancery::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrivateKey = "private_key";
constexpr std::size_t kMaxLookedAt = 1 << 20;
constexpr int kMostLinks = 40;  ///< as the kernel follows them

/// Where a name leads: the target of a symbolic link, even of one that leads to nothing yet.
fs::path target_of(fs::path path) {
  std::error_code ignored;
  for (int links = 0; links < kMostLinks && fs::is_symlink(path, ignored); ++links)
    path = path.parent_path() / fs::read_symlink(path, ignored);
  return fs::weakly_canonical(fs::absolute(path, ignored), ignored);
}

bool is_one_file(const FileNames& names) {
  std::error_code ignored;
  return target_of(names.out) == target_of(names.key_out) || fs::equivalent(names.out, names.key_out, ignored);
}

bool holds_private_key(const std::string& file) {
  const auto text = base::read_file(file, kMaxLookedAt);
  return text.ok() && text->find("PRIVATE KEY-----") != std::string::npos;
}

Result<std::optional<base::PendingFile>> begin(const char* option, const std::string& name, mode_t mode, base::IfThere if_there) {
  if (name.empty()) return std::optional<base::PendingFile>();
  auto file = base::PendingFile::begin(name, mode, if_there);
  if (!file.ok()) return file.error().within(option);
  return std::optional(std::move(file).value());
}

bool gives(const wire::Command& command, std::string_view member) {
  return std::ranges::find(command.result, member, &wire::Field::name) != command.result.end();
}

Error gives_none(const wire::Command& command, const std::string& option, const std::string& what) {
  return {Code::InvalidParams, option + ": " + std::string(command.name) + " gives no " + what + ", expected none of this option",
          "leave " + option + " out; nothing was asked of the server"};
}

Status write_key(base::PendingFile& file, const std::string& name, Json& answer) {
  const std::string key(answer.text(kPrivateKey));
  std::erase_if(*answer.as_object(), [](const auto& member) { return member.first == kPrivateKey; });
  if (key.empty()) return Error(Code::NotFound, "--key-out: the answer has no private key");
  PKI_TRY_VOID(file.finish(base::as_bytes(key)));
  answer.set("key_file", name);
  return {};
}

Status write_pem(base::PendingFile& file, const std::string& name, Json& answer, bool keep_pem) {
  const auto pem = pem_of(answer);
  if (pem.empty() && answer.text("state") == "pending")
    return Error(Code::Busy,
                 "--out: request " + answer.text("request") + " waits for people to agree, so there is no certificate yet",
                 "run the same command again once they have");
  if (pem.empty()) return Error(Code::NotFound, "--out: the answer has no certificate, CRL, chain or request");
  PKI_TRY_VOID(file.finish(base::as_bytes(pem)));
  if (!keep_pem) leave_out_pem(answer);
  answer.set("file", name);
  return {};
}

}  // namespace

Result<AnswerFiles> begin_files(const FileNames& names) {
  if (!names.out.empty() && !names.key_out.empty() && is_one_file(names)) {
    return Error(Code::InvalidParams, "--out " + names.out + " and --key-out " + names.key_out + " are one file, expected two",
                 "one would overwrite the other; nothing was done");
  }
  if (!names.out.empty() && holds_private_key(names.out)) {
    return Error(Code::Exists, "--out: " + names.out + " holds a private key, expected a file that may be replaced",
                 "keys are not overwritten: name another file, or move it away");
  }
  PKI_TRY(auto key_out, begin("--key-out", names.key_out, 0600, base::IfThere::Refuse));
  PKI_TRY(auto out, begin("--out", names.out, 0644, base::IfThere::Replace));
  return AnswerFiles{std::move(out), std::move(key_out)};
}

Status check_gives(const wire::Command& command, const Json& params, const FileNames& names) {
  const bool gives_key = gives(command, kPrivateKey) && params.boolean("return_key", true);
  if (!names.key_out.empty() && !gives_key) return gives_none(command, "--key-out", "private key");
  const bool gives_pem = std::ranges::any_of(kPemMembers, [&](std::string_view member) { return gives(command, member); });
  if (!names.out.empty() && !gives_pem) return gives_none(command, "--out", "certificate, CRL, chain or request");
  return {};
}

Status write_answer(AnswerFiles& files, const FileNames& names, Json& answer, bool keep_pem) {
  auto status = files.key_out ? write_key(*files.key_out, names.key_out, answer) : Status();
  if (files.out) {
    const auto written = write_pem(*files.out, names.out, answer, keep_pem);
    if (status.ok()) status = written;
  }
  return status;
}

}  // namespace chancery::cli
