#include <algorithm>
#include <regex>

#include "server/base/text.h"
#include "server/store/schema.h"
#include "server/store/sqlite_driver.h"
#include "server/store/testing.h"

/// The rules of PROMISES Q over every statement of sql/, and a proof that each is served by an index.
namespace chancery::store {
namespace {

/// Of the version row, which belongs to no realm.
bool is_global(const Statement& statement) { return statement.name.starts_with("schema_"); }

struct Forbidden {
  const char* what;
  const char* pattern;
};
/// Q3, Q5, Q6, Q10, Q12: what does not run everywhere, or hides an order of its own, or slows down as rows grow.
const Forbidden kForbidden[] = {
    {"SELECT *", R"(select\s+\*|\.\*)"},
    {"OFFSET", R"(\boffset\b)"},
    {"COUNT", R"(\bcount\s*\()"},
    {"LIKE scans", R"(\b(like|glob|regexp|ilike|match)\b)"},
    {"own ids", R"(\b(autoincrement|rowid|oid|serial4|serial8|bigserial|identity|nextval|sequence|last_insert_rowid)\b)"},
    {"locks", R"(\b(lock|advisory|pg_advisory\w*|for\s+(update|share))\b)"},
    {"wake-ups", R"(\b(listen|notify|unlisten)\b)"},
    {"session state", R"(\b(pragma|temp|temporary|with\s+hold|set\s+(session|local)|attach|vacuum)\b)"},
    {"programs in the database",
     R"(\bcreate\s+(or\s+replace\s+)?(trigger|function|procedure|rule|view)\b|\b(inherits|generated)\b)"},
    {"constraints that not all have", R"(\b(deferrable|exclude|check)\b)"},
    {"times and chance of the server",
     R"(\b(now|random\w*|gen_random_uuid|uuid\w*|current_\w+|datetime|strftime|date|julianday)\b)"},
    {"types that not all have", R"(\b(json\w*|array|enum|blob|integer|int|real|varchar|boolean|text\[\])\b)"},
    {"texts in the statement beyond the empty one", R"('[^',\s][^']*')"},
    {"two statements in one", R"(;)"},
};

std::vector<std::pair<std::string, std::string>> all_texts() {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& one : statements()) texts.emplace_back(one.name, base::to_lower_ascii(one.text));
  for (const auto& file : schema_steps()) {
    for (const auto text : file.statements)
      texts.emplace_back("schema " + std::to_string(file.version), base::to_lower_ascii(text));
  }
  return texts;
}

TEST(Sql, Q3_Q5_Q6_Q10_ForbiddenWordsAreNowhere) {
  for (const auto& rule : kForbidden) {
    const std::regex pattern(rule.pattern);
    for (const auto& [name, text] : all_texts())
      EXPECT_FALSE(std::regex_search(text, pattern)) << name << ": " << rule.what << "\n" << text;
  }
}

/// The rules bite.
TEST(Sql, Q5_TheLintFindsWhatItForbids) {
  const std::string kBad[] = {"select * from t",
                              "select a from t limit 1 offset 2",
                              "select count(*) from t",
                              "a like 'x%'",
                              "serial bigserial",
                              "select 1 for update",
                              "listen x",
                              "pragma x",
                              "create trigger t",
                              "deferrable",
                              "now()",
                              "x json",
                              "a = 'x'",
                              "a; b"};
  for (std::size_t i = 0; i < std::size(kBad); ++i) {
    EXPECT_TRUE(std::regex_search(kBad[i], std::regex(kForbidden[i].pattern))) << kBad[i];
  }
}

TEST(Sql, Q1_EveryStatementNamesItsRealm) {
  for (const auto& one : statements()) {
    if (is_global(one)) continue;
    EXPECT_NE(std::ranges::find(one.parameters, "realm_id"), one.parameters.end()) << one.name;
    const auto text = base::to_lower_ascii(one.text);
    const auto where = text.find("where");
    if (text.starts_with("insert")) {
      EXPECT_TRUE(std::regex_search(text, std::regex(R"(^insert into \w+ \(\s*realm_id,)"))) << one.name;
      if (text.find("on conflict") != std::string::npos) {
        EXPECT_NE(text.find("on conflict (realm_id, "), std::string::npos) << one.name;
      }
      continue;
    }
    ASSERT_NE(where, std::string::npos) << one.name;
    EXPECT_TRUE(std::regex_search(text.substr(where), std::regex(R"(^where (\w\.)?realm_id = \$\d+)"))) << one.name;
    if (text.find(" join ") != std::string::npos) {
      EXPECT_TRUE(std::regex_search(text, std::regex(R"(on \w\.realm_id = \w\.realm_id and)"))) << one.name;
    }
  }
}

TEST(Sql, Q1_TheRealmLeadsEveryTableKeyAndIndex) {
  for (const auto& file : schema_steps()) {
    for (const auto view : file.statements) {
      const auto text = base::to_lower_ascii(view);
      if (std::regex_match(text, std::regex(R"(drop index if exists \w+)"))) continue;  // another one serves instead
      EXPECT_NE(text.find("if not exists"), std::string::npos) << text;                 // may be said again (Q14)
      if (text.starts_with("create table")) {
        EXPECT_TRUE(std::regex_search(text, std::regex(R"(^create table if not exists \w+ \(\s*realm_id\s+text\s+not null,)")))
            << text;
        EXPECT_NE(text.find("primary key (realm_id, "), std::string::npos) << text;
        if (text.find("foreign key") != std::string::npos) {
          EXPECT_NE(text.find("foreign key (realm_id, "), std::string::npos) << text;
        }
        continue;
      }
      EXPECT_TRUE(std::regex_search(text, std::regex(R"(^create (unique )?index if not exists \w+\s+on \w+ \(realm_id, )")))
          << text;
    }
  }
}

TEST(Sql, Q12_WhatGivesManyRowsIsBounded) {
  for (const auto& one : statements()) {
    const auto text = base::to_lower_ascii(one.text);
    const bool pages = text.find("order by") != std::string::npos;
    EXPECT_EQ(pages && text.find("limit") == std::string::npos, false) << one.name;
  }
}

/// EXPLAIN QUERY PLAN of SQLite: every step is a SEARCH by realm in an index, nothing is scanned and nothing is sorted.
TEST(Sql, Q12_EveryStatementIsServedByAnIndex) {
  auto driver = open_memory_driver().value();
  ASSERT_TRUE(bring_up_to_date(*driver).ok());
  for (const auto& one : statements()) {
    const std::string text = "EXPLAIN QUERY PLAN " + std::string(one.text);
    const std::vector<Value> nulls(one.parameters.size());
    if (one.name == "schema_make") continue;  // EXPLAIN has nothing to say about it
    const auto plan = driver->run(Statement{one.name, text, one.parameters}, nulls).value();
    for (const auto& row : plan.rows) {
      const auto step = std::get<std::string>(row.back());
      const bool by_realm = step.find("(realm_id=?") != std::string::npos;
      EXPECT_EQ(step.find("SCAN"), std::string::npos) << one.name << ": " << step;
      EXPECT_EQ(step.find("TEMP B-TREE"), std::string::npos) << one.name << ": " << step;
      EXPECT_TRUE(step.starts_with("SEARCH") && (by_realm || is_global(one))) << one.name << ": " << step;
    }
  }
}

/// The paging searches use both their columns: a page costs what it holds.
TEST(Sql, Q12_PagesStartAtTheirKey) {
  auto driver = open_memory_driver().value();
  ASSERT_TRUE(bring_up_to_date(*driver).ok());
  for (const auto* name : {"certificate_search_all", "certificate_search_san", "certificate_search_profile",
                           "certificate_search_requester", "certificate_search_state"}) {
    const auto& one = statement(name);
    const std::string text = "EXPLAIN QUERY PLAN " + std::string(one.text);
    const std::vector<Value> nulls(one.parameters.size());
    const auto plan = driver->run(Statement{one.name, text, one.parameters}, nulls).value();
    EXPECT_NE(std::get<std::string>(plan.rows.at(0).back()).find("issued_at"), std::string::npos) << name;
  }
}

TEST(Sql, ParametersAreNumberedInOrder) {
  const auto& one = statement("schema_advance");
  EXPECT_EQ(std::vector(one.parameters.begin(), one.parameters.end()),
            (std::vector<std::string_view>{"new_version", "new_step", "version", "step"}));
  EXPECT_NE(one.text.find("version = $1"), std::string_view::npos);
  EXPECT_EQ(one.text.find(':'), std::string_view::npos);
}

TEST(Sql, AnUnknownStatementIsABug) { EXPECT_THROW(static_cast<void>(statement("no_such")), Bug); }

/// Runs last: the contract tests have used every statement there is.
class Coverage : public testing::Environment {
 public:
  void TearDown() override {
    if (!testing::GTEST_FLAG(filter).empty() && testing::GTEST_FLAG(filter) != "*") return;
    for (const auto& one : statements()) EXPECT_TRUE(WatchedDriver::seen().contains(std::string(one.name))) << one.name;
  }
};
const auto* const kCoverage = testing::AddGlobalTestEnvironment(new Coverage);  // gtest owns it

}  // namespace
}  // namespace chancery::store
