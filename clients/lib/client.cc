#include "clients/lib/client.h"

#include <cstdlib>

namespace chancery::client {

std::string default_socket() {
  const char* configured = std::getenv("CHANCERY_SOCKET");
  return configured != nullptr && *configured != '\0' ? configured : "/run/chancery/chanceryd.sock";
}

Client::Client(base::UniqueFd socket, Options options)
    : socket_(std::move(socket)),
      options_(std::move(options)),
      reader_(std::make_unique<wire::LineReader>(socket_.get(), wire::kMaxReplyBytes)) {}

Result<Client> Client::connect(const Options& options) {
  const auto path = options.socket.empty() ? default_socket() : options.socket;
  auto connected = base::connect_unix(path);
  if (!connected.ok())
    return Error(connected.error().code(), connected.error().message(),
                 "is chanceryd running, is this its socket, and does <socket> of chancery.xml let you in?");
  return Client(std::move(connected).value(), options);
}

Client Client::adopt(base::UniqueFd socket, Options options) { return {std::move(socket), std::move(options)}; }

Error Client::hang_up(const Error& why) {
  socket_.reset();
  return why;
}

Result<Json> Client::call(std::string_view method, Json params, std::string_view acting_for) {
  if (!connected()) return Error(Code::Closed, "the connection to the server has ended", "connect again");
  const wire::Request request{Json(++last_id_), std::string(method), std::move(params), std::string(acting_for)};
  const auto sent = wire::write_line(socket_.get(), wire::encode_request(request), options_.request_timeout);
  // A server that hangs up says why first; its last line is still there to be read.
  if (!sent.ok() && sent.error().code() != Code::Closed) return hang_up(sent.error());
  const auto line = reader_->next(options_.request_timeout);
  if (!line.ok()) return hang_up(line.error());
  const auto reply = wire::decode_reply(*line);
  if (!reply.ok()) return hang_up(reply.error().within("the server's reply"));
  if (reply->id.is_null() && reply->error) return hang_up(*reply->error);
  if (reply->id != request.id) return hang_up(Error(Code::Malformed, "the server's reply answers another request"));
  if (reply->error) return *reply->error;
  return *reply->result;
}

Result<Json> Client::open(std::string_view realm, std::string_view front_end) {
  auto params = Json::object();
  if (!realm.empty()) params.set("realm", realm);
  if (!front_end.empty()) params.set("front_end", front_end);
  return call("session.open", std::move(params));
}

Status for_each_row(Client& client, std::string_view method, Json params, std::string_view rows,
                    const std::function<bool(const Json&)>& visit) {
  for (;;) {
    PKI_TRY(const auto page, client.call(method, params));
    const auto* list = page.find(rows);
    if (list == nullptr || list->as_array() == nullptr) return Error(Code::Malformed, "a page without " + std::string(rows));
    for (const auto& row : *list->as_array()) {
      if (!visit(row)) return {};
    }
    const auto next = page.text("next");
    if (next.empty()) return {};
    params.set("after", next);
  }
}

}  // namespace chancery::client
