#include "test/proxy/wire/decode_everything.hpp"

#include <cstddef>
#include <cstdint>

// Any bytes through every decoder of the wire protocol.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    pgveil::wire::decode_everything({bytes, size});
    return 0;
}
