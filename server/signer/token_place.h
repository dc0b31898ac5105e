#pragma once

#include <compare>
#include <optional>
#include <string>

#include "server/base/file.h"
#include "server/config/keys.h"

/// Where the key of a generation is, when it is in a token.
namespace chancery::signer {

/// How a key is found in its token; one of both is enough.
struct KeyName {
  std::string label{};  ///< CKA_LABEL
  std::string id{};     ///< CKA_ID, hexadecimal

  std::string text() const;  ///< for people
  auto operator<=>(const KeyName&) const = default;
};

/// ca.token in the generation's directory, where others have ca.key. It is written before the key is made, so that one that was
/// made and not used is found again; it says where the key is, and the journal which one it has to be.
struct TokenPlace {
  std::string token{};   ///< label of the token
  std::string serial{};  ///< or its serial number
  KeyName key{};
  std::string module{};  ///< path of what reaches it; empty: not known

  /// Whether a description of a token is of this one. Either may say more of it than the other.
  bool is_in(const config::TokenConfig& described) const;
  std::string token_text() const;  ///< for people
  bool operator==(const TokenPlace&) const = default;
};

inline constexpr const char* kTokenPlace = "ca.token";

/// @return none: no such file, so the key is in another one. @errors BadConfig: it is none of ours; Denied, Io.
Result<std::optional<TokenPlace>> read_token_place(const base::Path& directory);
/// @errors Io.
Status write_token_place(const base::Path& directory, const TokenPlace& place);

}  // namespace chancery::signer
