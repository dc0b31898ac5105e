#include "server/master/activation.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdlib>
#include <string>

namespace chancery::master {
namespace {

class Directory {
 public:
  Directory() { PKI_CHECK(::mkdtemp(name_.data()) != nullptr); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(name_); }
  std::filesystem::path operator/(const char* file) const { return std::filesystem::path(name_) / file; }

 private:
  std::string name_ = (std::filesystem::temp_directory_path() / "activation-XXXXXX").string();
};

std::string refusal(int descriptor, const std::filesystem::path& path) {
  const auto status = check_listener(descriptor, path);
  if (status.ok()) return "accepted";
  EXPECT_EQ(status.error().code(), Code::BadConfig);
  const auto& message = status.error().message();
  return message.substr(message.find(": ") + 2);
}

TEST(Activation, D26_TakesTheSocketItWants) {
  const Directory directory;
  const auto path = directory / "d.sock";
  const auto socket = base::listen_unix(path.string(), 0600, 5);
  ASSERT_TRUE(socket.ok());
  EXPECT_EQ(refusal(socket->get(), path), "accepted");
}

TEST(Activation, D26_RefusesAnotherPath) {
  const Directory directory;
  const auto socket = base::listen_unix((directory / "d.sock").string(), 0600, 5);
  ASSERT_TRUE(socket.ok());
  EXPECT_EQ(refusal(socket->get(), "/run/e.sock"),
            "found the path \"" + (directory / "d.sock").string() + "\", expected /run/e.sock");
}

TEST(Activation, D26_RefusesWhatIsNoSocket) {
  const base::UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(refusal(file.get(), "/x"), "found a file that is no socket, expected a socket");
  const auto pipe = base::make_pipe();
  ASSERT_TRUE(pipe.ok());
  EXPECT_EQ(refusal(pipe->read.get(), "/x"), "found a file that is no socket, expected a socket");
  EXPECT_EQ(refusal(9999, "/x"), "found no open file, expected a socket");
}

TEST(Activation, D26_RefusesOtherFamiliesAndTypes) {
  const base::UniqueFd inet(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(refusal(inet.get(), "/x"), "found address family 2, expected a Unix socket");
  const base::UniqueFd datagram(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(refusal(datagram.get(), "/x"), "found a socket of another type, expected SOCK_STREAM");
  const base::UniqueFd deaf(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(refusal(deaf.get(), "/x"), "found a socket that does not listen, expected one that does");
}

TEST(Activation, D26_WithoutVariablesThereIsNothing) {
  const auto socket = take_activated_socket("/x");
  ASSERT_TRUE(socket.ok());
  EXPECT_FALSE(static_cast<bool>(*socket));
}

TEST(Activation, D26_RefusesSeveralDescriptors) {
  // Whatever had them before: now 3 and 4 are open.
  const base::UniqueFd one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const base::UniqueFd other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "2", 1);
  const auto socket = take_activated_socket("/x");
  ASSERT_FALSE(socket.ok());
  EXPECT_EQ(socket.error().message(), "found 2 passed descriptors, expected one: /x");
  EXPECT_EQ(::getenv("LISTEN_FDS"), nullptr);
}

}  // namespace
}  // namespace chancery::master
