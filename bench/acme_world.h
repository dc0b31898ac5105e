#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>

namespace bench {

/// What an ACME server looks at to prove a name: a name server for which every name is 127.0.0.1, and a web server that shows
/// what the clients of this process have put there. On ports of their own choice, in a thread of their own.
class AcmeWorld {
 public:
  AcmeWorld(std::uint16_t dns_port, std::uint16_t http_port);
  ~AcmeWorld();
  AcmeWorld(const AcmeWorld&) = delete;
  AcmeWorld& operator=(const AcmeWorld&) = delete;

  /// Any thread.
  void show(const std::string& token, const std::string& content);
  void hide(const std::string& token);

 private:
  static void answer_name(evdns_server_request* request, void* self);
  static void answer_page(evhttp_request* request, void* self);
  std::string page(const std::string& path);

  std::mutex mutex_;
  std::map<std::string, std::string> shown_;  ///< path -> content
  event_base* base_ = nullptr;
  evdns_server_port* names_ = nullptr;
  evhttp* pages_ = nullptr;
  std::thread thread_;
};

}  // namespace bench
