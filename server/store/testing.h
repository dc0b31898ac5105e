#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "server/store/store.h"

/// What the store's tests share: databases of every driver, and drivers that fail when told to.
namespace chancery::store {

/// One empty database that lives as long as this, and connections to it.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;
  virtual Result<DriverPtr> connect() = 0;
};

/// A row of the table of drivers that the contract holds for; another driver joins by a row of its own (PROMISES Q20).
struct BackendKind {
  const char* name;
  std::unique_ptr<Backend> (*make)();
  bool shared;  ///< several connections see the same rows
};
std::vector<BackendKind> all_backends();
std::vector<BackendKind> shared_backends();

/// A directory that goes with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const base::Path& path() const { return path_; }

 private:
  base::Path path_;
};

/// Passes everything on, remembers the names of the statements, and asks before each run whether it should fail instead.
class WatchedDriver : public Driver {
 public:
  using Verdict = std::function<Status(const Statement&)>;
  WatchedDriver(DriverPtr inner, Verdict verdict) : inner_(std::move(inner)), verdict_(std::move(verdict)) {}

  Status begin(Access access) override { return inner_->begin(access); }
  Status commit() override;
  void rollback() noexcept override { inner_->rollback(); }
  Status settle() override { return inner_->settle(); }
  void enter_view() noexcept override { inner_->enter_view(); }
  void leave_view() noexcept override { inner_->leave_view(); }
  void renew_view() noexcept override { inner_->renew_view(); }
  Result<Outcome> run(const Statement& statement, std::span<const Value> values) override;

  /// Names of all statements that any watched driver of this process ran.
  static std::set<std::string>& seen();

 private:
  DriverPtr inner_;
  Verdict verdict_;
};

inline constexpr Seconds kNow{std::chrono::seconds{1'800'000'000}};

/// A store of realm "default", watched. Throws Bug when it cannot be had.
Store open_store(Backend& backend, const std::string& realm = "default");

Serial serial_of(const std::string& hex);
/// A certificate of CA "ca" with that serial, common name node-<serial>.example.com, issued at kNow, good for 90 days.
NewCertificate certificate_of(const std::string& serial_hex);
AcmeAccount account_of(const std::string& id);
AcmeAuthorization authorization_of(const std::string& id, const std::string& account);
AcmeOrder order_of(const std::string& id, const std::string& account);

template <class T>
Code code_of(const Result<T>& result) {
  if (!result.ok()) return result.error().code();
  ADD_FAILURE() << "succeeded, an error was expected";
  return Code::Internal;
}

#define EXPECT_OK(expression)                                                      \
  do {                                                                             \
    const auto expect_ok_result = (expression);                                    \
    EXPECT_TRUE(expect_ok_result.ok()) << base::to_line(expect_ok_result.error()); \
  } while (false)

/// The contract: every test runs with every driver.
class Contract : public testing::TestWithParam<BackendKind> {
 protected:
  Contract() : backend_(GetParam().make()), store_(open_store(*backend_)) {}
  std::unique_ptr<Backend> backend_;
  Store store_;
};
inline std::string backend_name(const testing::TestParamInfo<BackendKind>& info) { return info.param.name; }

}  // namespace chancery::store
