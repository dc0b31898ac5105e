#include "clients/cli/request_options.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "clients/cli/arguments.h"
#include "server/base/approval_text.h"
#include "server/base/text.h"
#include "server/crypto/digest.h"
#include "server/crypto/key.h"
#include "server/x509/certificate.h"

namespace chancery::cli {
namespace {

struct FileType {
  std::string_view ending;
  std::string_view type;
};
constexpr std::array kTypes{FileType{".eml", "message/rfc822"},    FileType{".jpg", "image/jpeg"},
                            FileType{".json", "application/json"}, FileType{".pdf", "application/pdf"},
                            FileType{".png", "image/png"},         FileType{".txt", "text/plain"}};

std::string_view type_of(const std::filesystem::path& file) {
  const auto ending = base::to_lower_ascii(file.extension().string());
  const auto* const found = std::ranges::find(kTypes, ending, &FileType::ending);
  return found == kTypes.end() ? "application/octet-stream" : found->type;
}

}  // namespace

Status attach_files(Json& params, const std::vector<std::string>& files) {
  if (files.empty()) return {};
  const auto* given = params.find("attachments");
  auto list = given == nullptr ? Json::array() : *given;
  if (!list.is_array()) return Error(Code::InvalidParams, "--attachments: found no list, expected one");
  for (const auto& file : files) {
    auto content = read_argument_file(file);
    if (!content.ok()) return content.error().within("--attach");
    const auto name = std::filesystem::path(file).filename().string();
    list.push_back(Json::object({{"name", name}, {"type", type_of(file)}, {"data", base::to_base64(base::as_bytes(*content))}}));
  }
  params.set("attachments", std::move(list));
  return {};
}

Result<Json> sign_approval(Json params, const Json& request, const std::string& key_file) {
  const auto digest = request.text("digest");
  if (crypto::sha256_hex(base::as_bytes(request.text("content"))) != digest)
    return Error(Code::Corrupt, "the request's digest is not that of its content: nothing is signed");
  if (const auto seen = params.text("digest"); !seen.empty() && seen != digest)
    return Error(Code::Conflict, "the request's digest is " + digest + ", found " + seen + " in --digest: look at it again");
  if (params.find("certificate") == nullptr) return Error(Code::InvalidParams, "--key without --certificate, expected both");
  PKI_TRY(const auto certificate, x509::Certificate::from_pem(params.text("certificate")));
  PKI_TRY(const auto pem, read_argument_file(key_file));
  PKI_TRY(const auto key, crypto::PrivateKey::from_pem(base::as_bytes(pem), nullptr));
  if (!(key.public_key() == certificate.public_key()))
    return Error(Code::BadKey, "--key " + key_file + " is not the key of --certificate");
  PKI_TRY(const auto algorithm, crypto::algorithm_for(key.public_key().spec(), "sha256"));
  PKI_TRY(const auto signature, key.sign(algorithm, base::as_bytes(base::approval_text(digest))));
  params.set("digest", digest).set("signature", base::to_base64(signature));
  return params;
}

}  // namespace chancery::cli
