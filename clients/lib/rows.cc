#include "clients/lib/rows.h"

#include <algorithm>

namespace chancery::client {

Rows::Rows(Client& client, std::string_view method, Json params, std::string_view member, std::string_view acting_for)
    : client_(&client), method_(method), params_(std::move(params)), member_(member), acting_for_(acting_for) {}

Rows::Iterator Rows::begin() {
  if (!has_begun_) fetch();
  has_begun_ = true;
  return Iterator(*this);
}

const Json& Rows::row() const {
  PKI_CHECK(!at_end());
  return page_[at_];
}

void Rows::step() {
  PKI_CHECK(!at_end());
  if (++at_ >= page_.size()) fetch();
}

/// The next page that has rows; none is left behind the last and after an error.
void Rows::fetch() {
  page_.clear();
  at_ = 0;
  while (page_.empty() && !is_last_page_) {
    status_ = fetch_page();
    if (!status_.ok()) {
      page_.clear();
      is_last_page_ = true;
    }
  }
}

Status Rows::fetch_page() {
  PKI_TRY(auto answer, client_->call(method_, params_, acting_for_));
  const auto* list = answer.find(member_);
  if (list == nullptr || list->as_array() == nullptr) return Error(Code::Malformed, "a page without " + member_);
  const auto next = answer.text("next");
  if (!next.empty() && next == params_.text("after")) return Error(Code::Malformed, "a page that is followed by itself");
  page_ = *list->as_array();
  is_last_page_ = next.empty();
  if (!next.empty()) params_.set("after", next);
  return {};
}

std::string_view paged_member(const wire::Command& command) {
  if (std::ranges::find(command.result, "next", &wire::Field::name) == command.result.end()) return {};
  const auto is_list = [](const wire::Field& field) {
    return field.type == wire::Type::Objects || field.type == wire::Type::Texts;
  };
  // Several lists are the steps of some work (realm.repair), and no pages.
  const auto rows = std::ranges::find_if(command.result, is_list);
  return std::ranges::count_if(command.result, is_list) == 1 ? rows->name : std::string_view{};
}

}  // namespace chancery::client
