#include "server/worker/testing.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "server/base/log.h"
#include "server/base/realm_passes.h"
#include "server/worker/dispatch.h"
#include "server/x509/testing.h"

namespace chancery::worker::testing {
namespace {

constexpr std::chrono::milliseconds kLimit{20000};
constexpr std::size_t kSlots = 4;
constexpr uid_t kFirstUid = 3'000'000'000U;
constexpr const char* kRealms[] = {"default", "other"};

}  // namespace

// ----- the signer's stand-in

StandInSigner::StandInSigner(const std::filesystem::path& socket)
    : socket_(base::listen_unix(socket.string(), 0600, 8).value()), thread_([this] { listen(); }) {}

StandInSigner::~StandInSigner() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    ::shutdown(socket_.get(), SHUT_RDWR);
    if (connection_ >= 0) ::shutdown(connection_, SHUT_RDWR);
  }
  thread_.join();
}

std::vector<signer::AuditEvent> StandInSigner::take_events() {
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

std::size_t StandInSigner::count_events() const {
  const std::lock_guard lock(mutex_);
  return events_.size();
}

void StandInSigner::refuse_with(std::optional<Error> refusal) {
  const std::lock_guard lock(mutex_);
  refusal_ = std::move(refusal);
}

std::string StandInSigner::pass() const {
  const std::lock_guard lock(mutex_);
  return pass_;
}

void StandInSigner::listen() {
  for (;;) {
    const base::UniqueFd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    {
      const std::lock_guard lock(mutex_);
      if (ending_ || !connection) return;
      connection_ = connection.get();
    }
    converse(connection.get());
    const std::lock_guard lock(mutex_);
    connection_ = -1;
  }
}

void StandInSigner::converse(int connection) {
  wire::LineReader reader(connection, wire::kMaxReplyBytes);
  const auto pass = reader.next(kLimit);
  if (!pass.ok()) return;
  {
    const std::lock_guard lock(mutex_);
    pass_ = *pass;
  }
  for (;;) {
    const auto line = reader.next(kLimit);
    if (!line.ok()) return;
    const auto reply = answer(*line);
    if (!reply || !wire::write_line(connection, *reply, kLimit).ok()) return;
  }
}

std::optional<std::string> StandInSigner::answer(const std::string& line) {
  if (hang_ups_ > 0) {
    --hang_ups_;
    return std::nullopt;
  }
  const auto request = wire::decode_request(line).value();
  const std::lock_guard lock(mutex_);
  if (refusal_) return wire::encode_error(request.id, *refusal_);
  if (request.method != "record") return wire::encode_error(request.id, Error(Code::Unsupported, "a stand-in has no key"));
  events_.push_back(signer::audit_event_from_json(request.params).value());
  return wire::encode_result(request.id, Json::object());
}

// ----- realms and connections

Place::Place() : board(base::Scoreboard::create(kSlots).value()), last_uid_(kFirstUid) {
  std::string name = (std::filesystem::temp_directory_path() / "worker-test-XXXXXX").string();
  PKI_CHECK(::mkdtemp(name.data()) != nullptr);
  directory_ = name;
  server.run_directory = directory_;
  server.realms_directory = directory_;
  server.limits.max_workers_per_realm = kSlots;
  for (const auto* realm : kRealms) {
    realms_.push_back(std::make_shared<config::RealmConfig>(RealmName::parse(realm).value()));
    realms_.back()->directory = directory_ / realm;
    for (const auto* part : {"db", "nodes"}) std::filesystem::create_directories(directory_ / realm / part);
  }
  PKI_CHECK(base::open_log({(directory_ / "log").string(), base::LogLevel::Info}, "test").ok());
}

Place::~Place() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

uid_t Place::somebody() {
  ++last_uid_;
  if (last_uid_ == ::geteuid()) ++last_uid_;
  return last_uid_;
}

void Place::grant(uid_t uid, const std::string& realm, Roles roles) {
  server.identities.push_back({.user = std::to_string(uid), .group = {}, .realm = realm, .roles = roles});
}

config::RealmConfig& Place::realm(const std::string& name) {
  for (const auto& one : realms_) {
    if (one->name.text() == name) return *one;
  }
  throw Bug("no realm " + name);
}

std::filesystem::path Place::signer_socket(const std::string& realm) const {
  return server.signer_socket_file(RealmName::parse(realm).value());
}

std::string Place::log() const {
  std::ostringstream text;
  text << std::ifstream(directory_ / "log").rdbuf();
  return text.str();
}

void Place::connect(const Peer& peer, const std::function<void(Session&)>& use) {
  auto snapshot = std::make_shared<config::Snapshot>();
  snapshot->server = server;
  snapshot->realms.assign(realms_.begin(), realms_.end());
  std::array<int, 2> passes{};
  PKI_CHECK(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, passes.data()) == 0);
  master = base::UniqueFd(passes[0]);
  if (gives_passes) PKI_CHECK(base::give_passes(master.get(), base::as_bytes(kPass), {}).ok());  // there is no keymaker
  constexpr std::size_t kSlot = 0;
  board->occupy(kSlot, peer.uid, clock.now());
  WorkerStart start{.client = {},
                    .life = {},
                    .passes = base::UniqueFd(passes[1]),
                    .snapshot = snapshot,
                    .board = board.get(),
                    .slot = kSlot,
                    .peer = {.uid = peer.uid, .gid = peer.uid, .pid = ::getpid()},
                    .from_upkeep = peer.from_upkeep};
  std::thread([&] {
    try {
      Session session(start, clock);
      use(session);
    } catch (const std::exception& bug) {
      ADD_FAILURE() << bug.what();
    }
  }).join();
  board->release(kSlot);
}

