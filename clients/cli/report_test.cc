#include "clients/cli/report.h"

#include <gtest/gtest.h>

namespace chancery::cli {
namespace {

TEST(Csv, CellsStandAsRfc4180Says) {
  EXPECT_EQ(csv_line({"a", "b c", ""}), "a,b c,\r\n");
  EXPECT_EQ(csv_line({"", "x"}), ",x\r\n");
  EXPECT_EQ(csv_line({"a,b", "say \"no\"", "two\nlines"}), "\"a,b\",\"say \"\"no\"\"\",\"two\nlines\"\r\n");
}

/// Names come from requests: a spreadsheet must not run them.
TEST(Csv, F33_NothingIsAFormula) {
  for (const char* hostile : {"=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"}) {
    const auto line = csv_line({hostile});
    EXPECT_TRUE(line.starts_with("'") || line.starts_with("\"'")) << line;
  }
  EXPECT_EQ(csv_line({"/CN=a"}), "/CN=a\r\n");
}

}  // namespace
}  // namespace chancery::cli
