#pragma once

#include <functional>

#include <string>
#include <string_view>

#include "server/wire/json.h"

namespace chancery::cli {

/// Commands that do long work in steps of some seconds: each answer's `next` is where the following step begins.
bool is_stepwise(std::string_view command);

/// Takes every step, and gives one answer: lists one behind the other, numbers added up, `next` left out.
/// @param call   one step with these parameters
/// @param shown  called after each step but the last with the answer so far, for a line of progress
Result<Json> call_step_by_step(const std::function<Result<Json>(const Json& params)>& call, Json params,
                               const std::function<void(const Json& so_far)>& shown);

/// "12500 compared" of an answer so far: its numbers by name.
std::string progress_line(const Json& so_far);

}  // namespace chancery::cli