x509::Certificate Place::certify(const std::string& dn, const std::string& profile) {
  const auto& config = realm("default");
  PKI_CHECK(base::replace_file(config.ca_certificate_file(), base::as_bytes(x509::testing::ca().pem()), 0644).ok());
  auto spec = x509::testing::leaf_spec();
  spec.subject = x509::Name::from_slash(dn).value();
  spec.not_before = kNow - std::chrono::hours{1};
  spec.not_after = kNow + std::chrono::hours{1};
  auto certificate = x509::testing::sign(x509::build_tbs(spec).value());
  const Bytes der(certificate.der().begin(), certificate.der().end());
  PKI_CHECK(open_store()
                .add_certificate({.serial = certificate.serial(),
                                  .ca = "ca",
                                  .der = der,
                                  .profile = profile,
                                  .subject = dn,
                                  .cn = certificate.subject().common_name().value_or(""),
                                  .not_before = spec.not_before,
                                  .not_after = spec.not_after,
                                  .issued_at = kNow})
                .ok());
  return certificate;
}

store::Store Place::open_store() {
  const auto& config = realm("default");
  return store::Store::open(config.database_file(), config.name).value();
}

void Place::in_full_session(const std::function<void(Session&)>& use) {
  const auto uid = somebody();
  const auto name = "door" + std::to_string(uid);
  server.front_ends.push_back(
      {.name = name, .program = {}, .user = std::to_string(uid), .realms = {"default"}, .roles = {Role::Admin}});
  const std::string dn = "/CN=administrator";
  const auto certificate = certify(dn, "admin");
  PKI_CHECK(open_store().add_admin({dn, {certificate.public_key().spki_sha256_hex()}, kNow, "test"}).ok());
  connect({uid}, [&](Session& session) {
    ASSERT_TRUE(session.open("default", name).ok());
    session.attest({"cert:" + dn, name, Roles{Role::Admin}}, certificate);
    use(session);
  });
}

void Place::in_session(Role role, const std::function<void(Session&)>& use) {
  const auto uid = somebody();
  grant(uid, "default", {role});
  connect({uid}, [&](Session& session) {
    ASSERT_TRUE(session.open("default", "").ok());
    use(session);
  });
}

// ----- requests

wire::Reply say(Session& session, const std::string& line) { return wire::decode_reply(dispatch(session, line)).value(); }

wire::Reply ask(Session& session, std::string_view command, const Json& params, const std::string& acting_for) {
  return say(session, wire::encode_request({Json(1), std::string(command), params, acting_for}));
}

std::string code_of(const wire::Reply& reply) {
  return reply.error ? std::string(base::describe(reply.error->code()).text) : "ok";
}

std::vector<Role> all_roles() {
  std::vector<Role> roles;
  for (int i = 0; i <= static_cast<int>(Role::Admin); ++i) roles.push_back(static_cast<Role>(i));
  return roles;
}

Json sample(const wire::Param& param) {
  using wire::Type;
  switch (param.type) {
    case Type::Text:
    case Type::Pem:
    case Type::File: return "x";
    case Type::Word: return param.words.empty() ? "x" : param.words.substr(0, param.words.find(' '));
    case Type::Hex: return "01";
    case Type::Time: return "2027-01-15T08:00:00Z";
    case Type::Integer: return param.bound;
    case Type::Boolean: return true;
    case Type::Texts: return Json::array({"x"});
    case Type::Object: return Json::object();
    case Type::Objects: return Json::array({Json::object()});
    case Type::Any: return "x";
  }
  return {};
}

Json sample_params(const wire::Command& command, bool optional_ones) {
  auto params = Json::object();
  for (const auto& param : command.params) {
    if (param.required || optional_ones) params.set(param.name, sample(param));
  }
  return params;
}

}  // namespace chancery::worker::testing
