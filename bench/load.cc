// bench-load: what bench/run measures with. Each task runs for a number of seconds and prints how many times a second it was
// done. The servers that are compared get the same client.

#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/load.h"
#include "server/base/fd.h"
#include "server/wire/json.h"

namespace {

using bench::Worker;
using chancery::Json;
using chancery::base::UniqueFd;
using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

// ----- a client of either server

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
  return address;
}

class Connection {
 public:
  explicit Connection(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = address_of(path);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) fail("connect " + path);
  }

  /// One line there, one line back.
  std::string call(const std::string& line) {
    for (std::size_t sent = 0; sent < line.size();) {
      const auto count = ::send(socket_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) fail("send");
      sent += static_cast<std::size_t>(count);
    }
    std::string reply;
    std::array<char, 16384> piece{};
    while (reply.empty() || reply.back() != '\n') {
      const auto count = ::recv(socket_.get(), piece.data(), piece.size(), 0);
      if (count <= 0) fail("the server hung up");
      reply.append(piece.data(), static_cast<std::size_t>(count));
    }
    return reply;
  }

 private:
  UniqueFd socket_;
};

std::string request(const std::string& method, Json params) {
  return chancery::wire::to_text(
             Json::object({{"jsonrpc", "2.0"}, {"id", std::int64_t{1}}, {"method", method}, {"params", std::move(params)}})) +
         "\n";
}

void expect_result(const std::string& reply) {
  if (reply.find("\"result\"") == std::string::npos) throw std::runtime_error("no result: " + reply);
}

// ----- work for a number of seconds by a number of processes; they share nothing, like clients

struct Share {
  std::uint64_t count = 0;
  double seconds = 0;
};

[[noreturn]] void run_share(const Worker& worker, double seconds, int start, int result) {
  try {
    const auto step = worker();
    char ready = 'r';
    if (::write(result, &ready, 1) != 1 || ::read(start, &ready, 1) != 0) ::_exit(1);
    Share share;
    const auto begin = Clock::now();
    do {
      step();
      ++share.count;
      share.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    } while (share.seconds < seconds);
    ::_exit(::write(result, &share, sizeof(share)) == sizeof(share) ? 0 : 1);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench-load: %s\n", failure.what());
    ::_exit(1);
  }
}

double rate_of(const Worker& worker, double seconds, int processes) {
  std::array<int, 2> start{};
  if (::pipe(start.data()) != 0) fail("pipe");
  std::vector<UniqueFd> results;
  for (int i = 0; i < processes; ++i) {
    std::array<int, 2> result{};
    if (::pipe(result.data()) != 0) fail("pipe");
    const pid_t pid = ::fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
      ::close(start[1]);
      run_share(worker, seconds, start[0], result[1]);
    }
    ::close(result[1]);
    results.emplace_back(result[0]);
  }
  char ready = 0;
  for (const auto& one : results) {
    if (::read(one.get(), &ready, 1) != 1) throw std::runtime_error("a client could not start");
  }
  ::close(start[1]);  // the starting shot
  double rate = 0;
  for (const auto& one : results) {
    Share share;
    if (::read(one.get(), &share, sizeof(share)) != sizeof(share)) throw std::runtime_error("a client failed");
    rate += static_cast<double>(share.count) / share.seconds;
  }
  while (::wait(nullptr) > 0) {
  }
  return rate;
}

// ----- tasks

/// How long one of a hundred takes at least, in ms, of one client's one after another.
double p99_of(const Worker& worker, double seconds) {
  const auto step = worker();
  std::vector<double> times;
  const auto begin = Clock::now();
  for (auto last = begin; std::chrono::duration<double>(last - begin).count() < seconds;) {
    step();
    const auto now = Clock::now();
    times.push_back(std::chrono::duration<double, std::milli>(now - last).count());
    last = now;
  }
  std::ranges::sort(times);
  return times[(times.size() - 1) * 99 / 100];
}

/// Two exchanges on a connection of their own.
Worker visits(const std::string& socket) {
  const auto open = request("session.open", Json::object({{"realm", "default"}}));
  const auto ping = request("server.ping", Json::object());
  return [=] {
    return [=] {
      Connection connection(socket);
      expect_result(connection.call(open));
      expect_result(connection.call(ping));
    };
  };
}

/// A connection of its own for each request: what the echo server does too.
Worker connections(const std::string& socket) {
  const auto ping = request("server.ping", Json::object());
  return [=] {
    return [=] {
      Connection connection(socket);
      expect_result(connection.call(ping));
    };
  };
}

Worker issuances(const std::string& socket, const std::string& csr_file) {
  const auto open = request("session.open", Json::object({{"realm", "default"}}));
  const auto issue = request("certificate.issue", Json::object({{"profile", "server"}, {"csr", bench::content_of(csr_file)}}));
  return [=] {
    auto connection = std::make_shared<Connection>(socket);
    expect_result(connection->call(open));
    return [=] { expect_result(connection->call(issue)); };
  };
}

void run_sql(sqlite3* database, const char* sql) {
  char* message = nullptr;
  if (sqlite3_exec(database, sql, nullptr, nullptr, &message) != SQLITE_OK) throw std::runtime_error(message);
}

