#include "clients/zmq/curve_door.h"

#include <array>
#include <thread>
#include <vector>

#include "clients/zmq/backend.h"
#include "clients/zmq/curve_key.h"
#include "clients/zmq/thread.h"
#include "server/base/log.h"
#include "server/base/process.h"

namespace chancery::zmq_gateway {
namespace {

constexpr const char* kZapAddress = "inproc://zeromq.zap.01";
constexpr std::size_t kZapFrames = 7;  ///< version, request id, domain, address, identity, mechanism, credentials

zmq::message_t frame_of(std::string_view text) { return zmq::message_t(text.data(), text.size()); }

// ----- who may come

/// The Z85 text of the 32 octets that CURVE has proved; empty: another mechanism.
std::string key_in(const Frames& question) {
  constexpr std::size_t kOctets = 32;
  if (question.size() != kZapFrames || question[5].to_string_view() != "CURVE" || question[6].size() != kOctets) return {};
  std::array<char, kKeyCharacters + 1> text{};
  if (::zmq_z85_encode(text.data(), question[6].data<std::uint8_t>(), kOctets) == nullptr) return {};
  return text.data();
}

/// version, request id, status code, status text, user id, metadata
Frames verdict(const Frames& question, bool may, const std::string& user) {
  const std::string_view nothing;
  Frames answer;
  answer.push_back(frame_of("1.0"));
  answer.push_back(frame_of(question.size() > 1 ? question[1].to_string_view() : nothing));
  answer.push_back(frame_of(may ? "200" : "400"));
  answer.push_back(frame_of(may ? "OK" : "unknown CURVE key"));
  answer.push_back(frame_of(may ? std::string_view(user) : nothing));
  answer.push_back(frame_of(nothing));
  return answer;
}

void answer_zap(zmq::socket_t& socket, const Admitted& admitted, const std::string& advice, client::Complaints& complaints) {
  for (;;) {
    const auto question = receive(socket);
    const auto key = key_in(question);
    const auto domain = question.size() == kZapFrames ? question[2].to_string() : std::string();
    const auto known = admitted.find(domain);
    const bool may = !key.empty() && known != admitted.end() && known->second.contains(key);
    if (!may) {
      complaints.log(base::LogLevel::Warning, "unknown CURVE key", {},
                     "endpoint " + domain + ": unknown CURVE key " + key + "; " + advice);
    }
    auto answer = verdict(question, may, key);
    send(socket, answer);
  }
}

// ----- who came

/// Where the empty frame is, when behind it comes the request and nothing else. The first frame is libzmq's name of the
/// connection.
bool is_request(const Frames& frames) {
  if (frames.size() < 3 || frames.size() > kMaxParts + 2 || frames[frames.size() - 2].size() != 0) return false;
  std::size_t total = 0;
  for (std::size_t i = 1; i < frames.size(); ++i) {
    if (frames[i].size() == 0 && i + 2 != frames.size()) return false;
    total += frames[i].size();
  }
  return total <= kMaxMessageBytes;
}

/// Behind the envelope that it came in, as far as there is one.
Frames refusal(Frames& frames, const Manner& manner) {
  Frames answer;
  answer.push_back(std::move(frames.front()));
  for (std::size_t i = 1; i < frames.size() && i <= kMaxParts; ++i) {
    const bool is_delimiter = frames[i].size() == 0;
    if (i + 1 < frames.size()) answer.push_back(std::move(frames[i]));
    if (is_delimiter) break;
  }
  const Error why(Code::Malformed, "[700] found no envelope, empty frame and one JSON object of at most 1 MiB in one frame");
  answer.push_back(frame_of(manner.refuse(why)));
  return answer;
}

}  // namespace

void admit_keys(zmq::context_t& context, Admitted admitted, std::string advice, client::Complaints& complaints) {
  zmq::socket_t socket(context, zmq::socket_type::rep);
  socket.bind(kZapAddress);
  start_thread("the judge of CURVE keys", [held = std::move(socket), known = std::move(admitted), words = std::move(advice),
                                           &complaints]() mutable { answer_zap(held, known, words, complaints); });
}

bool take_curve(zmq::socket_t& outer, Frames& request, const Manner& manner) {
  const char* user = ::zmq_msg_gets(request.back().handle(), "User-Id");
  PKI_CHECK(user != nullptr);  // nobody comes in without one
  const auto who = std::string(kCurvePeer) + user;
  if (!is_request(request)) {
    auto answer = refusal(request, manner);
    send(outer, answer);
    return false;
  }
  request.insert(request.begin() + 1, frame_of(who));
  return true;
}

}  // namespace chancery::zmq_gateway
