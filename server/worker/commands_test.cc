#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "server/worker/revocation.h"
#include "server/worker/testing.h"

/// The room's own handlers on an empty store, behind a signer without a key: whatever they answer, it is of the form that the
/// command table says.
namespace chancery::worker {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): this room's own

using wire::Type;

bool all_of_kind(const Json& value, bool (*kind)(const Json&)) {
  return value.is_array() && std::ranges::all_of(*value.as_array(), kind);
}

bool is_of(Type type, const Json& value) {
  const auto* text = value.as_string();
  switch (type) {
    case Type::Text:
    case Type::Word: return text != nullptr;
    case Type::Hex: return text != nullptr && !text->empty() && text->find_first_not_of("0123456789abcdef") == std::string::npos;
    case Type::File: return text != nullptr && !text->empty();
    case Type::Pem: return text != nullptr && text->starts_with("-----BEGIN ");
    case Type::Time: return text != nullptr && base::from_rfc3339(*text).ok();
    case Type::Integer: return value.as_integer() != nullptr;
    case Type::Boolean: return value.as_bool() != nullptr;
    case Type::Texts: return all_of_kind(value, [](const Json& one) { return one.is_string(); });
    case Type::Object: return value.is_object();
    case Type::Objects: return all_of_kind(value, [](const Json& one) { return one.is_object(); });
    case Type::Any: return true;
  }
  return false;
}

/// Holds a result against the fields that the table names.
void expect_fields(const wire::Command& command, const Json& result) {
  ASSERT_TRUE(result.is_object()) << command.name;
  for (const auto& [name, value] : *result.as_object()) {
    const auto field = std::ranges::find(command.result, name, &wire::Field::name);
    ASSERT_NE(field, command.result.end()) << command.name << " gives " << name << ", which the table does not name";
    EXPECT_TRUE(is_of(field->type, value)) << command.name << " " << name << ": " << wire::to_text(value);
  }
}

/// The answers to every command, each in a session of its own.
void expect_answers(Place& place, bool optional_ones, const std::set<std::string>& errors) {
  const auto uid = place.somebody();
  place.grant(uid, "*", {Role::Admin});
  place.server.front_ends.push_back(
      {.name = "door", .program = "chancery-notify", .user = std::to_string(uid), .realms = {"*"}, .roles = {Role::Admin}});
  auto& realm = place.realm("default");
  realm.seed_file = (realm.directory / "seed").string();
  ASSERT_TRUE(base::replace_file(realm.seed_file, base::as_bytes("a seed"), 0600).ok());
  for (const auto& command : wire::commands()) {
    place.connect({uid}, [&](Session& session) {
      if (command.state == wire::In::Holder) return;  // attest_test.cc has them
      if (command.state != wire::In::Anywhere) {
        ASSERT_TRUE(session.open("default", command.state == wire::In::FrontEnd ? "door" : "").ok());
      }
      const auto reply = ask(session, command.name, sample_params(command, optional_ones));
      if (reply.result) expect_fields(command, *reply.result);
      if (reply.error) {
        EXPECT_TRUE(errors.contains(code_of(reply))) << command.name << ": " << base::to_line(*reply.error);
      }
    });
  }
}

/// What samples lead to: no such thing, no PEM, none of several parameters, a number that is another. Never a bug, a fault of the
/// store or of the session.
const std::set<std::string> kFound{"not_found",   "malformed",   "invalid_params", "bad_key",
                                   "auth_failed", "unsupported", "policy_refused", "conflict"};

TEST(Commands, AnswerInTheTablesForm) {
  Place place;
  const StandInSigner signer(place.signer_socket("default"));
  auto errors = kFound;
  errors.insert("unavailable");  // there is no CA
  expect_answers(place, false, errors);
  expect_answers(place, true, errors);
}

TEST(Commands, C27_AnswerWithoutASigner) {
  Place place;
  auto errors = kFound;
  errors.insert("unavailable");
  expect_answers(place, false, errors);
  expect_answers(place, true, errors);
}

// ----- what a session sees of the server

/// Workers and signers of both realms are on the board.
void populate(Place& place) {
  for (std::size_t slot = 1; slot <= 2; ++slot) {
    const auto realm = RealmName::parse(slot == 1 ? "default" : "other").value();
    place.board->occupy(slot, 7, kNow);
    ASSERT_TRUE(place.board->enter_realm(slot, realm, 9).ok());
    place.board->show_process(
        slot, {.kind = "signer", .name = realm.text(), .pid = 7, .state = base::ProcessState::Ready, .since = kNow});
  }
}

std::multiset<std::string> texts_of(const Json& list, std::string_view member) {
  std::multiset<std::string> texts;
  for (const auto& one : *list.as_array()) texts.insert(one.text(member));
  return texts;
}

TEST(ServerStatus, F50_AUserSeesTheSessionsRealm) {
  Place place;
  populate(place);
  const auto uid = place.somebody();
  place.grant(uid, "default", {Role::User});
  place.connect({uid}, [](Session& session) {
    ASSERT_EQ(code_of(ask(session, "session.open")), "ok");
    const auto status = ask(session, "server.status").result.value();
    EXPECT_EQ(texts_of(*status.find("workers"), "realm"), (std::multiset<std::string>{"default", "default"}));
    EXPECT_EQ(texts_of(*status.find("processes"), "name"), std::multiset<std::string>{"default"});
  });
}