sqlite3* open_database(const std::string& file) {
  sqlite3* database = nullptr;
  if (sqlite3_open(file.c_str(), &database) != SQLITE_OK) throw std::runtime_error("cannot open " + file);
  sqlite3_busy_timeout(database, 60'000);
  run_sql(database, "PRAGMA synchronous=FULL");
  return database;
}

/// One row, one durable commit, as plainly as SQLite can: WAL, synchronous=FULL, a prepared statement.
Worker commits(const std::string& file) {
  // Before the clients come: several that change the journal at once do not wait for each other.
  sqlite3* maker = open_database(file);
  run_sql(maker, "PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
  sqlite3_close(maker);
  return [=] {
    sqlite3* database = open_database(file);
    sqlite3_stmt* insert = nullptr;
    if (sqlite3_prepare_v2(database, "INSERT INTO t VALUES (randomblob(16), randomblob(1000))", -1, &insert, nullptr) !=
        SQLITE_OK) {
      throw std::runtime_error(sqlite3_errmsg(database));
    }
    return [=] {
      if (sqlite3_step(insert) != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(database));
      sqlite3_reset(insert);
    };
  };
}

/// Accepts, forks, echoes lines: what a server that forks for each connection cannot fall below.
[[noreturn]] void serve_echo(const std::string& socket) {
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
  const auto address = address_of(socket);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) fail("bind " + socket);
  if (::listen(listener.get(), 512) != 0) fail("listen");
  ::signal(SIGCHLD, SIG_IGN);
  for (;;) {
    const int client = ::accept(listener.get(), nullptr, nullptr);
    if (client < 0) fail("accept");
    if (::fork() == 0) {
      constexpr std::string_view kReply = "{\"result\":{}}\n";
      std::array<char, 4096> line{};
      while (::recv(client, line.data(), line.size(), 0) > 0) {
        if (::send(client, kReply.data(), kReply.size(), MSG_NOSIGNAL) < 0) break;
      }
      ::_exit(0);
    }
    ::close(client);
  }
}

using Words = std::vector<std::string>;

double rate(const Worker& worker, const Words& words) {
  return rate_of(worker, std::stod(words.end()[-2]), std::stoi(words.back()));
}

double policy(const Words& words, bool by_name) {
  return bench::policy_microseconds(words[0], std::stoi(words[1]), by_name, std::stod(words[2]));
}

double journal(const Words& words, bool with_audit) {
  return bench::journal_rate(words[0], with_audit, std::stod(words[1]), std::stoi(words[2]));
}

/// What is measured: its name, what it is to be told, and the figure.
struct Task {
  std::string_view name;
  std::string_view words;
  std::size_t count;
  double (*figure)(const Words& words);
};

constexpr std::array kTasks{
    Task{"visits", "SOCKET SECONDS CLIENTS", 3, [](const Words& words) { return rate(visits(words[0]), words); }},
    Task{"connections", "SOCKET SECONDS CLIENTS", 3, [](const Words& words) { return rate(connections(words[0]), words); }},
    Task{"issue", "SOCKET CSR SECONDS CLIENTS", 4, [](const Words& words) { return rate(issuances(words[0], words[1]), words); }},
    Task{"commits", "FILE SECONDS CLIENTS", 3, [](const Words& words) { return rate(commits(words[0]), words); }},
    Task{"journal-bare", "DIRECTORY SECONDS THREADS", 3, [](const Words& words) { return journal(words, false); }},
    Task{"journal-audit", "DIRECTORY SECONDS THREADS", 3, [](const Words& words) { return journal(words, true); }},
    Task{"policy-by-name", "DIRECTORY RULES SECONDS", 3, [](const Words& words) { return policy(words, true); }},
    Task{"policy-by-asker", "DIRECTORY RULES SECONDS", 3, [](const Words& words) { return policy(words, false); }},
    Task{"zmq-sign", "ENDPOINT CSR SECONDS CLIENTS", 4,
         [](const Words& words) { return rate(bench::zmq_signs(words[0], words[1]), words); }},
    Task{"zmq-sign-p99", "ENDPOINT CSR SECONDS", 3,
         [](const Words& words) { return p99_of(bench::zmq_signs(words[0], words[1]), std::stod(words[2])); }},
    Task{"zmq-generate", "ENDPOINT SECONDS CLIENTS", 3,
         [](const Words& words) { return rate(bench::zmq_generates(words[0]), words); }},
    Task{"echo", "SOCKET", 1, [](const Words& words) -> double { serve_echo(words[0]); }},
};

int run(Words words) {
  const auto name = words.empty() ? std::string() : words.front();
  const auto task = std::ranges::find(kTasks, name, &Task::name);
  if (task == kTasks.end() || words.size() != task->count + 1) {
    for (const auto& one : kTasks) std::fprintf(stderr, "usage: bench-load %s %s\n", one.name.data(), one.words.data());
    return 64;
  }
  words.erase(words.begin());
  return std::printf("%.1f\n", task->figure(words)) > 0 ? 0 : 1;
}

}  // namespace

std::string bench::content_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench-load: %s\n", failure.what());
    return 1;
  }
}
