#pragma once

#include <string>
#include <string_view>

/// Personal tokens: "chancery_ID.SECRET". Only a digest is kept.
namespace chancery::worker {

struct NewToken {
  std::string id;
  std::string text;
};
NewToken make_token();
/// What stands where an id should; of any text.
std::string id_of_token(std::string_view token);
/// Of the whole text, SHA-256 in hex: it has 192 random bits, so that there is nothing to guess.
std::string digest_of_token(std::string_view token);

}  // namespace chancery::worker
