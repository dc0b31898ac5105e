#include "server/store/testing.h"

#include <stdlib.h>

#include <mutex>

#include "server/store/sqlite_driver.h"

namespace chancery::store {
namespace {

class MemoryBackend : public Backend {
 public:
  Result<DriverPtr> connect() override { return open_memory_driver(); }
};

class FileBackend : public Backend {
 public:
  Result<DriverPtr> connect() override { return open_sqlite_driver(directory_.path() / "realm.db"); }

 private:
  TemporaryDirectory directory_;
};

std::unique_ptr<Backend> make_memory() { return std::make_unique<MemoryBackend>(); }
std::unique_ptr<Backend> make_file() { return std::make_unique<FileBackend>(); }

std::mutex seen_mutex;

}  // namespace

std::vector<BackendKind> all_backends() { return {{"Memory", make_memory, false}, {"File", make_file, true}}; }

std::vector<BackendKind> shared_backends() {
  auto kinds = all_backends();
  std::erase_if(kinds, [](const BackendKind& kind) { return !kind.shared; });
  return kinds;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = testing::TempDir() + "store-XXXXXX";
  PKI_CHECK(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}
TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::set<std::string>& WatchedDriver::seen() {
  static std::set<std::string> names;
  return names;
}

namespace {
constexpr Statement kCommit{"commit", "COMMIT", {}};
}

Status WatchedDriver::commit() {
  if (verdict_) PKI_TRY_VOID(verdict_(kCommit));
  return inner_->commit();
}

Result<Outcome> WatchedDriver::run(const Statement& statement, std::span<const Value> values) {
  {
    const std::lock_guard lock(seen_mutex);
    seen().emplace(statement.name);
  }
  if (verdict_) PKI_TRY_VOID(verdict_(statement));
  return inner_->run(statement, values);
}

Store open_store(Backend& backend, const std::string& realm) {
  auto watched = std::make_unique<WatchedDriver>(backend.connect().value(), nullptr);
  return Store::over(std::move(watched), RealmName::parse(realm).value()).value();
}

Serial serial_of(const std::string& hex) { return Serial::from_hex(hex).value(); }

NewCertificate certificate_of(const std::string& serial_hex) {
  const auto serial = serial_of(serial_hex);
  const std::string cn = "node-" + serial.hex() + ".example.com";
  return {.serial = serial,
          .ca = "ca",
          .der = {0x30, 0x03, 0x02, 0x01, serial.octets().back()},
          .profile = "server",
          .subject = "/C=FR/O=Example/CN=" + cn,
          .cn = cn,
          .sans = {"DNS:" + cn, "IP:10.0.0.1"},
          .not_before = kNow,
          .not_after = kNow + std::chrono::days(90),
          .issued_at = kNow,
          .requester = "unix:alice",
          .front_end = "http",
          .rule = "profile server",
          .evidence = "http-01 10.0.0.1"};
}

AcmeAccount account_of(const std::string& id) {
  return {.id = id,
          .thumbprint = "thumbprint-" + id,
          .jwk = R"({"kty":"OKP"})",
          .status = "valid",
          .contact = "[]",
          .terms_agreed = true,
          .created_at = kNow};
}

AcmeAuthorization authorization_of(const std::string& id, const std::string& account) {
  return {.id = id,
          .account = account,
          .type = "dns",
          .value = "a.example.com",
          .status = "pending",
          .expires = kNow + std::chrono::days(7),
          .created_at = kNow,
          .challenges = "[]"};
}

AcmeOrder order_of(const std::string& id, const std::string& account) {
  return {.id = id,
          .account = account,
          .status = "pending",
          .identifiers = R"([{"type":"dns","value":"a.example.com"}])",
          .authorizations = {"authz-" + id},
          .profile = "server",
          .expires = kNow + std::chrono::days(7),
          .created_at = kNow};
}

}  // namespace chancery::store
