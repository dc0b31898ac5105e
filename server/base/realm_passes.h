#pragma once

#include <chrono>
#include <cstdint>

#include "server/base/bytes.h"

/// Passes: what a worker must show the processes of a realm, a random text for each realm and kind of process, made by the
/// master. Whoever takes over a worker cannot speak to another realm's signer, although all workers are one Unix user (DESIGN 1):
/// no child of the master has any pass when it is forked. A worker asks for those of its realm when session.open binds it, once,
/// on a socket that it was forked with (SOCK_SEQPACKET, one message each way); server/master/pass_window.h is the other side.
namespace chancery::base {

inline constexpr std::size_t kPassOctets = 64;  ///< lower-case hexadecimal, without a line's end

/// Those of one realm.
struct RealmPasses {
  SecretBytes signer;
  SecretBytes keymaker;  ///< empty: there is none to show it to
};

/// The worker's question. Does not wait. @param realm  its place in the configuration that the worker was forked with
/// @errors Unavailable: nobody listens, or somebody asked before.
Status ask_for_passes(int socket, std::uint32_t realm);
/// The master's ear. Does not wait; descriptors that come along are closed. @return the place, which may be none
/// @errors Closed: the worker is gone; Malformed: no question; Io: nothing is there.
Result<std::uint32_t> read_pass_request(int socket);

/// The master's answer, out of its own memory. Does not wait. @param keymaker  empty: none. @errors Io.
Status give_passes(int socket, ByteView signer, ByteView keymaker);
/// What the worker was given. @errors Timeout: not yet; Unavailable: the master refused, or is gone; Malformed; Io.
Result<RealmPasses> read_passes(int socket, std::chrono::milliseconds limit);

}  // namespace chancery::base
