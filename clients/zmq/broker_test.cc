#include "clients/zmq/broker.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

namespace chancery::zmq_gateway {
namespace {

constexpr int kPatienceMs = 20'000;

/// A broker between peers and threads that the test plays itself.
class Broker : public ::testing::Test {
 protected:
  explicit Broker(std::chrono::milliseconds limit = std::chrono::hours{1})
      : limit_(limit), context_(1), outer_(context_, zmq::socket_type::router), inner_(context_, zmq::socket_type::router) {
    outer_.bind("inproc://outer");
    inner_.bind("inproc://inner");
    thread_ = std::thread([this] {
      try {
        hand_out(outer_, inner_, {.waiting_limit = limit_});
      } catch (const zmq::error_t& ended) {
        EXPECT_EQ(ended.num(), ETERM);
      }
      outer_.close();
      inner_.close();
    });
  }
  ~Broker() override {
    context_.shutdown();
    thread_.join();
  }

  zmq::socket_t dealer(const char* where) {
    zmq::socket_t socket(context_, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, kPatienceMs);
    socket.connect(where);
    return socket;
  }
  zmq::socket_t peer() { return dealer("inproc://outer"); }
  zmq::socket_t worker() {
    auto socket = dealer("inproc://inner");
    report_for_work(socket);
    return socket;
  }

  std::chrono::milliseconds limit_;
  zmq::context_t context_;
  zmq::socket_t outer_;
  zmq::socket_t inner_;
  std::thread thread_;
};

using Frames = std::vector<std::string>;

void say(zmq::socket_t& socket, const Frames& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i)
    socket.send(zmq::buffer(frames[i]), i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

/// None when nothing comes.
Frames hear(zmq::socket_t& socket) {
  Frames frames;
  zmq::message_t frame;
  do {
    if (!socket.recv(frame)) break;
    frames.push_back(frame.to_string());
  } while (frame.more());
  return frames;
}

/// A request as a thread gets it, without its ticket.
Frames hear_request(zmq::socket_t& worker) {
  auto frames = hear(worker);
  if (!frames.empty()) frames.erase(frames.begin());
  return frames;
}

/// What a thread does with a request: the last frame is answered, the others go before the answer.
Frames answer_one(zmq::socket_t& worker) {
  auto frames = hear_request(worker);
  if (!frames.empty()) frames.back() += "!";
  say(worker, frames);
  return frames;
}

TEST_F(Broker, TheAnswerFindsItsPeer) {
  auto one = peer();
  auto other = peer();
  auto thread = worker();
  say(one, {"envelope", "", "a"});
  answer_one(thread);
  EXPECT_EQ(hear(one), (Frames{"envelope", "", "a!"}));
  say(other, {"", "b"});
  answer_one(thread);
  EXPECT_EQ(hear(other), (Frames{"", "b!"}));
}

TEST_F(Broker, NobodyWaitsBehindAThreadThatIsBusy) {
  auto asking = peer();
  auto slow = worker();
  auto hard = peer();
  say(hard, {"a key pair"});
  const auto taken = hear_request(slow);
  ASSERT_EQ(taken.size(), 2U);
  auto quick = worker();
  for (int i = 0; i < 20; ++i) {
    say(asking, {std::to_string(i)});
    ASSERT_EQ(answer_one(quick).size(), 2U);
    EXPECT_EQ(hear(asking), (Frames{std::to_string(i) + "!"}));
  }
  say(slow, taken);
  EXPECT_EQ(hear(hard), (Frames{"a key pair"}));
}

TEST_F(Broker, WhatComesWhileAllAreBusyIsAnsweredLater) {
  auto asking = peer();
  for (int i = 0; i < 50; ++i) say(asking, {std::to_string(i)});
  auto thread = worker();
  for (int i = 0; i < 50; ++i) {
    answer_one(thread);
    EXPECT_EQ(hear(asking), (Frames{std::to_string(i) + "!"}));
  }
}

TEST_F(Broker, APeerThatIsGoneCostsNobodyAnything) {
  auto thread = worker();
  {
    auto gone = peer();
    say(gone, {"a"});
    ASSERT_EQ(hear_request(thread).size(), 2U);
  }
  say(thread, {"nobody's name", "a!"});
  auto asking = peer();
  say(asking, {"b"});
  answer_one(thread);
  EXPECT_EQ(hear(asking), (Frames{"b!"}));
}

TEST_F(Broker, TheTicketSaysWhenTheRequestCame) {
  const auto before = std::chrono::steady_clock::now();
  auto asking = peer();
  say(asking, {"address", "", "a"});
  auto thread = worker();
  zmq::message_t first;
  ASSERT_TRUE(thread.recv(first));
  const auto ticket = ticket_in(first);
  EXPECT_LE(before, ticket.arrived);
  EXPECT_LE(ticket.arrived, std::chrono::steady_clock::now());
  EXPECT_EQ(ticket.asker, -1) << "nobody comes by a descriptor here";
}

TEST_F(Broker, OneTooManyIsAnsweredAtOnceAndTheOthersWait) {
  auto asking = peer();
  for (std::size_t i = 0; i <= kMostWaiting; ++i) say(asking, {"address", "envelope", "", std::to_string(i)});
  const auto refused = hear(asking);
  ASSERT_EQ(refused.size(), 3U);
  EXPECT_EQ(refused[0], "envelope");
  EXPECT_NE(refused[2].find("UPKI ERROR"), std::string::npos) << refused[2];
  EXPECT_NE(refused[2].find("try again shortly"), std::string::npos) << refused[2];
  auto thread = worker();
  for (std::size_t i = 0; i < kMostWaiting; ++i) EXPECT_EQ(answer_one(thread).back(), std::to_string(i) + "!");
}

TEST_F(Broker, LargeOnesWaitInBoundedMemory) {
  auto asking = peer();
  const std::string large(kMostWaitingOctets / 4, 'x');
  for (int i = 0; i < 4; ++i) say(asking, {"address", "", large});
  EXPECT_NE(hear(asking).back().find("try again shortly"), std::string::npos);
}

/// Whom nobody may wait for.
class HastyBroker : public Broker {
 protected:
  HastyBroker() : Broker(std::chrono::milliseconds{1}) {}
};

TEST_F(HastyBroker, WhatWaitsTooLongIsAnsweredWithoutAThread) {
  auto asking = peer();
  for (int i = 0; i < 50; ++i) say(asking, {"address", "envelope", "", "late"});
  for (int i = 0; i < 50; ++i) {
    const auto refused = hear(asking);
    ASSERT_EQ(refused.size(), 3U);
    EXPECT_EQ(refused[0], "envelope");
    EXPECT_NE(refused[2].find("try again shortly"), std::string::npos);
  }
  auto thread = worker();  // which never hears of them
  say(asking, {"address", "", "in time"});
  EXPECT_EQ(answer_one(thread).back(), "in time!");
}

TEST(Ticket, KnowsWhoIsGone) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  EXPECT_FALSE(is_gone(ends[0]));
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_FALSE(is_gone(ends[0])) << "it only said something";
  ::close(ends[1]);
  EXPECT_TRUE(is_gone(ends[0]));
  ::close(ends[0]);
  EXPECT_TRUE(is_gone(ends[0])) << "libzmq has closed it";
  EXPECT_FALSE(is_gone(-1)) << "unknown";
}

}  // namespace
}  // namespace chancery::zmq_gateway
