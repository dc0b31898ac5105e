#include "server/store/testing.h"

namespace chancery::store {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using Times = std::vector<Seconds>;

class AcmeLimits : public Contract {
 protected:
  /// A validation that failed, of an authorization of its own.
  Status fail(const AcmeFailure& failure) {
    auto authorization = authorization_of("of-" + failure.account + failure.name + failure.id, failure.account);
    PKI_TRY_VOID(store_.add_acme_authorization(authorization));
    const AcmeValidation validation{failure.account, failure.name, kNow + seconds(30), failure.id};
    PKI_TRY_VOID(store_.begin_acme_validation(authorization, validation));
    return store_.end_acme_validation(authorization, validation, failure);
  }
  std::vector<Seconds> going_on(Seconds now = kNow, std::size_t most = 9) {
    return store_.acme_validation_ends("a", "DNS:x", now, most).value();
  }
};
INSTANTIATE_TEST_SUITE_P(Store, AcmeLimits, testing::ValuesIn(all_backends()), backend_name);

TEST_P(AcmeLimits, OrdersOfAnAccountHaveTheirTimes) {
  for (int i = 0; i < 3; ++i) {
    auto order = order_of("o" + std::to_string(i), "a");
    order.created_at = kNow - hours(i);
    EXPECT_OK(store_.add_acme_order(order, {}));
  }
  EXPECT_EQ(store_.acme_order_times("a", kNow - hours(9), 9).value(), (Times{kNow, kNow - hours(1), kNow - hours(2)}));
  EXPECT_EQ(store_.acme_order_times("a", kNow - hours(9), 2).value(), (Times{kNow, kNow - hours(1)}));
  EXPECT_EQ(store_.acme_order_times("a", kNow - hours(1), 9).value(), Times{kNow});
  EXPECT_EQ(store_.acme_order_times("b", kNow - hours(9), 9).value(), Times{});
}

TEST_P(AcmeLimits, CertificatesOfANameHaveTheirTimes) {
  auto one = certificate_of("01");
  EXPECT_OK(store_.add_certificate(one));
  EXPECT_EQ(store_.certificate_times("IP:10.0.0.1", kNow - hours(1), 5).value(), Times{kNow});
  EXPECT_EQ(store_.certificate_times("IP:10.0.0.1", kNow, 5).value(), Times{});
  EXPECT_EQ(store_.certificate_times("IP:10.0.0.2", kNow - hours(1), 5).value(), Times{});
}

TEST_P(AcmeLimits, TheLatestCertificateOfARequesterEnds) {
  auto one = certificate_of("01");
  one.requester = "acme:a";
  EXPECT_OK(store_.add_certificate(one));
  EXPECT_EQ(store_.latest_certificate_end("acme:a").value(), one.not_after);
  EXPECT_FALSE(store_.latest_certificate_end("acme:b").value());
}

TEST_P(AcmeLimits, OnlyPendingAuthorizationsCount) {
  const auto ends = [&] { return store_.acme_pending_ends("a", kNow - hours(1), 5).value(); };
  auto authorization = authorization_of("z", "a");
  EXPECT_OK(store_.add_acme_order(order_of("o", "a"), std::span(&authorization, 1)));
  EXPECT_EQ(ends(), Times{authorization.expires});
  authorization.status = "valid";
  EXPECT_OK(store_.update_acme_authorization(authorization));
  EXPECT_EQ(ends(), Times{});
}

TEST_P(AcmeLimits, FailuresCountForTheirNameAndAccountUntilTheyArePurged) {
  const auto times = [&](const std::string& account, const std::string& name) {
    return store_.acme_failure_times(account, name, kNow - hours(9), 9).value();
  };
  for (int i = 0; i < 3; ++i) EXPECT_OK(fail({"a", "DNS:x", kNow - hours(i), std::to_string(i)}));
  EXPECT_EQ(times("a", "DNS:x").size(), 3U);
  EXPECT_EQ(times("a", "DNS:y"), Times{});
  EXPECT_EQ(times("b", "DNS:x"), Times{});
  EXPECT_OK(store_.purge_acme_failures(kNow - hours(1), 1));
  EXPECT_EQ(times("a", "DNS:x"), (Times{kNow, kNow - hours(1)}));
  EXPECT_OK(store_.purge_acme_failures(kNow - hours(1), 5));
  EXPECT_EQ(times("a", "DNS:x"), Times{kNow});
}

TEST_P(AcmeLimits, AValidationGoesOnUntilItsVerdictOrItsEnd) {
  auto one = authorization_of("1", "a");
  auto two = authorization_of("2", "a");
  for (const auto* const each : {&one, &two}) EXPECT_OK(store_.add_acme_authorization(*each));
  const AcmeValidation first{"a", "DNS:x", kNow + seconds(30), "claim-1"};
  const AcmeValidation second{"a", "DNS:x", kNow + seconds(40), "claim-2"};
  one.challenges = R"([{"status":"processing"}])";
  EXPECT_OK(store_.begin_acme_validation(one, first));
  EXPECT_EQ(store_.acme_authorization("1").value().challenges, one.challenges);
  EXPECT_OK(store_.begin_acme_validation(two, second));
  EXPECT_EQ(going_on(), (Times{second.ends, first.ends}));
  EXPECT_EQ(going_on(kNow, 1), Times{second.ends});
  EXPECT_EQ(going_on(first.ends), Times{second.ends}) << "it lapses when it ends";
  EXPECT_EQ(store_.acme_validation_ends("b", "DNS:x", kNow, 9).value(), Times{});
  EXPECT_EQ(store_.acme_validation_ends("a", "DNS:y", kNow, 9).value(), Times{});
  one.status = "valid";
  EXPECT_OK(store_.end_acme_validation(one, first, std::nullopt));
  EXPECT_EQ(going_on(), Times{second.ends});
  EXPECT_EQ(store_.acme_authorization("1").value().status, "valid");
  EXPECT_EQ(store_.acme_failure_times("a", "DNS:x", kNow - hours(9), 9).value(), Times{});
  EXPECT_OK(store_.purge_acme_validations(second.ends - seconds(1), 9));
  EXPECT_EQ(going_on(), Times{second.ends});
  EXPECT_OK(store_.purge_acme_validations(second.ends, 9));
  EXPECT_EQ(going_on(), Times{});
}

/// Of a change that another was quicker with, neither the beginning nor the end of a validation stays behind.
TEST_P(AcmeLimits, AValidationOfWhatChangedMeanwhileIsNone) {
  auto one = authorization_of("1", "a");
  EXPECT_OK(store_.add_acme_authorization(one));
  auto late = one;
  EXPECT_OK(store_.update_acme_authorization(one));
  const AcmeValidation validation{"a", "DNS:x", kNow + seconds(30), "claim"};
  EXPECT_EQ(store_.begin_acme_validation(late, validation).error().code(), Code::Conflict);
  EXPECT_EQ(going_on(), Times{});
  EXPECT_OK(store_.begin_acme_validation(one, validation));
  EXPECT_EQ(store_.end_acme_validation(late, validation, AcmeFailure{"a", "DNS:x", kNow, "f"}).error().code(), Code::Conflict);
  EXPECT_EQ(going_on(), Times{validation.ends});
  EXPECT_EQ(store_.acme_failure_times("a", "DNS:x", kNow - hours(9), 9).value(), Times{});
}

TEST_P(AcmeLimits, C30_WhatIsNotAllowedIsNotWritten) {
  const Error refusal(Code::PolicyRefused, "too many");
  const auto forbid = [&]() -> Status { return refusal; };
  auto authorization = authorization_of("1", "a");
  EXPECT_EQ(store_.add_acme_order(order_of("o", "a"), std::span(&authorization, 1), forbid).error().message(), "too many");
  EXPECT_EQ(store_.acme_order("o").error().code(), Code::NotFound);
  EXPECT_EQ(store_.add_acme_authorization(authorization, forbid).error().message(), "too many");
  EXPECT_EQ(store_.acme_authorization("1").error().code(), Code::NotFound);
  // It counts what is there by then, in the transaction itself.
  const auto at_most_one = [&]() -> Status {
    PKI_TRY(const auto times, store_.acme_order_times("a", kNow - hours(1), 9));
    return times.empty() ? Status() : refusal;
  };
  EXPECT_OK(store_.add_acme_order(order_of("o1", "a"), {}, at_most_one));
  EXPECT_EQ(store_.add_acme_order(order_of("o2", "a"), {}, at_most_one).error().message(), "too many");
  EXPECT_OK(store_.add_acme_authorization(authorization));
  const AcmeValidation validation{"a", "DNS:x", kNow + seconds(30), "claim"};
  EXPECT_EQ(store_.begin_acme_validation(authorization, validation, forbid).error().message(), "too many");
  EXPECT_EQ(going_on(), Times{});
  EXPECT_TRUE(store_.begin_acme_validation(authorization, validation).ok()) << "its version is as it was";
}

/// Room for a certificate of these names, below a limit of so many.
AcmeReservation room_for(const std::string& order, std::vector<std::string> names, std::size_t most, Seconds at = kNow) {
  return {
      .order = order, .names = std::move(names), .at = at, .most = most, .since = at - hours(168), .alive_since = at - hours(1)};
}

std::vector<std::string> names_in(const std::vector<AcmeNameInUse>& full) {
  std::vector<std::string> names;
  for (const auto& one : full) names.push_back(one.name);
  return names;
}

using Names = std::vector<std::string>;

TEST_P(AcmeLimits, C30_RoomIsTakenOnce) {
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o1", {"DNS:x", "DNS:y"}, 1)).value()), Names{});
  const auto refused = store_.reserve_acme_certificate(room_for("o2", {"DNS:w", "DNS:x"}, 1)).value();
  ASSERT_EQ(names_in(refused), Names{"DNS:x"});
  EXPECT_EQ(refused.front().reservations, Times{kNow});
  EXPECT_EQ(refused.front().certificates, Times{});
  // Nothing was taken of what was refused in part; the same order may come again; a larger limit has room.
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o3", {"DNS:w"}, 1)).value()), Names{});
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o1", {"DNS:x", "DNS:y"}, 1)).value()), Names{});
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o4", {"DNS:x"}, 2)).value()), Names{});
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o5", {"DNS:x"}, 2)).value()), Names{"DNS:x"});
}

TEST_P(AcmeLimits, C30_RoomThatIsGivenBackOrLapsesIsAnothers) {
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o1", {"DNS:x"}, 1)).value()), Names{});
  EXPECT_OK(store_.release_acme_certificate("o2"));
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o2", {"DNS:x"}, 1)).value()), Names{"DNS:x"});
  EXPECT_OK(store_.release_acme_certificate("o1"));
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o2", {"DNS:x"}, 1)).value()), Names{});
  const auto later = kNow + hours(1);
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o3", {"DNS:x"}, 1, later - seconds(1))).value()), Names{"DNS:x"});
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o3", {"DNS:x"}, 1, later)).value()), Names{});
  // The one that lapsed comes back, and finds its room taken.
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o2", {"DNS:x"}, 1, later)).value()), Names{"DNS:x"});
}

TEST_P(AcmeLimits, C30_TheCertificateTakesTheRoomOfItsOrder) {
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o1", {"IP:10.0.0.1"}, 2)).value()), Names{});
  auto one = certificate_of("01");
  one.acme_order = "o1";
  EXPECT_OK(store_.add_certificate(one));
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o2", {"IP:10.0.0.1"}, 2)).value()), Names{});
  const auto refused = store_.reserve_acme_certificate(room_for("o3", {"IP:10.0.0.1"}, 2)).value();
  ASSERT_EQ(names_in(refused), Names{"IP:10.0.0.1"});
  EXPECT_EQ(refused.front().certificates, Times{kNow});
  EXPECT_EQ(refused.front().reservations, Times{kNow});
}

TEST_P(AcmeLimits, C6_TheCertificateCompletesItsOrder) {
  auto waiting = order_of("o1", "a");
  auto other = order_of("o2", "a");
  for (auto* order : {&waiting, &other}) {
    order->status = "processing";
    EXPECT_OK(store_.add_acme_order(*order, {}));
  }
  auto one = certificate_of("01");
  one.acme_order = "o1";
  EXPECT_OK(store_.add_certificate(one));
  const auto completed = store_.acme_order("o1").value();
  EXPECT_EQ(completed.status, "valid");
  EXPECT_EQ(completed.serial, one.serial.hex());
  EXPECT_EQ(store_.acme_order("o2").value().status, "processing");
  // Who read it before writes nothing over that.
  waiting.status = "invalid";
  EXPECT_EQ(store_.update_acme_order(waiting).error().code(), Code::Conflict);
}

TEST_P(AcmeLimits, ACertificateThatIsThereAlreadyCompletesItsOrderToo) {
  auto one = certificate_of("01");
  one.acme_order = "o1";
  EXPECT_OK(store_.add_certificate(one));
  auto order = order_of("o1", "a");
  order.status = "processing";
  EXPECT_OK(store_.add_acme_order(order, {}));
  EXPECT_EQ(store_.add_certificate(one).value(), Added::Already);
  EXPECT_EQ(store_.acme_order("o1").value().serial, one.serial.hex());
}

TEST_P(AcmeLimits, ACertificateCompletesNoOrderThatDoesNotWaitForIt) {
  for (const std::string status : {"pending", "ready", "invalid"}) {
    auto order = order_of("o-" + status, "a");
    order.status = status;
    EXPECT_OK(store_.add_acme_order(order, {}));
    auto one = certificate_of(status == "pending" ? "01" : status == "ready" ? "02" : "03");
    one.acme_order = order.id;
    EXPECT_OK(store_.add_certificate(one));
    EXPECT_EQ(store_.acme_order(order.id).value().status, status);
    EXPECT_EQ(store_.acme_order(order.id).value().serial, "");
  }
}

TEST_P(AcmeLimits, RoomThatLapsedIsForgotten) {
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o1", {"DNS:x", "DNS:y"}, 1)).value()), Names{});
  EXPECT_EQ(names_in(store_.reserve_acme_certificate(room_for("o2", {"DNS:z"}, 1, kNow + hours(2))).value()), Names{});
  EXPECT_OK(store_.purge_acme_reservations(kNow, 1));
  const auto is_there = [&](const std::string& name) {  // as if it lasted for ever
    auto probe = room_for("probe", {name}, 1);
    probe.alive_since = kNow - hours(9);
    return !store_.reserve_acme_certificate(probe).value().empty();
  };
  EXPECT_FALSE(is_there("DNS:y"));
  EXPECT_TRUE(is_there("DNS:z"));
}

}  // namespace
}  // namespace chancery::store
