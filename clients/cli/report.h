#pragma once

#include <array>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "clients/lib/client.h"
#include "server/base/clock.h"

/// `chancery report`: what a realm's certificates come to, for people who work with tables.
namespace chancery::cli {

struct ReportOrder {
  std::string kind;            ///< a name of kReports
  int days = 30;               ///< since then, or until then
  std::string profile;         ///< empty: of all
  std::string format = "csv";  ///< or json
};

/// What `report` can be about.
struct ReportKind {
  std::string_view name;
  std::string_view doc;
};
inline constexpr std::array kReports{
    ReportKind{"issued", "The certificates of the last days, newest first."},
    ReportKind{"expiring", "The certificates in force that end within the next days, the next one first."},
    ReportKind{"by-profile", "How many certificates of the last days each profile has, and what became of them."},
    ReportKind{"by-requester", "The same by who asked."},
};

/// Reads page after page over an open session and writes the report.
/// @errors InvalidParams: an unknown kind or format; those of certificate.search; Io: out refuses.
Status write_report(client::Client& client, const ReportOrder& order, Seconds now, std::ostream& out);

/// One line of CSV (RFC 4180 2). A cell that a spreadsheet would take for a formula gets a ' before it.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace chancery::cli
