#include "server/worker/request_files.h"

#include <algorithm>
#include <array>

#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/x509/name.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kMaxFileName = 128;
constexpr std::size_t kMaxFileType = 64;
constexpr std::string_view kDefaultType = "application/octet-stream";

Error bad(std::size_t index, const std::string& what) {
  return {Code::InvalidParams, "attachment " + std::to_string(index) + ": " + what};
}

/// A name for people, never part of a path; still, whoever saves the file gets one that stays where it is put.
Status check_file_name(std::size_t index, const std::string& name) {
  const auto shown = "found the name \"" + base::printable(name, 64) + "\", expected ";
  if (name.empty() || name.size() > kMaxFileName) return bad(index, shown + "1 to " + std::to_string(kMaxFileName) + " octets");
  if (!x509::check_text(name).ok()) return bad(index, shown + "text without control characters");
  if (name.starts_with('.') || name.find_first_of("/\\") != std::string::npos) return bad(index, shown + "a file's name alone");
  return {};
}

/// type/subtype (RFC 6838 4.2).
Status check_file_type(std::size_t index, const std::string& type) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+";
  const auto slash = type.find('/');
  const auto is_word = [&](std::string_view word) {
    return !word.empty() && word.find_first_not_of(kAllowed) == std::string_view::npos;
  };
  const bool good = slash != std::string::npos && type.size() <= kMaxFileType &&
                    is_word(std::string_view(type).substr(0, slash)) && is_word(std::string_view(type).substr(slash + 1));
  if (good) return {};
  return bad(index, "found the type \"" + base::printable(type, 64) + "\", expected one like application/pdf");
}

Status check_members(std::size_t index, const Json& one) {
  constexpr std::array<std::string_view, 3> kMembers{"name", "type", "data"};
  for (const auto& [name, value] : *one.as_object()) {
    if (std::ranges::find(kMembers, name) == kMembers.end() || !value.is_string())
      return bad(index, "found " + base::printable(name, 64) + " as " + std::string(value.kind()) +
                            ", expected the texts name, type and data");
  }
  return {};
}

Result<store::RequestFile> file_from(const config::RequestsConfig& limits, std::size_t index, const Json& one) {
  PKI_TRY_VOID(check_members(index, one));
  store::RequestFile file{
      .number = static_cast<std::int64_t>(index), .name = one.text("name"), .type = one.text("type", kDefaultType), .sha256 = {}};
  PKI_TRY_VOID(check_file_name(index, file.name));
  PKI_TRY_VOID(check_file_type(index, file.type));
  auto octets = base::from_base64(one.text("data"));
  if (!octets.ok()) return bad(index, "data is no base64: " + octets.error().message());
  if (octets->empty()) return bad(index, "found no data, expected some");
  const auto most = static_cast<std::size_t>(limits.attachment_octets);
  if (octets->size() > most)
    return Error(Code::TooLarge, "attachment " + std::to_string(index) + ": " + std::to_string(octets->size()) +
                                     " octets, expected at most " + std::to_string(most));
  file.size = static_cast<std::int64_t>(octets->size());
  file.sha256 = crypto::sha256_hex(*octets);
  file.octets = std::move(*octets);
  return file;
}

}  // namespace

Result<std::vector<store::RequestFile>> files_from(const Session& session, const Json* value,
                                                   const std::vector<store::RequestFile>& before) {
  std::vector<store::RequestFile> files;
  if (value == nullptr) return files;
  const auto& limits = session.realm().requests;
  const auto all = before.size() + value->as_array()->size();
  if (all > static_cast<std::size_t>(limits.attachments))
    return Error(Code::TooLarge,
                 std::to_string(all) + " attachments, expected at most " + std::to_string(limits.attachments) + " in all",
                 "requests: attachments of ca.config.yml says how many");
  for (const auto& one : *value->as_array()) {
    PKI_TRY(auto file, file_from(limits, before.size() + files.size(), one));
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace chancery::worker
