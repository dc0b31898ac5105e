// bench-acme: how many certificates a second an ACME server issues, each from new-order to the download, its name proved by
// http-01. The servers that are compared get the same client; it is their world, too: name server and web server.

#include <CLI/CLI.hpp>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include "bench/acme_client.h"

namespace {

using bench::AcmeClient;
using bench::AcmeServer;
using bench::AcmeWorld;
using chancery::Json;
using Clock = std::chrono::steady_clock;

struct Plan {
  AcmeServer server;
  std::uint16_t dns_port = 0;
  std::uint16_t http_port = 0;
  int accounts = 1;
  int orders = 100;
  double seconds = 10;
};

/// What all accounts did together.
class Tally {
 public:
  void done(double milliseconds) {
    const std::scoped_lock lock(mutex_);
    times_.push_back(milliseconds);
  }
  void failed(const std::string& why) {
    const std::scoped_lock lock(mutex_);
    if (errors_++ == 0) std::fprintf(stderr, "bench-acme: %s\n", why.c_str());
  }
  Json report(double seconds) {
    std::ranges::sort(times_);
    const auto part = [&](std::size_t percent) { return times_.empty() ? 0.0 : times_[(times_.size() - 1) * percent / 100]; };
    return Json::object({{"orders", times_.size()},
                         {"errors", errors_},
                         {"rate", static_cast<double>(times_.size()) / seconds},
                         {"p50_ms", part(50)},
                         {"p99_ms", part(99)}});
  }

 private:
  std::mutex mutex_;
  std::vector<double> times_;
  int errors_ = 0;
};

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// Accounts take orders from one counter until there are enough or the time is over. An account that fails once ends.
class Run {
 public:
  Run(const Plan& plan, AcmeWorld& world) : plan_(plan), world_(world), start_(plan.accounts + 1) {}

  Json operator()() {
    std::vector<std::jthread> accounts;
    for (int i = 0; i < plan_.accounts; ++i) accounts.emplace_back([this] { run(); });
    start_.arrive_and_wait();
    begin_ = Clock::now();
    start_.arrive_and_wait();
    accounts.clear();
    return tally_.report(milliseconds_since(begin_) / 1000);
  }

 private:
  void run() {
    std::unique_ptr<AcmeClient> client;
    try {
      client = std::make_unique<AcmeClient>(plan_.server, world_);
    } catch (const std::exception& failure) {
      tally_.failed(failure.what());
    }
    start_.arrive_and_wait();
    start_.arrive_and_wait();
    while (client && milliseconds_since(begin_) < plan_.seconds * 1000) {
      const int number = next_++;
      if (number >= plan_.orders || !obtain(*client, "host-" + std::to_string(number) + ".bench.example")) return;
    }
  }

  bool obtain(AcmeClient& client, const std::string& name) {
    const auto begin = Clock::now();
    try {
      client.obtain(name);
      tally_.done(milliseconds_since(begin));
      return true;
    } catch (const std::exception& failure) {
      tally_.failed(name + ": " + failure.what());
      return false;
    }
  }

  const Plan& plan_;
  AcmeWorld& world_;
  std::barrier<> start_;
  Clock::time_point begin_;
  std::atomic<int> next_{0};
  Tally tally_;
};

int run(int argc, char** argv) {
  Plan plan;
  CLI::App app("Issues certificates by ACME and prints how many a second, as JSON", "bench-acme");
  app.add_option("--directory", plan.server.directory, "URL of the server's directory")->required();
  app.add_option("--ca", plan.server.ca_file, "PEM file of what its HTTPS is checked against")->required();
  app.add_option("--dns-port", plan.dns_port, "where every name is 127.0.0.1: the server's resolver")->required();
  app.add_option("--http-port", plan.http_port, "where the server looks for http-01")->required();
  app.add_option("--accounts", plan.accounts, "at once, each on a connection of its own");
  app.add_option("--orders", plan.orders, "of all accounts together at most");
  app.add_option("--seconds", plan.seconds, "after which no order is begun");
  CLI11_PARSE(app, argc, argv);
  AcmeWorld world(plan.dns_port, plan.http_port);
  std::printf("%s\n", chancery::wire::to_text(Run(plan, world)()).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench-acme: %s\n", failure.what());
    return 1;
  }
}
