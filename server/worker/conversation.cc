#include "server/worker/conversation.h"

#include <chrono>

#include "server/base/process.h"
#include "server/wire/message.h"

namespace chancery::worker {
namespace {

constexpr std::chrono::milliseconds kAnswerLimit{60000};

}  // namespace

Result<Conversation> Conversation::begin(const std::string& socket) {
  PKI_TRY(auto fd, base::connect_unix(socket));
  return Conversation(std::move(fd));
}

Result<Json> Conversation::call(const std::string& method, Json params) {
  is_broken_ = true;
  const auto line =
      wire::encode_request({.id = Json(++last_id_), .method = method, .params = std::move(params), .acting_for = {}});
  PKI_TRY_VOID(wire::write_line(fd_.get(), line, kAnswerLimit));
  wire::LineReader reader(fd_.get(), wire::kMaxReplyBytes);
  PKI_TRY(const auto text, reader.next(kAnswerLimit));
  PKI_TRY(const auto reply, wire::decode_reply(text));
  is_broken_ = false;
  if (reply.error) return *reply.error;
  return *reply.result;
}

}  // namespace chancery::worker
