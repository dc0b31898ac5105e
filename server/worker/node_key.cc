#include "server/worker/node_key.h"

#include "server/base/file.h"
#include "server/crypto/file_name.h"

namespace chancery::worker {

std::string node_directory_name(const std::string& cn) { return crypto::file_name_of(cn); }

Status store_node_key(const config::RealmConfig& realm, const std::string& cn, const SecretBytes& key_pem,
                      const std::string& certificate_pem) {
  const auto directory = realm.node_directory() / node_directory_name(cn);
  PKI_TRY_VOID(base::make_directories(directory, 0700));
  PKI_TRY_VOID(base::replace_file(directory / "key.pem", key_pem.view(), 0600));
  return base::replace_file(directory / "cert.pem", base::as_bytes(certificate_pem), 0644);
}

bool has_node_key(const config::RealmConfig& realm, const std::string& cn) {
  std::error_code failure;
  return std::filesystem::exists(realm.node_directory() / node_directory_name(cn) / "key.pem", failure);
}

Status delete_node_key(const config::RealmConfig& realm, const std::string& cn) {
  std::error_code failure;
  std::filesystem::remove(realm.node_directory() / node_directory_name(cn) / "key.pem", failure);
  return failure ? Status(Error(Code::Io, "delete the node's key: " + failure.message())) : Status();
}

}  // namespace chancery::worker
