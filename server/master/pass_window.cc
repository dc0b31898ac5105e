#include "server/master/pass_window.h"

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

#include "server/base/log.h"
#include "server/base/realm_passes.h"

namespace chancery::master {

Result<PassWindow::Pair> PassWindow::open() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return base::io_error("socketpair", errno);
  return Pair{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

PassWindow::PassWindow(Loop& loop, base::UniqueFd socket, pid_t worker, std::shared_ptr<const config::Snapshot> snapshot,
                       PassBooks& books)
    : socket_(std::move(socket)),
      worker_(worker),
      snapshot_(std::move(snapshot)),
      books_(books),
      watch_(loop.readable(socket_.get(), [this] { answer(); })) {}

void PassWindow::answer() {
  const auto given = give();
  if (!given.ok() && given.error().code() != Code::Closed)
    base::log_warning("worker process " + std::to_string(worker_) + " gets no passes: " + given.error().message());
  watch_.reset();
  socket_.reset();
  snapshot_.reset();
}

Status PassWindow::give() {
  PKI_TRY(const auto place, base::read_pass_request(socket_.get()));
  const auto& realms = snapshot_->realms;
  if (place >= realms.size()) {
    return Error(Code::Malformed,
                 "found realm " + std::to_string(place) + ", expected one below " + std::to_string(realms.size()));
  }
  const auto& realm = realms[place]->name;
  PKI_TRY(const auto signers, books_.signers.make(realm));
  return base::give_passes(socket_.get(), signers, books_.keymaker.find(realm));
}

}  // namespace chancery::master
