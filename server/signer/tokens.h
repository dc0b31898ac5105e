#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/config/next_key.h"
#include "server/signer/token_session.h"

namespace chancery::signer {

/// The tokens that a realm describes, each with the one session that there is with it. Those in which the realm has keys, or
/// makes its next ones, are connected; a signer connects when it starts alone, since it may fork then and never again.
class Tokens {
 public:
  explicit Tokens(const config::RealmConfig& realm);

  /// Null: the realm describes no such token.
  std::shared_ptr<TokenSession> find(const config::TokenConfig& token) const;
  /// Null: it describes none, or several that may be that one.
  std::shared_ptr<TokenSession> find(const TokenPlace& place) const;

  /// Call while the process has one thread. A token that is not there is an obstacle, no error. @errors Io; those of the PIN's
  /// file, of the token that has the realm's first key.
  Status connect();
  void watch();
  void stop_watching();
  void look_again();
  void on_usable(const std::function<void()>& usable);
  void on_change(const std::function<void()>& changed);

 private:
  bool is_wanted(const TokenSession& session) const;

  config::RealmConfig realm_;  ///< as it was when the signer started
  std::vector<std::shared_ptr<TokenSession>> sessions_;
};

}  // namespace chancery::signer
