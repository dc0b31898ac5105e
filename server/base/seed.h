#pragma once

#include <cstddef>

namespace chancery::base {

/// Of a registration seed that is made or first given here. uPKI takes any; one that comes from there is taken with a warning.
inline constexpr std::size_t kLeastSeedCharacters = 16;

}  // namespace chancery::base
