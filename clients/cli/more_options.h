#pragma once

#include <array>
#include <string_view>

/// Options that the command line has beside the command table: what it does for its user with files at hand.
namespace chancery::cli {

struct MoreOption {
  std::string_view command;
  std::string_view name;
  std::string_view value;
  std::string_view doc;
};
inline constexpr std::string_view kAttach = "attach";
inline constexpr std::string_view kSigningKey = "key";
inline constexpr std::string_view kAttachDoc = "attach this file as evidence; give the option once for each";
inline constexpr std::array kMoreOptions{
    MoreOption{"request.approve", kSigningKey, "FILE",
               "sign the approval with this key of --certificate, PEM without a passphrase"},
    MoreOption{"request.comment", kAttach, "FILE", kAttachDoc},
    MoreOption{"request.create", kAttach, "FILE", kAttachDoc},
};

}  // namespace chancery::cli
