#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "clients/lib/client.h"
#include "server/wire/commands.h"

namespace chancery::client {

/// The rows of a command that pages (certificate.search, node.list, audit.list, acme.account.list, acme.order.list), to be walked
/// once by a range-for. Pages are fetched as the walk comes to them; `limit` among the parameters is the size of a page. What
/// comes and goes meanwhile may be seen or not.
///
/// A walk ends at the last row or at the first error, so ask status() after it:
///
/// @code
///   auto found = calls::certificates(client, {.profile = "server"});
///   for (const auto& row : found) std::cout << row.text("serial") << "\n";
///   PKI_TRY_VOID(found.status());
/// @endcode
///
/// The client must outlive the rows, and may be used for other calls in between.
class Rows {
 public:
  /// Asks nothing yet; begin() does.
  ///
  /// @param method  the command's name.
  /// @param params  its parameters, an object; with `after`, the walk begins behind that key.
  /// @param member  which member of the answer holds the rows, "certificates".
  /// @param acting_for  whom a front end acts for, else empty.
  Rows(Client& client, std::string_view method, Json params, std::string_view member, std::string_view acting_for = {});

  /// A walk under way; all iterators of one Rows are the same walk.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Json;
    using difference_type = std::ptrdiff_t;
    using pointer = const Json*;
    using reference = const Json&;

    /// The row, valid until the next step.
    const Json& operator*() const { return rows_->row(); }
    /// The row's members.
    const Json* operator->() const { return &rows_->row(); }
    /// The next row, over a call to the server at the end of each page.
    Iterator& operator++() {
      rows_->step();
      return *this;
    }
    /// As ++it.
    void operator++(int) { rows_->step(); }
    /// Whether the walk is over.
    bool operator==(std::default_sentinel_t) const { return rows_->at_end(); }

   private:
    friend class Rows;
    explicit Iterator(Rows& rows) : rows_(&rows) {}
    Rows* rows_;
  };

  /// Where the walk stands; the first call fetches the first page.
  Iterator begin();
  /// What begin() and its steps are held against.
  std::default_sentinel_t end() const { return {}; }

  /// Success as long as no page was refused.
  /// @errors those of Client::call; Malformed: an answer without the member, or whose next page is the page itself.
  const Status& status() const { return status_; }

 private:
  const Json& row() const;
  bool at_end() const { return at_ >= page_.size(); }
  void step();
  void fetch();
  Status fetch_page();

  Client* client_;
  std::string method_;
  Json params_;
  std::string member_;
  std::string acting_for_;
  Json::Array page_;
  std::size_t at_ = 0;
  bool has_begun_ = false;
  bool is_last_page_ = false;
  Status status_;
};

/// Which member of a command's answer holds the rows; empty: it has no pages.
std::string_view paged_member(const wire::Command& command);

}  // namespace chancery::client
