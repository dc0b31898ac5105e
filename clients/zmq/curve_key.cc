#include "clients/zmq/curve_key.h"

#include <zmq.h>

#include <array>
#include <cstdint>
#include <cstdio>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/text.h"
#include "server/base/z85.h"
#include "server/wire/json.h"

namespace chancery::zmq_gateway {
namespace {

using KeyText = std::array<char, kKeyCharacters + 1>;

Error no_curve() { return {Code::Unsupported, "this libzmq has no CURVE", "install one that was built with libsodium"}; }

Result<std::string> public_key_of(const std::string& secret) {
  KeyText text{};
  if (::zmq_curve_public(text.data(), secret.c_str()) != 0) return no_curve();
  return std::string(text.data());
}

}  // namespace

Result<KeyPair> make_key_pair() {
  KeyText mine{};
  KeyText secret{};
  if (::zmq_curve_keypair(mine.data(), secret.data()) != 0) return no_curve();
  return KeyPair{mine.data(), SecretBytes{std::string_view(secret.data())}};
}

Result<KeyPair> read_key_file(const base::Path& file) {
  constexpr std::size_t kMost = 256;
  PKI_TRY(const auto content, base::read_secret_file(file, kMost));
  const std::string secret(base::trim(base::as_text(content.view())));
  if (!base::is_curve_key(secret)) {
    return Error(Code::Malformed, file.string() + " has no secret CURVE key, expected its 40 characters of Z85 and nothing else",
                 "chancery zmq-key --out FILE makes one");
  }
  PKI_TRY(auto mine, public_key_of(secret));
  return KeyPair{std::move(mine), SecretBytes{std::string_view(secret)}};
}

Status write_key_file(const base::Path& file, const KeyPair& keys) {
  constexpr mode_t kMode = 0600;
  PKI_TRY(auto pending, base::PendingFile::begin(file, kMode, base::IfThere::Refuse));
  return pending.finish(keys.secret_key.view());
}

int run_key_command(const std::string& out_file) {
  const auto complain = [](const Error& why) {
    std::fprintf(stderr, "chancery-zmq: %s\n", base::to_line(why).c_str());
    return base::describe(why.code()).exit_status;
  };
  const auto keys = make_key_pair();
  if (!keys.ok()) return complain(keys.error());
  auto out = Json::object({{"public_key", keys->public_key}});
  if (out_file.empty()) {
    out.set("secret_key", base::as_text(keys->secret_key.view()));
  } else {
    if (const auto written = write_key_file(out_file, *keys); !written.ok()) return complain(written.error());
    out.set("key_file", out_file);
  }
  std::puts(wire::to_text(out).c_str());
  return base::to_int(base::Exit::Ok);
}

}  // namespace chancery::zmq_gateway
