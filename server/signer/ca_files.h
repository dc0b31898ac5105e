#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/config/realm_config.h"
#include "server/crypto/key.h"
#include "server/realm/authority.h"
#include "server/signer/records.h"

/// The files of a realm's CA: its key, its passphrase, its certificate. What is wrong with them is said in words that an operator
/// can act on (PROMISES F12).
namespace chancery::signer {

inline constexpr std::size_t kMaxChainBytes = 262144;
inline constexpr std::size_t kMaxKeyBytes = 65536;

/// The first line of a file of mode 0600. @errors BadConfig: it is empty; NotFound; Denied; Io.
Result<SecretBytes> read_passphrase_file(const base::Path& path);

/// Where systemd puts a credential (systemd.exec(5), LoadCredential=). @errors BadConfig: it gave none.
Result<base::Path> credential_file(const std::string& name);

/// Whether people open the keys in files: where the first CA's is in a token, what they give is that one's PIN.
bool people_open_files(const config::RealmConfig& realm);

/// The CA key's passphrase, from the file or the systemd credential that the realm names; none for an unencrypted key.
Result<std::optional<SecretBytes>> read_passphrase(const config::RealmConfig& realm);

/// @param passphrase  null: the key is unencrypted
/// @errors AuthFailed: wrong passphrase; BadConfig: unencrypted without being asked for, or the reverse; NotFound; Denied;
/// BadKey; Io.
Result<crypto::PrivateKey> open_ca_key(const base::Path& file, const SecretBytes* passphrase);
/// The same with the realm's passphrase. @errors also Unavailable: people have it.
Result<crypto::PrivateKey> read_ca_key(const config::RealmConfig& realm);
/// Writes it, encrypted where there is a passphrase. @errors Io.
Status write_ca_key(const config::RealmConfig& realm, const crypto::PrivateKey& key,
                    const std::optional<SecretBytes>& passphrase);

/// Where a CA under an outside root keeps its request until the certificate comes.
base::Path request_file(const config::RealmConfig& realm);

/// A chain that fits the key: the CA's certificate, which is a CA's, signs certificates and CRLs and is valid now, then those
/// above it. @errors Malformed, BadConfig.
Result<realm::Authority> accept_chain(std::string_view chain_pem, const config::RealmConfig& realm, const crypto::PublicKey& key,
                                      Seconds now);

/// The same, whichever key it is for. @errors Malformed, BadConfig.
Result<realm::Authority> parse_chain(std::string_view chain_pem, const config::RealmConfig& realm, Seconds now);
/// The text of ca.crt; none while the CA waits for it. @errors NotFound: there is no request either; Io, TooLarge.
Result<std::optional<std::string>> read_chain(const config::RealmConfig& realm);

/// ca.crt, or null while the CA waits for it. @errors as accept_chain; NotFound: there is no request either.
Result<std::shared_ptr<const realm::Authority>> read_authority(const config::RealmConfig& realm, const crypto::PublicKey& key,
                                                               Seconds now);
/// Writes ca.crt. @errors Io.
Status write_chain(const config::RealmConfig& realm, const realm::Authority& authority);

/// Whose journal the realm's must be.
Genesis journal_owner(const config::RealmConfig& realm, const crypto::PublicKey& key, Seconds now);

}  // namespace chancery::signer