TEST(ServerStatus, AnAdministratorOfTheServerSeesAll) {
  Place place;
  populate(place);
  place.connect({0}, [](Session& session) {
    const auto status = ask(session, "server.status").result.value();
    EXPECT_EQ(texts_of(*status.find("workers"), "realm"), (std::multiset<std::string>{"", "default", "other"}));
    EXPECT_EQ(texts_of(*status.find("processes"), "name"), (std::multiset<std::string>{"default", "other"}));
  });
}

TEST(RealmList, F50_NamesRealmsOfThePeerAlone) {
  Place place;
  const auto uid = place.somebody();
  place.grant(uid, "other", {Role::User});
  place.connect({uid}, [](Session& session) {
    EXPECT_EQ(texts_of(*ask(session, "realm.list").result->find("realms"), "name"), std::multiset<std::string>{"other"});
    EXPECT_EQ(code_of(ask(session, "session.open", Json::object({{"realm", "other"}}))), "ok");
    EXPECT_EQ(texts_of(*ask(session, "realm.list").result->find("realms"), "name"), std::multiset<std::string>{"other"});
  });
  place.connect({0}, [](Session& session) {
    EXPECT_EQ(texts_of(*ask(session, "realm.list").result->find("realms"), "name"),
              (std::multiset<std::string>{"default", "other"}));
    EXPECT_EQ(code_of(ask(session, "session.open")), "ok");
    EXPECT_EQ(texts_of(*ask(session, "realm.list").result->find("realms"), "name"), std::multiset<std::string>{"default"});
  });
}

// ----- the session's own commands

TEST(SessionCommands, OpenAndWhoamiSayTheSame) {
  Place place;
  const auto uid = place.somebody();
  place.grant(uid, "default", {Role::User, Role::Auditor});
  place.connect({uid}, [](Session& session) {
    const auto opened = ask(session, "session.open").result.value();  // the default realm
    EXPECT_EQ(opened.text("realm"), "default");
    EXPECT_EQ(opened.text("identity"), session.identity().name);
    EXPECT_EQ(opened.texts("roles"), (std::vector<std::string>{"user", "auditor"}));
    EXPECT_EQ(ask(session, "session.whoami").result, opened);
    EXPECT_EQ(code_of(ask(session, "session.open")), "conflict");
  });
}

TEST(SessionCommands, CloseEndsTheSessionInEveryState) {
  Place place;
  for (const bool open : {false, true}) {
    place.connect({0}, [&](Session& session) {
      if (open) {
        ASSERT_EQ(code_of(ask(session, "session.open")), "ok");
      }
      EXPECT_FALSE(session.closing);
      EXPECT_EQ(ask(session, "session.close").result, Json::object({{"closed", true}}));
      EXPECT_TRUE(session.closing);
    });
  }
}

TEST(SessionCommands, C18_ALoginWithoutARecordIsNone) {
  Place place;
  const auto uid = place.somebody();
  place.grant(uid, "default", {Role::User});
  place.connect({uid}, [](Session& session) {
    ASSERT_EQ(code_of(ask(session, "session.open")), "ok");
    EXPECT_EQ(code_of(ask(session, "session.login", Json::object({{"certificate", "x"}, {"signature", "x"}}))), "unavailable");
    EXPECT_EQ(session.identity().roles, Roles{Role::User});
  });
}

// ----- what the journal says

TEST(StateChanges, F10_WhatIsNoChangeOfAKnownCertificateStopsNothing) {
  Place place;
  const auto certificate = place.certify("/CN=www.example.com");
  auto store = place.open_store();
  const auto change_of = [](const std::string& serial, const std::string& reason) {
    const auto about = Json::object({{"serial", serial}, {"reason", reason}, {"at", base::to_epoch(kNow)}});
    return Json::object({{"requester", "unix:alice"}, {"position", 7}, {"about", wire::to_text(about)}});
  };
  for (const auto* wrong : {"", "no serial", "0000"}) EXPECT_FALSE(repeatable_change(change_of(wrong, "superseded"))) << wrong;
  EXPECT_FALSE(repeatable_change(Json::object({{"about", "{"}})));
  for (const auto* wrong : {"nonsense", "removeFromCRL", "8", " "})
    EXPECT_FALSE(repeatable_change(change_of("1f2e3d", wrong))) << wrong;
  EXPECT_FALSE(repeatable_change(Json::object({{"about", R"({"serial":"1f2e3d","reason":"superseded","at":-1})"}})));
  for (const auto* reason : {"superseded", ""}) {
    const auto unknown = repeatable_change(change_of("1f2e3d", reason));
    ASSERT_TRUE(unknown);
    EXPECT_TRUE(repeat(store, *unknown).ok());
  }
  const auto known = repeatable_change(change_of(certificate.serial().hex(), "superseded"));
  ASSERT_TRUE(known);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(repeat(store, *known).ok());
  EXPECT_EQ(store.certificate(certificate.serial())->state, store::CertificateState::Revoked);
}

}  // namespace
}  // namespace chancery::worker
