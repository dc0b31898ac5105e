#include "server/signer/token_place.h"

#include "server/wire/json.h"

namespace chancery::signer {
namespace {

using wire::Json;

constexpr std::size_t kMaxPlaceBytes = 4096;

bool agree(const std::string& one, const std::string& other) { return one.empty() || other.empty() || one == other; }

}  // namespace

std::string KeyName::text() const {
  if (id.empty()) return "label " + label;
  return label.empty() ? "id " + id : "label " + label + " and id " + id;
}

bool TokenPlace::is_in(const config::TokenConfig& described) const {
  const bool is_said = (!token.empty() && token == described.token) || (!serial.empty() && serial == described.serial);
  return is_said && agree(token, described.token) && agree(serial, described.serial) && agree(module, described.module);
}

std::string TokenPlace::token_text() const { return token.empty() ? "of serial " + serial : token; }

Result<std::optional<TokenPlace>> read_token_place(const base::Path& directory) {
  const auto file = directory / kTokenPlace;
  const auto text = base::read_file(file, kMaxPlaceBytes);
  if (!text.ok() && text.error().code() == Code::NotFound) return std::optional<TokenPlace>();
  if (!text.ok()) return text.error();
  const auto read = wire::parse_json(*text);
  TokenPlace place;
  if (read.ok())
    place = {read->text("token"), read->text("serial"), {read->text("key_label"), read->text("key_id")}, read->text("module")};
  const bool is_whole = (!place.token.empty() || !place.serial.empty()) && (!place.key.label.empty() || !place.key.id.empty());
  if (is_whole && base::from_hex(place.key.id).ok()) return std::optional(std::move(place));
  return Error(Code::BadConfig, file.string() + " does not say which key of which token, expected what the signer wrote there",
               "restore the directory from a backup");
}

Status write_token_place(const base::Path& directory, const TokenPlace& place) {
  const auto text = Json::object({{"token", place.token},
                                  {"serial", place.serial},
                                  {"key_label", place.key.label},
                                  {"key_id", place.key.id},
                                  {"module", place.module}});
  return base::replace_file(directory / kTokenPlace, base::as_bytes(wire::to_text(text) + "\n"), 0600);
}

}  // namespace chancery::signer
