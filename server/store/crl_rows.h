#pragma once

#include <cstddef>

#include "server/store/store.h"

namespace chancery::store {

/// Rows that a CRL's DER takes (Q13).
inline std::size_t crl_chunks(std::size_t octets) { return (octets + kCrlChunkBytes - 1) / kCrlChunkBytes; }

}  // namespace chancery::store
