#include "server/base/realm_passes.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <string>

#include "server/base/fd.h"

namespace chancery::base {
namespace {

constexpr int kAtOnce = MSG_DONTWAIT | MSG_NOSIGNAL;

Error found_octets(ssize_t count, std::string_view expected) {
  return {Code::Malformed, "found " + std::to_string(count) + " octets, expected " + std::string(expected)};
}

iovec part_of(ByteView octets) {
  return {const_cast<std::uint8_t*>(octets.data()), octets.size()};  // sendmsg only reads it
}

}  // namespace

Status ask_for_passes(int socket, std::uint32_t realm) {
  if (::send(socket, &realm, sizeof(realm), kAtOnce) == sizeof(realm)) return {};
  return Error(Code::Unavailable, io_error("the master takes no question for this realm's passes", errno).message());
}

Result<std::uint32_t> read_pass_request(int socket) {
  std::uint32_t realm = 0;
  const auto got = ::recv(socket, &realm, sizeof(realm), MSG_DONTWAIT | MSG_TRUNC);  // the length that was sent
  if (got < 0) return io_error("read a question for passes", errno);
  if (got == 0) return Error(Code::Closed, "the worker asked for no passes");
  if (got != sizeof(realm)) return found_octets(got, "a realm's place, " + std::to_string(sizeof(realm)));
  return realm;
}

Status give_passes(int socket, ByteView signer, ByteView keymaker) {
  PKI_CHECK(signer.size() == kPassOctets && (keymaker.empty() || keymaker.size() == kPassOctets));
  std::array<iovec, 2> parts{part_of(signer), part_of(keymaker)};
  const msghdr message{.msg_iov = parts.data(), .msg_iovlen = parts.size()};
  if (::sendmsg(socket, &message, kAtOnce) >= 0) return {};
  return io_error("give passes", errno);
}

Result<RealmPasses> read_passes(int socket, std::chrono::milliseconds limit) {
  if (const auto here = wait_readable(socket, limit); !here.ok())
    return here.error().within("the master's answer about this realm's passes");
  Bytes room(2 * kPassOctets);
  const auto got = ::recv(socket, room.data(), room.size(), MSG_DONTWAIT | MSG_TRUNC);
  const SecretBytes answer(std::move(room));  // wiped, whatever came
  if (got == 0 || (got < 0 && errno == ECONNRESET)) return Error(Code::Unavailable, "the master gave no passes for this realm");
  if (got < 0) return io_error("read passes", errno);
  const auto count = static_cast<std::size_t>(got);
  if (count != kPassOctets && count != 2 * kPassOctets) return found_octets(got, "one pass or two");
  const auto text = as_text(answer.view()).substr(0, count);
  return RealmPasses{SecretBytes(text.substr(0, kPassOctets)), SecretBytes(text.substr(kPassOctets))};
}

}  // namespace chancery::base
