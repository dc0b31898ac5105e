#include "server/worker/session.h"

#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "server/base/file.h"
#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/ready_words.h"
#include "server/base/text.h"
#include "server/base/user.h"
#include "server/crypto/block_list.h"
#include "server/worker/authorities.h"
#include "server/worker/confine.h"
#include "server/worker/start.h"

namespace chancery::worker {
namespace {

constexpr std::size_t kMaxChainBytes = 262144;
constexpr std::size_t kChallengeOctets = 24;
constexpr std::chrono::seconds kMasterLimit{10};  ///< it answers at once, unless it reads a new configuration

std::optional<unsigned> as_number(std::string_view text) {
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<uid_t> uid_of(const std::string& user) {
  if (const auto number = as_number(user)) return *number;
  const passwd* entry = ::getpwnam(user.c_str());
  return entry == nullptr ? std::nullopt : std::optional(entry->pw_uid);
}

bool in_group(uid_t uid, const std::string& group) {
  const auto* entry = as_number(group) ? ::getgrgid(*as_number(group)) : ::getgrnam(group.c_str());
  if (entry == nullptr) return false;
  const gid_t gid = entry->gr_gid;
  const auto user = base::user_name(uid);
  for (char** member = entry->gr_mem; *member != nullptr; ++member) {
    if (user == *member) return true;
  }
  const passwd* account = ::getpwuid(uid);
  return account != nullptr && account->pw_gid == gid;
}

bool names_realm(const std::vector<std::string>& realms, std::string_view realm) {
  return std::ranges::any_of(realms, [&](const std::string& one) { return one == "*" || one == realm; });
}

/// Root, and the user of a server that has only one. Where workers have a user of their own, it is nobody: a worker that was
/// taken over must not reach other realms through the front door.
bool rules(const config::ServerConfig& server, uid_t uid) {
  return uid == 0 || (server.worker_user.empty() && uid == ::geteuid());
}

/// The configured front end, when this peer may act as it in that realm.
Result<const config::FrontEnd*> front_end_for(const config::ServerConfig& server, const std::string& name, uid_t uid,
                                              std::string_view realm) {
  for (const auto& one : server.front_ends) {
    if (one.name != name) continue;
    const auto& user = server.user_of(one);
    const auto expected = user.empty() ? std::optional(::geteuid()) : uid_of(user);
    if ((expected == uid || rules(server, uid)) && names_realm(one.realms, realm)) return &one;
  }
  return Error(Code::Denied, "this peer may not act as front end \"" + base::printable(name, 64) + "\" in this realm");
}

Error no_such_realm(std::string_view realm) {
  return {Code::NotFound, "no realm \"" + base::printable(realm, 64) + "\" for this peer"};
}

}  // namespace

base::ProcessView signer_of(const base::Scoreboard& board, std::string_view realm) {
  for (const auto& one : board.processes()) {
    if (one.kind == "signer" && one.name == realm) return one;
  }
  return {};
}

Roles roles_of(const config::ServerConfig& server, uid_t uid, std::string_view realm) {
  if (rules(server, uid)) return Roles{Role::Admin};
  Roles roles;
  for (const auto& rule : server.identities) {
    if (rule.realm != "*" && rule.realm != realm) continue;
    const bool matches = rule.group.empty() ? uid_of(rule.user) == uid : in_group(uid, rule.group);
    if (!matches) continue;
    for (const auto& name : rule.roles.names()) roles.add(base::role_from_text(name).value());
  }
  return roles;
}

Session::Session(WorkerStart& start, const base::Clock& clock) : start_(start), clock_(clock) {
  identity_.name = "unix:" + (start.peer_name.empty() ? base::user_name(start.peer.uid) : start.peer_name);
  // Before a realm is open, only what needs no realm can be asked; the widest realm rule does not leak into it.
  identity_.roles = own_roles("*");
}

Roles Session::own_roles(std::string_view realm) const {
  return start_.from_upkeep ? Roles{Role::Admin} : roles_of(snapshot().server, peer().uid, realm);
}

const config::RealmConfig& Session::realm() const {
  PKI_CHECK(realm_ != nullptr);
  return *realm_;
}

Result<const base::RealmPasses*> Session::passes() {
  if (!passes_) {
    PKI_TRY(passes_, base::read_passes(start_.passes.get(), kMasterLimit));
    start_.passes.reset();
  }
  return &*passes_;
}

ByteView Session::key_pass() {
  const auto own = passes();
  return own.ok() ? (*own)->keymaker.view() : ByteView();
}

Status Session::open(const std::string& realm_name, const std::string& front_end) {
  if (realm_ != nullptr) return Error(Code::Conflict, "the session is open already, in realm " + realm_->name.text());
  const auto& realms = snapshot().realms;
  const auto found = std::ranges::find(
      realms, realm_name, [](const auto& one) -> const auto& { return one->name.text(); });
  if (found == realms.end()) return no_such_realm(realm_name);
  const auto* realm = found->get();
  Identity identity{identity_.name, "", own_roles(realm_name)};
  if (!front_end.empty()) {
    const auto configured = front_end_for(snapshot().server, front_end, peer().uid, realm_name);
    // Who has no role here learns no more from a wrong front end than from none (PROMISES F50).
    if (!configured.ok()) return identity.roles.empty() ? no_such_realm(realm_name) : configured.error();
    identity = {"frontend:" + front_end, front_end, (*configured)->roles};
  }
  // To log in, one has to get in first; what anybody may is no more than that.
  if (identity.roles.empty() && !realm->people.logins.empty()) identity.roles.add(Role::Anonymous);
  if (identity.roles.empty()) return no_such_realm(realm_name);
  PKI_TRY_VOID(
      board().enter_realm(slot(), realm->name, static_cast<std::size_t>(snapshot().server.limits.max_workers_per_realm)));
  PKI_TRY(auto block_lists, crypto::open_block_lists(realm->key_block_lists));
  crypto::refuse_listed_keys(std::move(block_lists));
  // The answer is read when it is needed: it is here by then, and nobody waits for it.
  PKI_TRY_VOID(base::ask_for_passes(start_.passes.get(), static_cast<std::uint32_t>(found - realms.begin())));
  confine_to_realm(*realm, snapshot().server);
  realm_ = realm;
  identity_ = std::move(identity);
  opened_as_ = identity_;
  vouching_ = identity_;
  renew_challenge();
  base::set_title("chanceryd: worker " + realm_name + " " + identity_.name);
  return {};
}

void Session::renew_challenge() {
  challenge_ = "chancery-login:" + realm().name.text() + ":" + base::to_base64url(base::random_bytes(kChallengeOctets));
}

Session::~Session() { forget_person_login(); }

/// Another login of that person may take its place.
void Session::forget_person_login() {
  if (person_login_ && person_login_->counted && store_ != nullptr) {
    const auto ended = store_->end_login_session(*person_login_->counted);
    if (!ended.ok()) base::log_warning("the end of a login is not noted: " + ended.error().message());
  }
  person_login_.reset();
}

void Session::log_in(Identity identity, std::optional<x509::Certificate> certificate, PersonLogin login) {
  forget_person_login();
  become(std::move(identity));
  login_ = std::move(certificate);
  person_login_ = std::move(login);
  attested_ = false;
  names_others_ = false;
}

void Session::log_in(Identity identity, x509::Certificate certificate) {
  forget_person_login();
  become(std::move(identity));
  login_ = std::move(certificate);
  attested_ = false;
  names_others_ = false;
}

void Session::log_out() {
  identity_ = opened_as_;
  vouching_ = opened_as_;
  login_.reset();
  forget_person_login();
  attested_ = false;
}

void Session::end_login() {
  if (opened_as_.front_end.empty()) {
    log_out();
  } else {
    attest_nobody();
  }
}

void Session::attest(Identity identity, std::optional<x509::Certificate> certificate) {
  PKI_CHECK(!opened_as_.front_end.empty() && identity.front_end == vouching_.front_end);
  become(std::move(identity));
  login_ = std::move(certificate);
  forget_person_login();
  attested_ = true;
  names_others_ = false;
}

void Session::attest_front_end(Identity identity) {
  vouching_ = identity;
  attest(std::move(identity), std::nullopt);
  names_others_ = true;
}

void Session::attest_nobody() {
  vouching_ = opened_as_;
  attest({"nobody", opened_as_.front_end, {}}, std::nullopt);
}

Status Session::act_for(const std::string& whom) {
  generations_seen_ = false;  // another request, which may be the first after a rollover
  rests_on_published_ = false;
  acting_for_.clear();
  if (!whom.empty() && identity_.front_end.empty())
    return Error(Code::Denied, "only a front end may act for others, this is " + identity_.name);
  const bool is_for_one = attested_ || login_.has_value() || person_login_.has_value();
  if (!whom.empty() && is_for_one && !names_others_)
    return Error(Code::Denied, "member for: the session is attested for " + identity_.name);
  if (base::printable(whom) != whom) return Error(Code::Malformed, "member for: control characters");
  acting_for_ = whom;
  return {};
}

void Session::answer_within(std::optional<std::chrono::milliseconds> limit) {
  answer_by_.reset();
  if (limit) answer_by_ = std::chrono::steady_clock::now() + *limit;
}

Status Session::check_wanted() const {
  if (answer_by_ && std::chrono::steady_clock::now() >= *answer_by_)
    return Error(Code::Busy, "the server is too busy to answer in time: nothing was done, try again shortly");
  pollfd other_end{client(), 0, 0};  // a hang-up shows unasked
  if (::poll(&other_end, 1, 0) > 0) return Error(Code::Closed, "the client has hung up: nothing was done");
  return {};
}

Status check_store(const config::RealmConfig& realm) { return store::Store::check(realm.database_file()); }

Result<store::Store*> Session::store() {
  if (store_ == nullptr) {
    PKI_TRY(auto opened, store::Store::open(realm().database_file(), realm().name));
    store_ = std::make_unique<store::Store>(std::move(opened));
  }
  return store_.get();
}

Status Session::settle() { return store_ == nullptr ? Status() : store_->settle(); }

Result<signer::SignerClient*> Session::signer() {
  PKI_TRY_VOID(settle());
  return signer_beside_store();
}

Result<signer::SignerClient*> Session::signer_beside_store() {
  if (signer_ == nullptr || !signer_->is_open()) {
    // The master holds the socket of a signer that does not run: a request would wait there for nobody.
    const auto seen = signer_of(board(), realm().name.text());
    if (seen.state == base::ProcessState::Degraded && !base::serves_although(seen.detail)) {
      return Error(Code::Unavailable, "the signer of realm " + realm().name.text() + " does not run: " + seen.detail);
    }
    auto connected = connect_signer();
    if (!connected.ok())
      return Error(Code::Unavailable,
                   "the signer of realm " + realm().name.text() + " does not answer: " + connected.error().message(),
                   "try again later");
    signer_ = std::make_unique<signer::SignerClient>(std::move(connected).value());
  }
  return signer_.get();
}

Result<signer::SignerClient> Session::connect_signer() {
  PKI_TRY(const auto* own, passes());
  return signer::SignerClient::connect(snapshot().server.signer_socket_file(realm().name).string(), own->signer.view());
}

int Session::count_refusal() {
  const auto now = clock_.now();
  if (now - refusals_since_ >= std::chrono::minutes{1} || now < refusals_since_) {
    refusals_since_ = now;
    refusals_ = 0;
  }
  return ++refusals_;
}

/// ca.crt; one that came after this session was bound to its realm is out of the worker's reach, and the signer tells it.
Result<std::string> Session::chain() {
  auto text = base::read_file(realm().ca_certificate_file(), kMaxChainBytes);
  if (text.ok()) return text;
  PKI_TRY(auto* client, signer());
  PKI_TRY(const auto info, client->authority());
  return info.chain;
}

Result<const std::vector<realm::Generation>*> Session::generations() {
  if (generations_seen_) return &generations_;
  const auto opened = store();
  auto kept = opened.ok() ? (*opened)->get_meta(kGenerationsFact) : Result<std::optional<std::string>>(opened.error());
  // Of a store that does not answer the realm's files are the word; who needs it says so.
  const auto text = kept.ok() ? std::move(kept).value() : std::nullopt;
  const bool is_known = !generations_.empty() && text == generations_text_;
  if (!is_known && text) {
    PKI_TRY(generations_, generations_from(*text, realm()));
  } else if (!is_known) {
    PKI_TRY(const auto pem, chain());
    PKI_TRY(generations_, only_generation(pem, realm()));
  }
  const bool waits = !text && !generations_.front().authority;  // until the next request, which may find it
  generations_text_ = text;
  generations_seen_ = !waits;
  return &generations_;
}

Result<const realm::Generation*> Session::generation(const std::string& label) {
  PKI_TRY(const auto* all, generations());
  if (const auto* found = realm::find(*all, label)) return found;
  const auto& name = label.empty() ? std::string(config::kFirstCa) : label;
  const auto now = clock_.now();
  if (const auto* found = realm::issuing(*all, name, now, now)) return found;
  // One that issues nothing can be looked at: it waits, or has expired.
  const realm::Generation* newest = nullptr;
  for (const auto& one : *all) {
    const bool counts = one.state == realm::GenerationState::Active || one.state == realm::GenerationState::Prepared;
    if (one.name() == name && counts && (newest == nullptr || one.number() > newest->number())) newest = &one;
  }
  if (newest != nullptr) return newest;
  return Error(Code::NotFound, "no CA \"" + base::printable(name, 80) + "\" in this realm", "ca.list lists them");
}

Result<const realm::Generation*> Session::generation_above(const x509::Certificate& certificate) {
  PKI_TRY(const auto* all, generations());
  if (const auto* found = signer_of(*all, certificate)) return found;
  return Error(Code::NotFound, "no CA of this realm signed certificate " + certificate.serial().hex());
}

Status Session::keep_generations(const std::vector<signer::GenerationInfo>& generations) {
  PKI_TRY(auto* opened, store());
  PKI_TRY(const bool changed, worker::keep_generations(*opened, generations));
  if (changed) base::log_info("the CAs of realm " + realm().name.text() + " are known anew");
  generations_.clear();
  generations_seen_ = false;
  return {};
}

Status Session::refresh_generations() {
  PKI_TRY(auto* client, signer());
  PKI_TRY(auto* opened, store());
  PKI_TRY(const auto before, opened->get_meta(kGenerationsFact));
  PKI_TRY(const auto all, client->generations());
  PKI_TRY(const auto after, opened->get_meta(kGenerationsFact));
  if (after == before) return keep_generations(all);
  generations_.clear();  // somebody took a step meanwhile, of which this answer may know nothing: what he kept stands
  generations_seen_ = false;
  return {};
}

Result<const realm::Authority*> Session::authority() {
  PKI_TRY(const auto* all, generations());
  const auto now = clock_.now();
  const auto* one = realm::issuing(*all, config::kFirstCa, now, now);
  if (one == nullptr) {
    PKI_TRY(one, generation(config::kFirstCa));
  }
  if (one->authority) return &*one->authority;
  return Error(Code::Unavailable, "the CA of realm " + realm().name.text() + " has no certificate yet",
               "have its request (ca.get) signed and bring the certificate with ca.import");
}

}  // namespace chancery::worker
