#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "clients/ra/ca_host.h"
#include "clients/ra/data_directory.h"
#include "server/base/clock.h"

namespace chancery::ra {

/// Renews ra.crt when two thirds of its life are over, for the key that it has, so that ra.key stays what it is and the file is
/// replaced in one step. The certificate's holder renews it (own.certificate.renew), as often in a day as the CA's realm lets
/// holders. What fails is logged and tried again, later each time; what is in use goes on until it ends.
class Renewal {
 public:
  /// @param on_renewed  called on a thread of this one, after ra.crt was replaced.
  Renewal(CaHost host, DataDirectory data, const base::Clock& clock, std::function<void()> on_renewed);
  Renewal(const Renewal&) = delete;
  Renewal& operator=(const Renewal&) = delete;
  ~Renewal();

 private:
  void work();
  /// Does what is due. @return when to look again.
  std::chrono::milliseconds attend();
  Status renew(const x509::Certificate& old);

  CaHost host_;
  DataDirectory data_;
  const base::Clock& clock_;
  std::function<void()> on_renewed_;
  std::chrono::milliseconds retry_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;  ///< last: it uses the rest
};

}  // namespace chancery::ra
