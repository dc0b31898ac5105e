#include "clients/ra/data_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "clients/zmq/curve_key.h"
#include "server/base/text.h"
#include "server/crypto/key.h"

namespace chancery::ra {
namespace {

constexpr std::size_t kMaxCertificate = 256 * 1024;
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kSecretMode = 0600;
constexpr mode_t kPublicMode = 0644;

bool is_there(const base::Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Error unusable(const base::Path& file, const std::string& why) {
  return {Code::Conflict, file.string() + " " + why,
          "move ra.crt and ra.key away and start with UPKI_CA_SEED: the RA is registered anew"};
}

/// Who writes there could put a key and a CA of his own in their places.
Status check_directory(const base::Path& path) {
  constexpr mode_t kOthersWrite = 022;
  constexpr mode_t kPermissions = 07777;
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return errno == ENOENT ? Status() : base::io_error("look at " + path.string(), errno);
  if (!S_ISDIR(found.st_mode))
    return Error(Code::Conflict, path.string() + " is no directory, expected the RA's", "move it away");
  if (found.st_uid != 0 && found.st_uid != ::geteuid())
    return Error(Code::Denied,
                 path.string() + " belongs to uid " + std::to_string(found.st_uid) + ", expected " + std::to_string(::geteuid()) +
                     ", whom this runs as, or root",
                 "chown it, or run this as its owner");
  if ((found.st_mode & kOthersWrite) == 0) return {};
  return Error(
      Code::Denied,
      path.string() + " has mode " + base::octal(found.st_mode & kPermissions) + ", expected that nobody else writes there",
      "chmod go-w " + path.string());
}

Result<std::string> text_of(const Json& data, std::string_view member) {
  auto text = data.text(member);
  if (!text.empty()) return text;
  return Error(Code::Malformed, "no " + std::string(member));
}

}  // namespace

Result<Registered> Registered::read(const Json& data) {
  PKI_TRY(const auto certificate_pem, text_of(data, "certificate"));
  PKI_TRY(const auto key_pem, text_of(data, "private_key"));
  PKI_TRY(auto ca_pem, text_of(data, "ca_certificate"));
  PKI_TRY(auto certificate, x509::Certificate::from_pem(certificate_pem));
  PKI_TRY(const auto ca, x509::Certificate::from_pem_chain(ca_pem));
  PKI_TRY(const auto key, crypto::PrivateKey::from_pem(base::as_bytes(key_pem), nullptr));
  if (!(key.public_key() == certificate.public_key())) return Error(Code::BadKey, "another key than the certificate's");
  if (const auto issued = certificate.verify_signed_by(ca.front()); !issued.ok())
    return Error(Code::BadKey, "a certificate that is not its own: " + issued.error().message());
  return Registered{std::move(certificate), key.to_pem(), std::move(ca_pem)};
}

Result<std::string> DataDirectory::prepare() const {
  PKI_TRY_VOID(check(false));
  PKI_TRY_VOID(base::make_directories(path_, kDirectoryMode));
  if (!is_there(curve_key_file())) {
    PKI_TRY(const auto made, zmq_gateway::make_key_pair());
    PKI_TRY_VOID(zmq_gateway::write_key_file(curve_key_file(), made));
  }
  PKI_TRY(const auto keys, zmq_gateway::read_key_file(curve_key_file()));
  return keys.public_key;
}

Status DataDirectory::check(bool needs_key) const {
  PKI_TRY_VOID(check_directory(path_));
  if (is_there(curve_key_file())) {
    const auto keys = zmq_gateway::read_key_file(curve_key_file());
    return keys.ok() ? Status() : Status(keys.error());
  }
  if (!needs_key) return {};
  return Error(Code::NotFound,
               "found no ra.curve in " + path_.string() + ", expected the RA's CURVE key, which the CA knows it by",
               "is that the RA's directory? chancery upki ra init --dir " + path_.string() + " makes a new key");
}

Status DataDirectory::check_issued_here(const x509::Certificate& certificate) const {
  const auto pem = base::read_file(ca_file(), kMaxCertificate);
  if (!pem.ok()) return unusable(ca_file(), "cannot be read: " + pem.error().message());
  const auto ca = x509::Certificate::from_pem_chain(*pem);
  if (!ca.ok()) return unusable(ca_file(), "is no certificate: " + ca.error().message());
  if (certificate.verify_signed_by(ca->front()).ok()) return {};
  return unusable(certificate_file(), "is not of the CA in " + ca_file().string());
}

Status DataDirectory::replace_certificate(const x509::Certificate& certificate) const {
  return base::replace_file(certificate_file(), base::as_bytes(certificate.pem()), kPublicMode);
}

Result<std::optional<x509::Certificate>> DataDirectory::certificate(const base::Clock& clock) const {
  if (!is_there(certificate_file())) return std::optional<x509::Certificate>();
  if (!is_there(key_file())) return unusable(certificate_file(), "has no ra.key beside it");
  PKI_TRY(const auto pem, base::read_file(certificate_file(), kMaxCertificate));
  PKI_TRY(const auto key_pem, base::read_secret_file(key_file(), crypto::kMaxKeyPemBytes));
  auto chain = x509::Certificate::from_pem_chain(pem);
  if (!chain.ok()) return unusable(certificate_file(), "is no certificate: " + chain.error().message());
  const auto key = crypto::PrivateKey::from_pem(key_pem.view(), nullptr);
  if (!key.ok()) return unusable(key_file(), "is no key: " + key.error().message());
  auto& certificate = chain->front();
  if (!(key->public_key() == certificate.public_key())) return unusable(key_file(), "is not the key of ra.crt");
  const auto now = clock.now();
  if (now >= certificate.not_after())
    return unusable(certificate_file(), "has expired, at " + base::to_rfc3339(certificate.not_after()));
  if (now < certificate.not_before())
    return unusable(certificate_file(), "is not valid before " + base::to_rfc3339(certificate.not_before()));
  PKI_TRY_VOID(check_issued_here(certificate));
  return std::optional(std::move(certificate));
}

Status DataDirectory::begin(const Json& config) const {
  PKI_TRY_VOID(base::make_directories(path_, kDirectoryMode));
  for (const auto& file : {certificate_file(), key_file(), ca_file(), config_file()}) {
    std::error_code ignored;
    if (!is_there(file) || std::filesystem::is_regular_file(file, ignored)) continue;
    return Error(Code::Conflict, "found " + file.string() + ", which is no file, expected one or nothing", "move it away");
  }
  return base::replace_file(config_file(), base::as_bytes(wire::to_pretty_text(config) + "\n"), kPublicMode);
}

Status DataDirectory::store(const Registered& registered) const {
  PKI_TRY_VOID(base::replace_file(ca_file(), base::as_bytes(registered.ca_pem), kPublicMode));
  PKI_TRY_VOID(base::replace_file(key_file(), registered.key_pem.view(), kSecretMode));
  return replace_certificate(registered.certificate);
}

}  // namespace chancery::ra
