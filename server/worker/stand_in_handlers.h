#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "server/worker/handlers.h"
#include "server/worker/testing.h"

/// One function for every handler of the command table. A program that links it has none of the room's own handlers, so that its
/// tests see what reaches a handler and nothing of what handlers do.
namespace chancery::worker::testing {

/// The commands whose handlers ran, in their order, since the last call.
std::vector<std::string> take_handled();

/// What every handler does from now on; at first, and with nothing, it answers an empty object.
void handle_with(std::function<Result<Json>(Session&)> handler);

/// Realms, a signer for realm "default", and handlers that do nothing yet.
class DispatchFixture : public ::testing::Test {
 protected:
  DispatchFixture() {
    handle_with({});
    take_handled();
  }

  Place place;
  StandInSigner signer{place.signer_socket("default")};
};

}  // namespace chancery::worker::testing
