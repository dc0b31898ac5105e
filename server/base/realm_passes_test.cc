#include "server/base/realm_passes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>

#include "server/base/fd.h"

namespace chancery::base {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLimit{20000};
constexpr milliseconds kAtOnce{0};

/// What a worker and the master have between them.
struct Line {
  Line() {
    std::array<int, 2> ends{};
    PKI_CHECK(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    master = UniqueFd(ends[0]);
    worker = UniqueFd(ends[1]);
  }
  UniqueFd master;
  UniqueFd worker;
};

void send_octets(const UniqueFd& socket, const std::string& octets) {
  PKI_CHECK(::send(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size()));
}

const std::string kSigner(kPassOctets, 'a');
const std::string kKeymaker(kPassOctets, 'b');

TEST(RealmPasses, AQuestionArrivesAsItWasAsked) {
  for (const std::uint32_t realm : {0U, 1U, 0x01020304U, 0xffffffffU}) {
    const Line line;
    ASSERT_TRUE(ask_for_passes(line.worker.get(), realm).ok());
    EXPECT_EQ(read_pass_request(line.master.get()).value(), realm);
  }
}

TEST(RealmPasses, AnAnswerArrivesAsItWasGiven) {
  for (const std::string& keymaker : {std::string(), kKeymaker}) {
    const Line line;
    ASSERT_TRUE(give_passes(line.master.get(), as_bytes(kSigner), as_bytes(keymaker)).ok());
    const auto passes = read_passes(line.worker.get(), kLimit).value();
    EXPECT_EQ(as_text(passes.signer.view()), kSigner);
    EXPECT_EQ(as_text(passes.keymaker.view()), keymaker);
  }
}

TEST(RealmPasses, C22_WhatIsNoQuestionIsRefused) {
  for (const std::size_t count : {1U, 2U, 3U, 5U, 8U, 64U, 60000U}) {
    const Line line;
    send_octets(line.worker, std::string(count, '\0'));
    const auto found = read_pass_request(line.master.get());
    ASSERT_FALSE(found.ok()) << count;
    EXPECT_EQ(found.error().code(), Code::Malformed) << count;
    EXPECT_EQ(found.error().message(), "found " + std::to_string(count) + " octets, expected a realm's place, 4");
  }
}

TEST(RealmPasses, NoQuestionIsNotWaitedFor) {
  Line line;
  EXPECT_EQ(read_pass_request(line.master.get()).error().code(), Code::Io);
  send_octets(line.worker, "");
  EXPECT_EQ(read_pass_request(line.master.get()).error().code(), Code::Closed);
  line.worker.reset();
  EXPECT_EQ(read_pass_request(line.master.get()).error().code(), Code::Closed);
}

std::size_t count_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

/// A question with copies of that descriptor.
void send_with_descriptors(int socket, std::uint32_t realm, const std::vector<int>& descriptors) {
  iovec part{&realm, sizeof(realm)};
  const std::size_t octets = descriptors.size() * sizeof(int);
  std::vector<char> control(CMSG_SPACE(octets));
  msghdr message{.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.data(), .msg_controllen = control.size()};
  auto* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(octets);
  std::memcpy(CMSG_DATA(head), descriptors.data(), octets);
  PKI_CHECK(::sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof(realm));
}

TEST(RealmPasses, D16_DescriptorsThatComeAlongAreNotKept) {
  const Line line;
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (const std::size_t count : {1U, 3U, 200U}) {
    send_with_descriptors(line.worker.get(), 7, std::vector<int>(count, file.get()));
    const auto before = count_descriptors();
    EXPECT_EQ(read_pass_request(line.master.get()).value(), 7U);
    EXPECT_EQ(count_descriptors(), before) << count;
  }
}

TEST(RealmPasses, WhatIsNoAnswerIsRefused) {
  for (const std::size_t count : {1U, 63U, 65U, 127U, 129U, 4096U}) {
    const Line line;
    send_octets(line.master, std::string(count, 'a'));
    EXPECT_EQ(read_passes(line.worker.get(), kLimit).error().code(), Code::Malformed) << count;
  }
}

TEST(RealmPasses, AnAnswerMayComeAfterItWasWaitedFor) {
  const Line line;
  ASSERT_TRUE(ask_for_passes(line.worker.get(), 0).ok());
  EXPECT_EQ(read_passes(line.worker.get(), kAtOnce).error().code(), Code::Timeout);
  ASSERT_TRUE(give_passes(line.master.get(), as_bytes(kSigner), {}).ok());
  EXPECT_EQ(as_text(read_passes(line.worker.get(), kLimit).value().signer.view()), kSigner);
}

TEST(RealmPasses, D17_AMasterThatIsGoneIsNotWaitedFor) {
  for (const bool was_asked : {true, false}) {
    Line line;
    if (was_asked) PKI_CHECK(ask_for_passes(line.worker.get(), 0).ok());
    line.master.reset();
    EXPECT_EQ(read_passes(line.worker.get(), kLimit).error().code(), Code::Unavailable) << was_asked;
    EXPECT_EQ(ask_for_passes(line.worker.get(), 0).error().code(), Code::Unavailable) << was_asked;
  }
}

TEST(RealmPasses, AWorkerThatIsGoneIsNotGivenAny) {
  Line line;
  line.worker.reset();
  EXPECT_EQ(give_passes(line.master.get(), as_bytes(kSigner), {}).error().code(), Code::Io);
}

TEST(RealmPasses, HalfAPassIsABug) {
  const Line line;
  EXPECT_THROW((void)give_passes(line.master.get(), as_bytes("abc"), {}), Bug);
  EXPECT_THROW((void)give_passes(line.master.get(), as_bytes(kSigner), as_bytes("abc")), Bug);
  EXPECT_EQ(read_passes(line.worker.get(), kAtOnce).error().code(), Code::Timeout);
}

}  // namespace
}  // namespace chancery::base
