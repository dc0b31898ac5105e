#pragma once

#include <memory>

#include "server/base/bytes.h"

namespace chancery::crypto {

/// HMAC-SHA-256 (RFC 2104) under one key: for whoever asks again and again, since OpenSSL's HMAC() looks for its algorithm each
/// time. Any thread.
class HmacSha256 {
 public:
  explicit HmacSha256(ByteView key);
  HmacSha256(const HmacSha256&) = delete;
  HmacSha256& operator=(const HmacSha256&) = delete;
  ~HmacSha256();

  Bytes operator()(ByteView data) const;

 private:
  struct Keyed;
  std::unique_ptr<const Keyed> keyed_;
};

}  // namespace chancery::crypto
