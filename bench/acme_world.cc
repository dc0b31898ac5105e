#include "bench/acme_world.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/dns_struct.h>
#include <event2/thread.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <span>
#include <stdexcept>

namespace bench {
namespace {

constexpr int kTtl = 60;
constexpr const char* kLoopback = "127.0.0.1";

int bound_udp(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, kLoopback, &address.sin_addr);
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0 || ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    throw std::runtime_error("no name server on port " + std::to_string(port));
  return socket;
}

}  // namespace

AcmeWorld::AcmeWorld(std::uint16_t dns_port, std::uint16_t http_port) {
  evthread_use_pthreads();
  base_ = event_base_new();
  names_ = evdns_add_server_port_with_base(base_, bound_udp(dns_port), 0, answer_name, this);
  pages_ = evhttp_new(base_);
  evhttp_set_gencb(pages_, answer_page, this);
  if (evhttp_bind_socket(pages_, kLoopback, http_port) != 0)
    throw std::runtime_error("no web server on port " + std::to_string(http_port));
  thread_ = std::thread([this] { event_base_dispatch(base_); });
}

AcmeWorld::~AcmeWorld() {
  event_base_loopbreak(base_);
  thread_.join();
  evhttp_free(pages_);
  evdns_close_server_port(names_);
  event_base_free(base_);
}

void AcmeWorld::show(const std::string& token, const std::string& content) {
  const std::scoped_lock lock(mutex_);
  shown_["/.well-known/acme-challenge/" + token] = content;
}

void AcmeWorld::hide(const std::string& token) {
  const std::scoped_lock lock(mutex_);
  shown_.erase("/.well-known/acme-challenge/" + token);
}

std::string AcmeWorld::page(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  const auto found = shown_.find(path);
  return found == shown_.end() ? std::string() : found->second;
}

void AcmeWorld::answer_name(evdns_server_request* request, void* /*self*/) {
  for (const auto* question : std::span(request->questions, static_cast<std::size_t>(request->nquestions))) {
    if (question->type != EVDNS_TYPE_A) continue;  // of every other kind there are none
    const auto address = ::inet_addr(kLoopback);
    evdns_server_request_add_a_reply(request, question->name, 1, &address, kTtl);
  }
  evdns_server_request_respond(request, 0);
}

void AcmeWorld::answer_page(evhttp_request* request, void* self) {
  const auto content = static_cast<AcmeWorld*>(self)->page(evhttp_request_get_uri(request));
  evbuffer_add(evhttp_request_get_output_buffer(request), content.data(), content.size());
  evhttp_send_reply(request, content.empty() ? HTTP_NOTFOUND : HTTP_OK, nullptr, nullptr);
}

}  // namespace bench
