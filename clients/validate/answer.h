#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "clients/acme/challenge.h"

/// From a front end's question to this place's answer. It keeps nothing, and knows neither the daemon nor the CA.
namespace chancery::validate {

/// What this place allows, and by whom it has names looked up.
struct Terms {
  std::string resolver{};       ///< "ADDR:PORT", instead of that of the question; empty: that one
  bool allow_loopback = false;  ///< else questions that allow it are refused
};

/// How proofs are found.
struct Look {
  std::function<acme::Verdict(const acme::Question&)> proof = acme::validate;
  std::function<acme::Verdict(const acme::Question&)> caa = acme::recheck_caa;
};

/// The text of a Reply (clients/acme/vantage_message.h), whatever the request is. Blocks as acme::validate does.
std::string answer(std::string_view request, const Terms& terms, const Look& look = {});

/// The text of a Reply without an id, to what was not looked at.
std::string refusal(const Error& why);

}  // namespace chancery::validate
