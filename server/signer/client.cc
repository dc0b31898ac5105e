#include "server/signer/client.h"

namespace chancery::signer {

SignerClient::SignerClient(base::UniqueFd socket, std::chrono::milliseconds answer_limit)
    : socket_(std::move(socket)),
      answer_limit_(answer_limit),
      reader_(std::make_unique<wire::LineReader>(socket_.get(), wire::kMaxReplyBytes)) {}

Result<SignerClient> SignerClient::connect(const std::string& socket, ByteView pass, std::chrono::milliseconds answer_limit) {
  PKI_TRY(auto fd, base::connect_unix(socket));
  PKI_TRY_VOID(wire::write_line(fd.get(), base::as_text(pass), answer_limit));
  return SignerClient(std::move(fd), answer_limit);
}

Result<wire::Reply> SignerClient::exchange(const wire::Request& request) {
  PKI_TRY_VOID(wire::write_line(socket_.get(), wire::encode_request(request), answer_limit_));
  PKI_TRY(const auto line, reader_->next(answer_limit_));
  PKI_TRY(auto reply, wire::decode_reply(line));
  if (reply.id != request.id) return Error(Code::Malformed, "the signer answered another request");
  return reply;
}

Result<Json> SignerClient::call(std::string_view operation, Json params) {
  if (!is_open()) return Error(Code::Closed, "the connection to the signer has ended");
  auto reply = exchange({Json(++last_id_), std::string(operation), std::move(params), {}});
  if (!reply.ok()) {
    socket_.reset();
    return reply.error();
  }
  if (reply->error) return *reply->error;
  return *std::move(reply->result);
}

Result<Signed> SignerClient::sign_certificate(const SignRequest& request) {
  PKI_TRY(const auto result, call("sign_certificate", to_json(request)));
  return signed_from_json(result);
}

Result<SignedCrl> SignerClient::sign_crl(const CrlRequest& request) {
  PKI_TRY(const auto result, call("sign_crl", to_json(request)));
  return signed_crl_from_json(result);
}

Status SignerClient::publish_crl(ByteView der, const std::string& ca) {
  const auto result = call("publish_crl", Json::object({{"ca", ca}, {"crl", base::to_base64(der)}}));
  return result.ok() ? Status() : result.error();
}

Result<Bytes> SignerClient::published_crl(const std::string& ca, bool is_delta) {
  PKI_TRY(const auto result, call("published_crl", Json::object({{"ca", ca}, {"delta", is_delta}})));
  return base::from_base64(result.text("crl"));
}

Result<AuthorityInfo> SignerClient::authority(const std::string& ca) {
  PKI_TRY(const auto result, call("authority", Json::object({{"ca", ca}})));
  return authority_from_json(result);
}

Result<JournalPage> SignerClient::journal_since(std::uint64_t position, std::size_t limit) {
  PKI_TRY(const auto result,
          call("journal_since", Json::object({{"position", static_cast<std::int64_t>(position)}, {"limit", limit}})));
  return journal_page_from_json(result);
}

Result<std::vector<Serial>> SignerClient::unknown_serials(const std::vector<Serial>& asked) {
  PKI_TRY(const auto result, call("unknown_serials", to_json(asked)));
  return serials_from_json(result);
}

Status SignerClient::import_certificate(const std::string& chain_pem, const std::string& ca) {
  const auto result = call("import_certificate", Json::object({{"ca", ca}, {"chain", chain_pem}}));
  return result.ok() ? Status() : result.error();
}

namespace {

Json with_request(Json params, const ApprovedRequest* approved) {
  if (approved != nullptr) params.set("approved", to_json(*approved));
  return params;
}

}  // namespace

Result<std::vector<GenerationInfo>> SignerClient::generations() {
  PKI_TRY(const auto result, call("generations", Json::object()));
  return generations_from_json(result);
}

Result<std::vector<GenerationInfo>> SignerClient::create_generation(const NewGeneration& wanted,
                                                                    const ApprovedRequest* approved) {
  PKI_TRY(const auto result, call("create_generation", with_request(to_json(wanted), approved)));
  return generations_from_json(result);
}

Result<std::vector<GenerationInfo>> SignerClient::cross_sign(const std::string& ca, const ApprovedRequest* approved) {
  PKI_TRY(const auto result, call("cross_sign", with_request(Json::object({{"ca", ca}}), approved)));
  return generations_from_json(result);
}

Result<std::vector<GenerationInfo>> SignerClient::set_generation(const std::string& ca, std::string_view state,
                                                                 const std::string& requester, const ApprovedRequest* approved) {
  auto params = Json::object({{"ca", ca}, {"state", state}, {"requester", requester}});
  PKI_TRY(const auto result, call("set_generation", with_request(std::move(params), approved)));
  return generations_from_json(result);
}

Status SignerClient::record(const AuditEvent& event) {
  const auto result = call("record", to_json(event));
  return result.ok() ? Status() : result.error();
}

Result<AuditPage> SignerClient::audit_since(std::uint64_t position, std::size_t limit, std::string_view kind) {
  const auto params = Json::object({{"position", static_cast<std::int64_t>(position)}, {"limit", limit}, {"kind", kind}});
  PKI_TRY(const auto result, call("audit_since", params));
  return audit_page_from_json(result);
}

Status SignerClient::audit_verify() {
  const auto result = call("audit_verify", Json::object());
  return result.ok() ? Status() : result.error();
}

Result<SecretStatus> SignerClient::enter_secret(const SecretEntry& entry) {
  PKI_TRY(const auto result, call("secret_enter", to_json(entry)));
  return secret_status_from_json(result);
}

Result<SecretStatus> SignerClient::secret_status() {
  PKI_TRY(const auto result, call("secret_status", Json::object()));
  return secret_status_from_json(result);
}

Result<SecretStatus> SignerClient::clear_secret() {
  PKI_TRY(const auto result, call("secret_clear", Json::object()));
  return secret_status_from_json(result);
}

Result<std::vector<ServiceInfo>> SignerClient::services() {
  PKI_TRY(const auto result, call("services", Json::object()));
  return services_from_json(result);
}

Result<std::vector<ServiceInfo>> SignerClient::renew_services(const std::string& requester) {
  PKI_TRY(const auto result, call("renew_services", Json::object({{"requester", requester}})));
  return services_from_json(result);
}

Result<OcspAnswer> SignerClient::sign_ocsp(const OcspQuestion& question) {
  PKI_TRY(const auto result, call("sign_ocsp", to_json(question)));
  return ocsp_answer_from_json(result);
}

Result<Bytes> SignerClient::open_for_ra(const RaQuestion& question) {
  PKI_TRY(const auto result, call("ra_open", to_json(question)));
  return base::from_base64(result.text("octets"));
}

Result<Bytes> SignerClient::sign_for_ra(const RaQuestion& question) {
  PKI_TRY(const auto result, call("ra_sign", to_json(question)));
  return base::from_base64(result.text("octets"));
}

Status SignerClient::ping() {
  const auto result = call("ping", Json::object());
  return result.ok() ? Status() : result.error();
}

}  // namespace chancery::signer
