#pragma once

#include "proxy/wire/bytes.hpp"

namespace pgveil::wire {

/// Gives the bytes to every reader and decoder of proxy/wire and walks over every list that comes
/// back. The one entry for a fuzzer: whatever the bytes are, it returns.
void decode_everything(ByteView bytes);

}  // namespace pgveil::wire
