#include "clients/acme/quorum.h"

#include <gtest/gtest.h>

#include "clients/acme/problems.h"

namespace chancery::acme {
namespace {

Verdict yes(bool caa_checked = false) { return {std::nullopt, "found it", caa_checked}; }
Verdict no(std::string_view type = "dns", const std::string& why = "no such record") { return {acme_error(type, why), "asked"}; }

std::string point(std::size_t number) { return "tcp://point-" + std::to_string(number) + ":5010 key"; }

std::vector<Finding> findings_of(const std::vector<Verdict>& verdicts) {
  std::vector<Finding> findings;
  for (const auto& one : verdicts) findings.push_back({point(findings.size()), one});
  return findings;
}

/// The primary's finding, what each of 0 to 4 vantage points found (a bit each), and every quorum there could be.
TEST(Quorum, I10_TruthTable) {
  constexpr std::size_t kMostPoints = 4;
  std::size_t rows = 0;
  for (const bool own : {false, true}) {
    for (std::size_t points = 0; points <= kMostPoints; ++points) {
      for (unsigned bits = 0; bits < 1U << points; ++bits) {
        for (std::size_t quorum = 0; quorum <= points + 1; ++quorum) {
          std::vector<Verdict> verdicts;
          std::size_t agreeing = 0;
          for (std::size_t i = 0; i < points; ++i) {
            const bool found = (bits >> i & 1) != 0;
            verdicts.push_back(found ? yes() : no());
            agreeing += found ? 1 : 0;
          }
          const auto verdict = decide(own ? yes() : no(), findings_of(verdicts), quorum);
          EXPECT_EQ(!verdict.error, own && agreeing >= quorum)
              << "own " << own << ", points " << points << ", bits " << bits << ", quorum " << quorum;
          ++rows;
        }
      }
    }
  }
  EXPECT_EQ(rows, 2U * (1 * 2 + 2 * 3 + 4 * 4 + 8 * 5 + 16 * 6));
}

TEST(Quorum, I10_ThePrimarysFailureAloneBlocksWhateverOthersSay) {
  const auto verdict = decide(no("connection", "refused"), findings_of({yes(), yes(), yes(), yes()}), 1);
  ASSERT_TRUE(verdict.error);
  EXPECT_EQ(to_problem(*verdict.error).type, "connection");
  EXPECT_EQ(to_problem(*verdict.error).detail, "refused");
}

TEST(Quorum, WhoDidNotLookAtCaaDoesNotCountWhereItIsLookedAt) {
  EXPECT_FALSE(decide(yes(true), findings_of({yes(true)}), 1).error);
  EXPECT_TRUE(decide(yes(true), findings_of({yes(true)}), 1).caa_checked);
  const auto verdict = decide(yes(true), findings_of({yes(false)}), 1);
  ASSERT_TRUE(verdict.error);
  EXPECT_FALSE(verdict.caa_checked);
  EXPECT_NE(verdict.error->message().find("did not look at CAA"), std::string::npos);
  EXPECT_FALSE(decide(yes(false), findings_of({yes(true)}), 1).error);
}

TEST(Quorum, TheErrorNamesEachWhoDidNotFindItAndTheMostCommonType) {
  const auto verdict =
      decide(yes(), findings_of({no("dns", "NXDOMAIN"), yes(), no("caa", "forbidden"), no("dns", "SERVFAIL")}), 3);
  ASSERT_TRUE(verdict.error);
  const auto problem = to_problem(*verdict.error);
  EXPECT_EQ(problem.type, "dns");
  EXPECT_EQ(problem.detail,
            "3 of 4 vantage points did not find it, and 3 must: tcp://point-0:5010: NXDOMAIN; tcp://point-2:5010: forbidden; "
            "tcp://point-3:5010: SERVFAIL");
  EXPECT_FALSE(is_passing(*verdict.error));
}

TEST(Quorum, AFaultOfOursNamesTheTypeOnlyWhenThereIsNoOther) {
  const auto type = [](const std::vector<Verdict>& verdicts) {
    return std::string(to_problem(*decide(yes(), findings_of(verdicts), 2).error).type);
  };
  EXPECT_EQ(type({no("serverInternal"), no("unauthorized")}), "unauthorized");
  EXPECT_EQ(type({no("unauthorized"), no("serverInternal")}), "unauthorized");
  EXPECT_EQ(type({no("serverInternal"), no("serverInternal")}), "serverInternal");
  EXPECT_EQ(type({no("serverInternal"), no("serverInternal"), no("tls")}), "serverInternal");
  EXPECT_EQ(type({}), "serverInternal") << "nobody was asked, and somebody must agree";
}

TEST(Quorum, TheEvidenceHasEachOnes) {
  EXPECT_EQ(decide(yes(), findings_of({yes(), no("tls", "no TLS"), {acme_error("dns", "late"), ""}}), 1).evidence,
            "found it; vantage point tcp://point-0:5010: yes (found it); vantage point tcp://point-1:5010: no: no TLS (asked); "
            "vantage point tcp://point-2:5010: no: late");
}

TEST(Quorum, AllItSaysIsBoundedAndPrintable) {
  const auto verdict = decide(yes(), findings_of(std::vector<Verdict>(16, no("dns", std::string(5000, '\n')))), 16);
  constexpr std::size_t kMostEvidence = 16384;  // of acme.challenge.finish
  constexpr std::size_t kMostError = 8192;
  EXPECT_LT(verdict.evidence.size() + 2000, kMostEvidence);
  EXPECT_LT(wire::to_text(problem_document(to_problem(*verdict.error))).size(), kMostError);
  EXPECT_EQ(verdict.evidence.find('\n'), std::string::npos);
  EXPECT_EQ(verdict.error->message().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace chancery::acme
