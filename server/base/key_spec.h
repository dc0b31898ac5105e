#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "server/base/result.h"

namespace chancery::base {

/// A kind and size of key pair: "ec:P-256", "ec:P-384", "ec:P-521", "rsa:3072", "ed25519".
struct KeySpec {
  enum class Kind { Ec, Rsa, Ed25519 };
  Kind kind = Kind::Ec;
  int bits = 256;  ///< EC field size, RSA modulus; 256 for Ed25519

  auto operator<=>(const KeySpec&) const = default;
};

/// @errors Malformed: the message lists what is known. RSA sizes from 2048 to 8192 in steps of 8 (PROMISES B2).
Result<KeySpec> parse_key_spec(std::string_view text);
std::string to_text(const KeySpec& spec);

}  // namespace chancery::base
