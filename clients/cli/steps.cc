#include "clients/cli/steps.h"

#include <algorithm>
#include <array>

namespace chancery::cli {
namespace {

constexpr std::array<std::string_view, 2> kStepwise{"audit.self", "realm.repair"};

Json joined(const Json& before, const Json& more) {
  if (before.is_null()) return more;
  auto all = Json::object();
  for (const auto& [name, value] : *more.as_object()) {
    const auto* earlier = before.find(name);
    if (earlier != nullptr && value.as_array() != nullptr && earlier->as_array() != nullptr) {
      auto list = *earlier;
      for (const auto& one : *value.as_array()) list.push_back(one);
      all.set(name, std::move(list));
    } else if (earlier != nullptr && value.as_integer() != nullptr && earlier->as_integer() != nullptr) {
      all.set(name, *earlier->as_integer() + *value.as_integer());
    } else {
      all.set(name, value);
    }
  }
  return all;
}

}  // namespace

bool is_stepwise(std::string_view command) { return std::ranges::find(kStepwise, command) != kStepwise.end(); }

Result<Json> call_step_by_step(const std::function<Result<Json>(const Json& params)>& call, Json params,
                               const std::function<void(const Json& so_far)>& shown) {
  for (Json answer;;) {
    PKI_TRY(const auto step, call(params));
    const auto next = step.text("next");
    auto whole = Json::object();
    for (const auto& [name, value] : *step.as_object()) {
      if (name != "next") whole.set(name, value);
    }
    answer = joined(answer, whole);
    if (next.empty()) return answer;
    shown(answer);
    params.set("after", next);
  }
}

std::string progress_line(const Json& so_far) {
  std::string line;
  for (const auto& [name, value] : *so_far.as_object()) {
    if (const auto* number = value.as_integer()) line += (line.empty() ? "" : ", ") + std::to_string(*number) + " " + name;
  }
  return line;
}

}  // namespace chancery::cli
