#include "clients/http/parking.h"

namespace chancery::http {

struct Parking::Way : std::enable_shared_from_this<Parking::Way> {
  std::mutex mutex;
  Parking* parking;

  void end(std::uint64_t connection, const std::shared_ptr<const Match>& match, std::shared_ptr<Response> better) {
    const std::lock_guard lock(mutex);
    if (parking == nullptr) return;
    parking->loop_.post([way = shared_from_this(), connection, match, better = std::move(better)] {
      if (way->parking != nullptr) way->parking->end(connection, match, better.get());  // on the thread that ends it
    });
  }
};

Parking::Parking(Loop& loop, Give give, std::chrono::milliseconds longest)
    : loop_(loop), give_(std::move(give)), longest_(longest), way_(std::make_shared<Way>()) {
  way_->parking = this;
}

Parking::~Parking() {
  const std::lock_guard lock(way_->mutex);
  way_->parking = nullptr;
}

void Parking::park(std::uint64_t connection, std::shared_ptr<const Match> match, Response response) {
  const auto wait = std::exchange(response.wait_for_better, nullptr);
  // A timer must not go while it calls: what it says is done behind it.
  auto until = std::make_unique<Timer>(loop_.base(), [way = way_, connection, match] { way->end(connection, match, nullptr); });
  until->set(longest_);
  parked_[connection] = {match, std::move(response), std::move(until)};
  wait([way = way_, connection, match = std::move(match)](Response better) {
    way->end(connection, match, std::make_shared<Response>(std::move(better)));
  });
}

/// An answer that comes too late finds nobody, or the connection's next request.
void Parking::end(std::uint64_t connection, const std::shared_ptr<const Match>& match, Response* better) {
  const auto found = parked_.find(connection);
  if (found == parked_.end() || found->second.match != match) return;
  auto response = better != nullptr ? std::move(*better) : std::move(found->second.at_hand);
  parked_.erase(found);
  give_(connection, *match, std::move(response), better != nullptr);
}

}  // namespace chancery::http
